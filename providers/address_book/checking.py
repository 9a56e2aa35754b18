"""Whether the book is sound, and mending it where it is not."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import host_range, passed_over, without
from providers.address_book.comparing import Comparing
from providers.address_book.subnets import Subnets
from providers.addresses import Range
from providers.book import directory as shelf
from providers.book import event_log, taken
from providers.book.directory import Directory
from providers.book.soundness import (
    belonging,
    doubles,
    free_runs,
    guests,
    orphans,
    places,
    promised,
    shelving,
    storage,
)
from providers.book.soundness.finding import Finding, Repair
from providers.model import Caller, Subnet

_ROUNDS = 10


class Checking(Subnets, Comparing):
    """Finds what is not as it has to be. A sound book gives no finding."""

    def check(self) -> Iterator[Finding]:
        """Everything that is wrong with the book, and then what the IPAM upstream sees differently.

        The book is looked at in one state of it, while others go on changing it. Raises Unavailable when it or the
        IPAM does not answer.
        """
        blocked = False
        with self.book.snapshot() as connection, closing(self._findings(connection)) as findings:
            for finding in findings:
                blocked |= finding.blocks
                yield finding
        if self.ipam.capabilities.remote and not blocked:
            yield from self._compared_upstream()

    def repair(self, caller: Caller) -> list[Finding]:
        """Repair what can be repaired, in one transaction with an event for each; returns what was found and done.

        A repair may show more to do (the free space that it changed): that is done too. While a finding blocks the
        look at the rest, only what blocks is repaired. Nobody else can change the book meanwhile.
        """

        def work(connection: Connection) -> list[Finding]:
            done: list[Finding] = []
            before: list[Finding] = []
            shelf.lock_all_subnets(connection)
            for _ in range(_ROUNDS):
                found = list(self._findings(connection))
                if found == before:
                    break
                before = found
                repairable = [(finding, finding.repair) for finding in found if finding.repair is not None]
                for finding, repair in repairable:
                    repair.work(connection)
                    self._note(connection, finding, repair, caller)
                    done.append(finding)
                if not repairable or any(finding.blocks for finding in found):
                    break
            if done:
                shelf.touch(connection)
            return done

        return self.book.write(work)

    def _findings(self, connection: Connection) -> Generator[Finding, None, None]:
        for stage in (storage.damage(connection), storage.values(connection, self.clock())):
            blocked = False
            for finding in stage:
                blocked |= finding.blocks
                yield finding
            if blocked:
                return
        # Not from the cache: what others have read of a damaged directory is not to be trusted.
        directory = shelf.read(connection)
        unknown = list(belonging.unknown_use(connection, directory))
        yield from unknown
        if unknown:
            return
        yield from shelving.groups_twice(directory)
        yield from shelving.subnets_twice(directory)
        yield from shelving.on_dhcp(directory)
        yield from orphans.without_subnet(connection)
        yield from orphans.without_group(connection)
        yield from orphans.without_reservation(connection, directory, self.clock())
        yield from guests.details_of_nobody(connection)
        yield from guests.unknown_state(connection)
        yield from guests.subnet_gone(connection)
        yield from orphans.labels_of_nothing(connection, directory)
        yield from belonging.without_use(connection, directory)
        yield from belonging.host_without_use(connection, directory)
        yield from belonging.use_without_host(connection, directory)
        yield from belonging.unknown_mark(connection, directory)
        yield from doubles.within_a_subnet(connection, directory)
        yield from places.misplaced(connection, directory)
        yield from guests.not_reserved(connection, directory, self.clock())
        yield from guests.two_of_an_address(connection, directory)
        yield from guests.left_halfway(connection, self.clock())
        yield from promised.on_reserved(connection, directory)
        yield from promised.two_of_a_key(connection, directory)
        yield from _unusable(connection, directory)
        yield from self._free_space(connection, directory)

    def _free_space(self, connection: Connection, directory: Directory) -> Iterator[Finding]:
        inside = places.children(directory)
        for subnet in directory.subnets:
            nested = [each.network for each in inside.get(subnet.id, ())]
            allowed = without(host_range(subnet.network), passed_over(subnet, nested))
            found = free_runs.difference(connection, subnet.id, allowed)
            if found is not None:
                where = "1 place" if found.count == 1 else f"{found.count} places"
                what = (
                    f"The free space differs from what is free in {where}; "
                    f"first: {found.written} is written, {found.right} is free"
                )
                yield Finding("free_space", what, subnet, repair=self._measuring(subnet, directory))

    def _measuring(self, subnet: Subnet, directory: Directory) -> Repair:
        return Repair("measures it anew", lambda connection: self._measure(connection, subnet, directory))

    def _note(self, connection: Connection, finding: Finding, repair: Repair, caller: Caller) -> None:
        detail = {"kind": finding.kind, "what": finding.what, "did": repair.does}
        event_log.record(connection, self.clock(), caller, "check.repair", finding.subnet, finding.address, **detail)


def _unusable(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """Reservations of addresses that nobody may have (rule 7)."""
    for subnet in directory.subnets:
        hosts, gateway = host_range(subnet.network), subnet.options.gateway
        special = dict.fromkeys(_edges(subnet, hosts), "network or broadcast")
        if gateway is not None and gateway in subnet.network:
            special[gateway] = "gateway"
        for address in taken.reserved_among(connection, subnet, special):
            what = f"{address} is reserved, but is the {special[address]} address of its subnet"
            advice = f"Release it (leasehold address release {address}), or correct the subnet"
            yield Finding("special", what, subnet, address, advice=advice)


def _edges(subnet: Subnet, hosts: Range) -> list[IPAddress]:
    first, last = hosts.first, hosts.last
    edges: list[IPAddress] = []
    if int(first) > subnet.network.first:
        edges.append(first - 1)
    if int(last) < subnet.network.last:
        edges.append(last + 1)
    return edges
