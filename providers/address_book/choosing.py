"""Choosing a free address: rules 8 and 14 of the address book."""

from __future__ import annotations

from datetime import datetime

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.foundation import counted
from providers.address_book.steering import Steering, from_a_random_point, in_any, starting_at
from providers.addresses import Range
from providers.book import free_space, promises, taken
from providers.book.tables import holds, reservations, rests
from providers.errors import Exhausted
from providers.model import Asker, Strategy, Subnet, Use

_COUNT_MOST = 100_000
_IPV4 = 4


class Choosing(Steering):
    """Takes addresses out of the free space, within a transaction of the book."""

    def _may_tell(self, connection: Connection, subnet: Subnet, address: IPAddress, use: Use, now: datetime) -> bool:
        """Whether an asker may be told the address of its own DHCP host: Foreman's IPAM only what it can still join."""
        if use is not Use.IPAM:
            return True
        found = taken.reservation(connection, subnet, address)
        return found is not None and set(found.uses) == {Use.DHCP} and now - found.changed_at <= self.lifetimes.join

    def _regain(
        self,
        connection: Connection,
        subnet: Subnet,
        asker: Asker,
        own: list[Range],
        resting: list[IPAddress],
    ) -> IPAddress | None:
        """Take what the asker had until lately, or has from the DHCP server, out of rest or of the free space."""
        if resting:
            promises.drop_rest(connection, subnet, resting[0])
            return resting[0]
        lease = self.dhcp.lease_of(subnet, asker.mac) if asker.mac and self._is_leased_from(subnet) else None
        if lease is not None and in_any(own, lease.address):
            run = free_space.run_from(connection, subnet.id, lease.address)
            if run is not None and lease.address in run:
                free_space.carve(connection, subnet.id, run, lease.address)
                return lease.address
        return None

    def _choose(
        self, connection: Connection, subnet: Subnet, ranges: list[Range], near: IPAddress | None = None
    ) -> IPAddress | None:
        """Pick a free address by the strategy of the subnet and take it out of the free space."""
        if near is not None:
            ranges = starting_at(ranges, near)
        elif subnet.strategy is Strategy.RANDOM:
            ranges = from_a_random_point(ranges)
        for each in ranges:
            address = self._first_free(connection, subnet, each)
            if address is not None:
                return address
        return None

    def _first_free(self, connection: Connection, subnet: Subnet, within: Range) -> IPAddress | None:
        start = within.first
        while run := free_space.run_from(connection, subnet.id, start):
            first, last = max(run.first, start), min(run.last, within.last)
            if first > last:
                return None
            within_run = Range(first, last)
            address = self.dhcp.first_unleased(subnet, within_run) if self._is_leased_from(subnet) else first
            if address is not None:
                free_space.carve(connection, subnet.id, run, address)
                return address
            if last == within.last:
                return None
            start = last + 1
        return None

    def _is_leased_from(self, subnet: Subnet) -> bool:
        """Whether the DHCP server may give out addresses of the subnet on its own: IPv4, and on ``/dhcp``."""
        return self.dhcp.capabilities.leases and subnet.dhcp and subnet.network.version == _IPV4

    def _exhausted(self, connection: Connection, subnet: Subnet, ranges: list[Range], span: Range | None) -> Exhausted:
        used = sum(taken.count(connection, reservations, subnet, each, most=_COUNT_MOST) for each in ranges)
        held = sum(taken.count(connection, holds, subnet, each, most=_COUNT_MOST) for each in ranges)
        where = f"{subnet.network}" if span is None else f"{span} of {subnet.network}"
        resting = sum(taken.count(connection, rests, subnet, each, most=_COUNT_MOST) for each in ranges)
        counts = counted([(used, "reserved"), (held, "held"), (resting, "resting")])
        return Exhausted(f"No free address in {where}: {counts}", used=used, held=held)
