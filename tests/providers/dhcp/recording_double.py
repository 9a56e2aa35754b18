"""A DHCP server that keeps what it is told, gives leases that a test writes down, and fails when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from netaddr import IPAddress

from providers.book.database import Book
from providers.dhcp.contract import DHCPCapabilities, DHCPProvider, Health
from providers.errors import Unavailable
from providers.model import DHCPHost, Lease, Subnet


@dataclass
class Server:
    """The server: it outlives every provider that talks to it.

    ``broken`` names the calls that fail; ``meanwhile`` runs once at the start of a call. ``served`` is by subnet and
    MAC, ``calls`` keeps (call, MAC) in order.
    """

    served: dict[tuple[int, str], DHCPHost] = field(default_factory=dict)
    written: list[tuple[int, Lease]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    error: Exception = field(default_factory=lambda: Unavailable("The DHCP server does not answer"))
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def lease(self, subnet: Subnet, address: str, mac: str) -> None:
        """Give an address out."""
        starts = datetime(2026, 1, 1, tzinfo=UTC)
        self.written.append((subnet.id, Lease(IPAddress(address), mac, starts, None, "active")))

    def enter(self, call: str, host: DHCPHost) -> None:
        """What every call that changes something goes through."""
        self.calls.append((call, host.mac))
        happens = self.meanwhile.pop(call, None)
        if happens is not None:
            happens()
        if call in self.broken:
            raise self.error


class RecordingDHCP(DHCPProvider):
    """Talks to a ``Server``."""

    name: ClassVar[str] = "dhcp_double"
    capabilities: ClassVar[DHCPCapabilities] = DHCPCapabilities(publishes=True, leases=True)

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        super().__init__(book, settings)
        self.server: Server = settings["server"]

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve it."""
        self.server.enter("publish", host)
        self.server.served[subnet.id, host.mac] = host

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve it no longer."""
        self.server.enter("withdraw", host)
        self.server.served.pop((subnet.id, host.mac), None)

    def served(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """As it was told, by address."""
        found = [host for (subnet_id, _), host in self.server.served.items() if subnet_id == subnet.id]
        return iter(sorted(found, key=lambda host: (host.address, host.mac)))

    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """As written, by address."""
        found = [lease for subnet_id, lease in self.server.written if subnet_id == subnet.id]
        return iter(sorted(found, key=lambda lease: lease.address))

    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """As written."""
        return next((each for each in self.leases(subnet) if each.address == address), None)

    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """As written."""
        return next((each for each in self.leases(subnet) if each.mac == mac), None)

    def health(self) -> Health:
        """Well, unless told otherwise."""
        return Health(not self.server.broken, "a double")
