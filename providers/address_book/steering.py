"""Where in a subnet a suggestion begins to look: rule 14 of the address book, where the truth is upstream."""

from __future__ import annotations

import secrets

from netaddr import IPAddress

from providers.address_book.allocatable import suggestible
from providers.address_book.upstream_rows import UpstreamRows
from providers.addresses import Range
from providers.book import upstream
from providers.errors import Exhausted, LeaseholdError, Refused
from providers.model import Strategy, Subnet

BEFORE_THE_HINT = 3
"""So many candidates in a row may be taken upstream before it is asked where it is free."""


class Steering(UpstreamRows):
    """Keeps away from what is taken upstream without the book knowing of it row by row."""

    def _begin(self, subnet: Subnet, span: Range | None) -> IPAddress | None:
        """Where upstream lately said that free addresses begin; None where it said nothing or the range ends below.

        Raises Exhausted when it says that the subnet is full; a concrete address can still be reserved. Raises Refused
        when it has the subnet no more, before anything is held there.
        """
        if self.ipam.capabilities.edits_subnets:
            return None
        with self.book.read(snapshot=False) as connection:
            fill = upstream.fill_of(connection, subnet, self.clock())
        if fill.gone:
            raise Refused(f"{subnet.network} is in {self.ipam.name} no more: run leasehold check")
        if fill.full:
            raise Exhausted(f"{subnet.network} is marked as full in {self.ipam.name}", used=0, held=0)
        floor = fill.floor
        if floor is None:
            return None
        above = [part for each in suggestible(subnet, span) if (part := _above(each, floor)) is not None]
        if not above:
            return None
        # By the strategy of the subnet, but among what is likely to be free.
        return from_a_random_point(above)[0].first if subnet.strategy is Strategy.RANDOM else above[0].first

    def _elsewhere(self, subnet: Subnet, late: int, span: Range | None) -> IPAddress | None:
        """Where to go on after candidates were taken upstream: so many that the book seems to know little of it.

        The next ones while it is not ``late`` (below 0), then where upstream says that something is free (0), then
        anywhere.
        """
        if late < 0:
            return None
        ranges = suggestible(subnet, span)
        if late == 0:
            try:
                hint = self.ipam.hint(subnet)
            except LeaseholdError:
                hint = None
            if hint is not None:
                until = self.clock() + self.ipam.survey_every
                self.book.write(lambda connection: upstream.set_floor(connection, subnet, hint, until))
                near = [part for each in ranges if (part := _above(each, hint)) is not None]
                if near:
                    return near[0].first
        return from_a_random_point(ranges)[0].first if ranges else None


def in_any(ranges: list[Range], address: IPAddress) -> bool:
    """Whether an address lies in one of the ranges."""
    return any(address in each for each in ranges)


def _above(each: Range, floor: IPAddress) -> Range | None:
    """The part of a range from ``floor`` on."""
    return Range(max(each.first, floor), each.last) if floor <= each.last else None


def starting_at(ranges: list[Range], start: IPAddress) -> list[Range]:
    """The same addresses, starting at ``start``, which is one of them, and going around."""
    for index, each in enumerate(ranges):
        if start in each:
            turned = [Range(start, each.last), *ranges[index + 1 :], *ranges[:index]]
            return turned + ([Range(each.first, start - 1)] if start > each.first else [])
    return ranges


def from_a_random_point(ranges: list[Range]) -> list[Range]:
    """The same addresses, starting at a random one and going around."""
    sizes = [int(each.last) - int(each.first) + 1 for each in ranges]
    offset = secrets.randbelow(sum(sizes)) if ranges else 0
    for each, size in zip(ranges, sizes, strict=True):
        if offset < size:
            return starting_at(ranges, each.first + offset)
        offset -= size
    return ranges
