"""Looking things up; nothing here changes the book."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from netaddr import IPAddress

from providers.address_book.foundation import Foundation, innermost
from providers.book import event_log, taken
from providers.model import DHCPHost, Event, Lease, Reservation, Subnet

_AT_ONCE = 500


class Queries(Foundation):
    """Reads reservations, DHCP hosts, leases and events.

    A subnet here includes the subnets inside it, as reserving does (rule 9). Long lists are read in pages: whoever
    iterates holds neither a transaction nor all of it in memory.
    """

    def reservation(self, subnet: Subnet, address: IPAddress) -> Reservation | None:
        """The reservation of an address."""
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
            return taken.reservation(connection, inner, address)

    def reservations(self, subnet: Subnet | None = None) -> Iterator[Reservation]:
        """The reservations of a subnet, or of all, by subnet and address."""
        with self.book.read() as connection:
            directory = self._directories.current(connection)
        for each in directory.subnets if subnet is None else [subnet, *directory.inside(subnet)]:
            yield from self._reserved_in(each)

    def host_of(self, subnet: Subnet, mac: str) -> DHCPHost | None:
        """The DHCP host of a MAC."""
        with self.book.read() as connection:
            for each in (subnet, *self._directories.current(connection).inside(subnet)):
                host = taken.host_of(connection, each, mac)
                if host is not None:
                    return host
        return None

    def hosts_at(self, subnet: Subnet, address: IPAddress) -> list[DHCPHost]:
        """The DHCP hosts of an address, by name; several for a bond."""
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
            return taken.hosts_at(connection, inner, address)

    def hosts(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """The DHCP hosts of a subnet, by address."""
        with self.book.read() as connection:
            inside = self._directories.current(connection).inside(subnet)
        for each in (subnet, *inside):
            after: DHCPHost | None = None
            while found := self._host_page(each, after):
                yield from found
                after = found[-1]

    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """The active lease of a MAC."""
        self.dhcp.refresh()
        return self.dhcp.lease_of(subnet, mac)

    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """The active lease on an address."""
        self.dhcp.refresh()
        return self.dhcp.lease_at(subnet, address)

    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """The active leases of a subnet, by address, without those of DHCP hosts on their own address.

        Kea and dnsmasq lease a reserved address to its host too, which would be there twice.
        """
        return self._unreserved(subnet, self.dhcp.leases(subnet))

    def inside(self, subnet: Subnet) -> list[Subnet]:
        """The subnets of the same group within a subnet, at any depth."""
        with self.book.read(snapshot=False) as connection:
            return self._directories.current(connection).inside(subnet)

    def around(self, subnets: Iterable[Subnet]) -> dict[int, Subnet]:
        """For each of some subnets the most specific one of its group that it lies within, by its id.

        Those that lie in none are missing.
        """
        with self.book.read(snapshot=False) as connection:
            directory = self._directories.current(connection)
        return {each.id: outer for each in subnets if (outer := directory.around(each)) is not None}

    def events(
        self,
        *,
        limit: int = 50,
        subnet: Subnet | None = None,
        address: IPAddress | None = None,
        action: str | None = None,
        before: int | None = None,
    ) -> list[Event]:
        """The newest ``limit`` events, newest first; ``before`` is the id of an event that is newer than them."""
        with self.book.read() as connection:
            return event_log.latest(
                connection, limit=limit, subnet=subnet, address=address, action=action, before=before
            )

    def _unreserved(self, subnet: Subnet, leases: Iterator[Lease]) -> Iterator[Lease]:
        while portion := list(islice(leases, _AT_ONCE)):
            with self.book.read() as connection:
                subnets = {each.id for each in (subnet, *self._directories.current(connection).inside(subnet))}
                places = taken.places_of(connection, {lease.mac for lease in portion})
            reserved = {(mac, address) for number, mac, address in places if number in subnets}
            yield from (lease for lease in portion if (lease.mac, lease.address) not in reserved)

    def _host_page(self, subnet: Subnet, after: DHCPHost | None) -> list[DHCPHost]:
        with self.book.read() as connection:
            return taken.host_page(connection, subnet, after)
