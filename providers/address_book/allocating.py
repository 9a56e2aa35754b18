"""Suggesting and reserving in one go: rule 11 of the address book, for whoever does not care which address it is."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta

from netaddr import IPAddress

from providers.address_book.reservations import RequestRepeated, Reservations
from providers.address_book.suggestions import Suggestions
from providers.addresses import Range
from providers.book import promises, taken
from providers.errors import Conflict
from providers.model import Asker, Caller, DHCPHost, Reservation, Subnet, Use

_TRIES = 8


class Allocating(Suggestions, Reservations):
    """Takes the next address."""

    def allocate(
        self,
        subnet: Subnet,
        asker: Asker,
        use: Use,
        caller: Caller,
        *,
        span: Range | None = None,
        ttl: timedelta | None = None,
        name: str | None = None,
        mac: str | None = None,
        description: str | None = None,
        note: str | None = None,
        host: DHCPHost | None = None,
        related_macs: Collection[str] = (),
        once: bool = False,
    ) -> Reservation:
        """Reserve the next free address for ``use``; see ``suggest`` and ``reserve`` for the rest.

        With ``once`` the key of ``asker`` is that of a request: while what it got is reserved, the same key gets that
        again, as it is by then. Otherwise every call takes another address.

        Whoever is faster upstream between the look-up and the create only makes it a later address. Raises Exhausted
        when nothing is left, Conflict when the book itself has something against it (another host has the name).
        """
        nobody = asker.key is None and asker.mac is None
        known = Asker(key=f"allocation:{secrets.token_hex(8)}") if nobody else asker
        key = asker.key if once else None
        before: IPAddress | None = None
        try:
            for attempt in range(1, _TRIES + 1):
                there = None if key is None else self._reserved_for(subnet, key)
                if there is not None and key is not None:
                    return self._reserve_again(there, use, key, caller)
                address = self.suggest(subnet, known, caller, span=span, use=use, ttl=ttl)
                try:
                    return self.reserve(
                        subnet,
                        address,
                        use,
                        caller,
                        name=name,
                        mac=mac,
                        description=description,
                        note=note,
                        host=host,
                        related_macs=related_macs,
                        key=key,
                    )
                except RequestRepeated:
                    self._let_go(subnet, known, caller)
                    if attempt == _TRIES:
                        raise
                except Conflict:
                    # Whoever was faster may have given it back by now; what the book has against it, it has again.
                    if address == before or attempt == _TRIES:
                        raise
                    before = address
        except BaseException:
            if nobody:
                self._let_go(subnet, known, caller)
            raise
        raise AssertionError("unreachable")

    def _reserved_for(self, subnet: Subnet, key: str) -> Reservation | None:
        with self.book.read() as connection:
            address = taken.reserved_for(connection, subnet, key)
            return None if address is None else taken.reservation(connection, subnet, address)

    def _reserve_again(self, there: Reservation, use: Use, key: str, caller: Caller) -> Reservation:
        """What a request got, after everybody was told of it: whoever sent it first may have been killed."""
        host = next((each for each in there.hosts if each.mac == there.mac), None)
        return self.reserve(there.subnet, there.address, use, caller, host=host, key=key)

    def _let_go(self, subnet: Subnet, asker: Asker, caller: Caller) -> None:
        """End the hold of a call that nobody can repeat, if it has one."""
        with self.book.read() as connection:
            held = promises.belongings(connection, subnet, self._key(asker), None).hold
        if held is not None:
            self._forget_hold(subnet, held, self._key(asker), caller)
