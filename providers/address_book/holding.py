"""Holds by request: several at once, kept longer, looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.suggestions import Suggestions, refuse_other_key
from providers.addresses import Range
from providers.book import event_log, promises
from providers.errors import NotFound
from providers.model import Asker, Caller, Hold, Subnet, Use


class Holding(Suggestions):
    """Takes, finds and extends holds; ``release_hold`` is with the suggestions."""

    def hold(
        self,
        subnet: Subnet,
        askers: Sequence[Asker],
        caller: Caller,
        *,
        span: Range | None = None,
        use: Use = Use.MANUAL,
        ttl: timedelta | None = None,
    ) -> list[tuple[IPAddress, Hold | None]]:
        """Hold an address for each of ``askers``, all or none: as ``suggest``, with the hold that came of it.

        The hold is None where a MAC has the address reserved already. Whoever asks for the same at the same moment gets
        the same. Raises what ``suggest`` raises; then nothing new is held.
        """
        promised = self._suggest_each(subnet, askers, caller, span=span, use=use, ttl=ttl)
        return [(each.address, self.hold_at(subnet, each.address)) for each in promised]

    def hold_at(self, subnet: Subnet, address: IPAddress) -> Hold | None:
        """The live hold on an address."""
        with self.book.read() as connection:
            found = promises.hold_at(connection, subnet, address)
        return found if found is not None and found.expires_at > self.clock() else None

    def extend_hold(
        self, subnet: Subnet, address: IPAddress, ttl: timedelta, caller: Caller, *, key: str | None = None
    ) -> Hold:
        """Let a hold live for ``ttl`` from now on, if that is longer; raises NotFound as ``release_hold``."""

        def work(connection: Connection) -> Hold:
            now = self.clock()
            present, _ = self._enter(connection, subnet)
            held = promises.hold_at(connection, present, address)
            if held is None or held.expires_at <= now:
                raise NotFound(f"{address} in {subnet.network} is not held")
            refuse_other_key(held, key)
            if now + ttl <= held.expires_at:
                return held
            promises.extend_hold(connection, present, address, now + ttl)
            event_log.record(connection, now, caller, "hold.extend", present, address, key=held.key, mac=held.mac)
            extended = promises.hold_at(connection, present, address)
            if extended is None:
                raise AssertionError(f"{address} was held just now")
            return extended

        return self.book.write(work)
