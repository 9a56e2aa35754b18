"""Finding reservations and holds among very many, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from netaddr import IPAddress
from sqlalchemy import Connection, Row

from providers.address_book.foundation import Foundation
from providers.book import finding, taken
from providers.book.finding import Sought, SoughtHold
from providers.model import Hold, Reservation, Subnet

__all__ = ["Page", "Place", "Search", "Sought", "SoughtHold"]

Item = TypeVar("Item")

Place = tuple[int, IPAddress]
"""The id of a subnet and an address in it: after which a page begins."""

_Start = tuple[Subnet, IPAddress | None]
"""A subnet, and the address after which to begin in it; None is its beginning."""

_LOOKED_AT = 24_000
"""How many reservations a page may look at that no index finds, so that it ends in time."""
_A_SUBNET = 800
"""As how many of them it counts to look into a subnet."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of what was found; ``after`` is the place to go on from, None at the end."""

    items: list[Item]
    after: Place | None


class Search(Foundation):
    """Searches without ever loading all: the next page begins where the one before ended."""

    def search(
        self,
        sought: Sought,
        *,
        subnets: Sequence[Subnet] | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page[Reservation]:
        """The next ``limit`` reservations after ``after`` that fit all of ``sought``, by subnet and address.

        ``subnets`` is where to look: nowhere else, not even in the subnets inside them; None is everywhere. A page
        may have less than ``limit``, even nothing, although there is more: looking for a text that hardly anything
        has ends after a bounded number of reservations, and goes on with the next page.
        """
        with self.book.read() as connection:
            chosen = self._chosen(connection, subnets)
            rows, place = self._rows(connection, chosen, sought, after, limit)
            return Page(taken.completed(connection, {subnet.id: subnet for subnet in chosen}, rows), place)

    def search_holds(
        self,
        sought: SoughtHold,
        *,
        subnets: Sequence[Subnet] | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page[Hold]:
        """The next ``limit`` live holds after ``after`` that fit all of ``sought``, by subnet and address."""
        now = self.clock()
        with self.book.read() as connection:
            found: list[Hold] = []
            for part in _portions(_remaining(self._chosen(connection, subnets), after)):
                holding = finding.holding(connection, [subnet.id for subnet, _ in part], sought, now)
                for subnet, start in part:
                    if subnet.id in holding:
                        found += finding.holds_of(connection, subnet, sought, start, limit - len(found), now)
                    if len(found) == limit:
                        return Page(found, (found[-1].subnet.id, found[-1].address))
            return Page(found, None)

    def holds(self, subnet: Subnet | None = None) -> list[Hold]:
        """The live holds of a subnet, not of those inside it, or of all, by subnet and address."""
        found: list[Hold] = []
        where = None if subnet is None else [subnet]
        after: Place | None = None
        while True:
            page = self.search_holds(SoughtHold(), subnets=where, after=after, limit=_AT_ONCE)
            found += page.items
            if page.after is None:
                return found
            after = page.after

    def _rows(
        self, connection: Connection, chosen: list[Subnet], sought: Sought, after: Place | None, limit: int
    ) -> tuple[list[Row[Any]], Place | None]:
        """The rows of a page, and where the next one begins."""
        rows: list[Row[Any]] = []
        budget, place = _LOOKED_AT, after
        for subnet, start in self._from(connection, chosen, sought, after):
            if len(rows) == limit or budget <= 0:
                return rows, place
            part = finding.rows_of(connection, subnet, sought, start, limit - len(rows), budget)
            rows += part.rows
            budget -= part.looked_at + _A_SUBNET
            if part.stopped_at is not None:
                return rows, (subnet.id, part.stopped_at)
            place = (subnet.id, IPAddress(subnet.network.last, subnet.network.version))
        return rows, None

    def _chosen(self, connection: Connection, subnets: Sequence[Subnet] | None) -> list[Subnet]:
        """Where to look, in the order of the directory."""
        directory = self._directories.current(connection)
        if subnets is None:
            return directory.subnets
        wanted = {subnet.id for subnet in subnets}
        return [subnet for subnet in directory.subnets if subnet.id in wanted]

    def _from(
        self, connection: Connection, chosen: list[Subnet], sought: Sought, after: Place | None
    ) -> Iterator[_Start]:
        """The subnets that may have something, from where the page before ended."""
        narrowed = finding.subnets_with(connection, sought)
        if narrowed is not None:
            yield from (each for each in _remaining(chosen, after) if each[0].id in narrowed)
            return
        for part in _portions(_remaining(chosen, after)):
            occupied = finding.occupied(connection, [subnet.id for subnet, _ in part], sought.use)
            yield from (each for each in part if each[0].id in occupied)


def _portions(places: Iterator[_Start]) -> Iterator[list[_Start]]:
    while portion := list(islice(places, _AT_ONCE)):
        yield portion


def _remaining(chosen: list[Subnet], after: Place | None) -> Iterator[_Start]:
    """The subnets from ``after`` on, each with the address after which to begin in it.

    The subnet of ``after`` may have been removed meanwhile; then the address says where it was.
    """
    if after is None:
        yield from ((subnet, None) for subnet in chosen)
        return
    number, address = after
    position = next((index for index, subnet in enumerate(chosen) if subnet.id == number), None)
    if position is None:
        key = (address.version, int(address))
        yield from ((each, None) for each in chosen if (each.network.version, each.network.first) > key)
        return
    yield chosen[position], address
    yield from ((subnet, None) for subnet in chosen[position + 1 :])
