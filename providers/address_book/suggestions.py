"""Suggesting an address: rules 1 to 3, 8, 11 and 14 of the address book."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import host_range, suggestible
from providers.address_book.choosing import Choosing
from providers.address_book.foundation import key_of_mac, may_be_suggested
from providers.address_book.steering import BEFORE_THE_HINT, in_any
from providers.addresses import Range
from providers.book import event_log, promises
from providers.book.directory import Directory
from providers.book.tables import KEY_LENGTH
from providers.errors import InvalidValue, NotFound, Unavailable
from providers.model import Asker, Caller, Hold, Subnet, Use

_UPSTREAM_TRIES = 32
_WORTH_AN_EVENT = timedelta(minutes=1)
"""An extension that moves the end of a hold by less is written to the hold alone: some ask every few seconds."""


@dataclass(frozen=True, slots=True)
class Promised:
    """An address that is held for a key; but one that its MAC has already is not ``held``. ``new``: since just now."""

    address: IPAddress
    key: str
    until: datetime
    held: bool = True
    new: bool = False


class Suggestions(Choosing):
    """Hands out promises: every address that leaves here is held."""

    def suggest(
        self,
        subnet: Subnet,
        asker: Asker,
        caller: Caller,
        *,
        span: Range | None = None,
        use: Use = Use.DHCP,
        ttl: timedelta | None = None,
    ) -> IPAddress:
        """Return an address that is free, and hold it for ``asker``.

        The same asker gets the same answer, and its hold is extended. With ``use`` DHCP, a MAC that has a DHCP host
        or a lease in the range gets that address; with IPAM only one for which ``exists`` is false; with GUEST the hold
        is one for guests. ``span`` narrows the choice, else it is the pool; ``ttl`` lengthens the hold.

        Raises Exhausted when nothing is left in the range, InvalidValue for a span outside the subnet,
        SubnetNotFound when it was removed, Unavailable when the book or the IPAM does not answer.
        """
        return self._suggest_each(subnet, [asker], caller, span=span, use=use, ttl=ttl)[0].address

    def _suggest_each(
        self,
        subnet: Subnet,
        askers: Sequence[Asker],
        caller: Caller,
        *,
        span: Range | None,
        use: Use,
        ttl: timedelta | None,
    ) -> list[Promised]:
        """As ``suggest``, for all of ``askers`` or none: their promises are one decision, whoever asks at once."""
        keyed = [(asker, self._key(asker)) for asker in askers]
        if self._is_leased_from(subnet):
            self.dhcp.refresh()
        self._survey_when_due(subnet)
        near = self._begin(subnet, span)
        promise = partial(
            self._promise_each, subnet=subnet, keyed=keyed, ttl=ttl, caller=caller, span=span, use=use
        )
        new: dict[IPAddress, Promised] = {}
        try:
            return self._free_upstream(subnet, promise, near, span, caller, new)
        except BaseException:
            # Alone, a key or a MAC can ask for it again.
            if len(keyed) > 1 or not (keyed[0][0].key or keyed[0][0].mac):
                self._break(subnet, new.values(), caller)
            raise

    def _free_upstream(
        self,
        subnet: Subnet,
        promise: Callable[..., list[Promised]],
        near: IPAddress | None,
        span: Range | None,
        caller: Caller,
        new: dict[IPAddress, Promised],
    ) -> list[Promised]:
        """Let ``promise`` choose until all that is held is free upstream; ``new`` collects what is held since then."""
        # Where the book is known not to know, the next ones are as likely to be taken as this one.
        patience = 1 if near is not None else BEFORE_THE_HINT
        free: set[IPAddress] = set()
        for tried in range(1, _UPSTREAM_TRIES + 1):
            promised = self.book.write(partial(promise, near=near))
            new.update({each.address: each for each in promised if each.new or each.address in new})
            unknown = [each.address for each in promised if each.held and each.address not in free]
            rows = [(address, self.ipam.record(subnet, address)) for address in unknown]
            free.update(address for address, row in rows if row is None)
            found = [row for _, row in rows if row is not None]
            if not found:
                return promised
            for row in found:
                self._note_upstream(subnet, row, caller)
            near = self._elsewhere(subnet, tried - patience, span)
        raise Unavailable(
            f"{_UPSTREAM_TRIES} addresses of {subnet.network} that the book has as free are taken upstream: "
            "run leasehold check"
        )

    def release_hold(self, subnet: Subnet, address: IPAddress, caller: Caller, *, key: str | None = None) -> Hold:
        """End the hold on an address, which is free at once.

        Raises NotFound when there is none, or when it is not that of ``key``, which is as the hold has it.
        """

        def work(connection: Connection) -> Hold:
            now = self.clock()
            present, directory = self._enter(connection, subnet)
            hold = promises.hold_at(connection, present, address)
            if hold is None or hold.expires_at <= now:
                raise NotFound(f"{address} in {subnet.network} is not held")
            refuse_other_key(hold, key)
            self._drop(connection, present, directory, hold, caller)
            return hold

        return self.book.write(work)

    def _forget_hold(self, subnet: Subnet, address: IPAddress, key: str, caller: Caller) -> None:
        """End the hold of an asker that was told nothing, and cannot ask for it again."""

        def work(connection: Connection) -> None:
            present, directory = self._enter(connection, subnet)
            hold = promises.hold_at(connection, present, address)
            if hold is not None and hold.key == key:
                self._drop(connection, present, directory, hold, caller)

        self.book.write(work)

    def _break(self, subnet: Subnet, promised: Iterable[Promised], caller: Caller) -> None:
        """End holds that were new, of a request that failed, unless another request of that key relies on them."""

        def work(connection: Connection) -> None:
            present, directory = self._enter(connection, subnet)
            for each in promised:
                hold = promises.hold_at(connection, present, each.address)
                if hold is not None and (hold.key, hold.expires_at) == (each.key, each.until):
                    self._drop(connection, present, directory, hold, caller)

        self.book.write(work)

    def _drop(
        self, connection: Connection, subnet: Subnet, directory: Directory, hold: Hold, caller: Caller
    ) -> None:
        promises.drop_hold(connection, subnet, hold.address)
        self._give_back(connection, subnet, directory, hold.address)
        event_log.record(connection, self.clock(), caller, "hold.release", subnet, hold.address, key=hold.key)

    def _key(self, asker: Asker) -> str:
        if asker.key is not None:
            key = f"key:{asker.key}"
            if not asker.key or len(key) > KEY_LENGTH or not asker.key.isprintable():
                raise InvalidValue(f"A request key has 1 to {KEY_LENGTH - 4} printable characters")
            return key
        if asker.mac is not None:
            return key_of_mac(asker.mac)
        return f"anonymous:{secrets.token_hex(8)}"

    def _promise_each(
        self,
        connection: Connection,
        subnet: Subnet,
        keyed: Sequence[tuple[Asker, str]],
        ttl: timedelta | None,
        caller: Caller,
        span: Range | None,
        use: Use,
        near: IPAddress | None = None,
    ) -> list[Promised]:
        """Promise an address to each asker. Looks at ``near`` first, and above."""
        now = self.clock()
        subnet, directory = self._enter(connection, subnet)
        self._expire(connection, subnet, directory, now)
        made: list[Promised] = []
        for asker, key in keyed:
            until = now + self._lifetime(asker, use, ttl)
            others = {each.address for each in made}
            made.append(
                self._promise(connection, subnet, directory, asker, key, until, others, now, caller, span, use, near)
            )
        return made

    def _lifetime(self, asker: Asker, use: Use, ttl: timedelta | None) -> timedelta:
        lifetime = self.lifetimes.hold if asker.key or asker.mac else self.lifetimes.hold_anonymous
        if use is Use.GUEST:
            lifetime = self.lifetimes.hold_guest
        return max(lifetime, ttl) if ttl is not None else lifetime

    def _promise(
        self,
        connection: Connection,
        subnet: Subnet,
        directory: Directory,
        asker: Asker,
        key: str,
        until: datetime,
        others: Container[IPAddress],
        now: datetime,
        caller: Caller,
        span: Range | None,
        use: Use,
        near: IPAddress | None,
    ) -> Promised:
        """Promise an address that is none of ``others``, which the same request has."""
        ranges = suggestible(subnet, span)
        # Without a range of the caller, what it has already is right wherever it is; the pool steers only new ones.
        own = ranges if span is not None else [host_range(subnet.network)]
        has = promises.belongings(connection, subnet, key, asker.mac)
        host = None if has.host in others else has.host
        if host is not None and in_any(own, host) and self._may_tell(connection, subnet, host, use, now):
            return Promised(host, key, until, held=False)
        if has.hold is not None and has.hold_until is not None:
            if in_any(own, has.hold) and may_be_suggested(subnet, directory, has.hold):
                until = max(until, has.hold_until)
                promises.extend_hold(connection, subnet, has.hold, until)
                if until - has.hold_until >= _WORTH_AN_EVENT:
                    event_log.record(connection, now, caller, "hold.extend", subnet, has.hold, key=key, mac=asker.mac)
                return Promised(has.hold, key, until)
            promises.drop_hold(connection, subnet, has.hold)
            self._let_rest(connection, subnet, directory, has.hold, key, now)
            event_log.record(connection, now, caller, "hold.release", subnet, has.hold, key=key, mac=asker.mac)
        resting = [each for each in has.rests if in_any(own, each) and may_be_suggested(subnet, directory, each)]
        address = self._regain(connection, subnet, asker, own, resting)
        if address is None:
            address = self._choose(connection, subnet, ranges, near)
        while address is None and self._expire(connection, subnet, directory, now, at_once=True):
            address = self._choose(connection, subnet, ranges)
        if address is None:
            raise self._exhausted(connection, subnet, ranges, span)
        promises.hold(connection, Hold(subnet, address, key, asker.mac, now, until))
        event_log.record(connection, now, caller, "hold.take", subnet, address, key=key, mac=asker.mac)
        return Promised(address, key, until, new=True)



def refuse_other_key(hold: Hold, key: str | None) -> None:
    """Raise NotFound when a hold is meant that has ended, and another asker has the address now."""
    if key is not None and hold.key != key:
        raise NotFound(f"{hold.address} in {hold.subnet.network} is held for another than {key[:100]}")
