"""No DHCP server: reservations are kept and told to Foreman, and nobody serves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from netaddr import IPAddress

from providers.dhcp.contract import DHCPCapabilities, DHCPProvider, Health
from providers.model import DHCPHost, Lease, Subnet


class NoDHCP(DHCPProvider):
    """For sites whose addresses are static, or whose DHCP server reads the book by itself."""

    name: ClassVar[str] = "dhcp_none"
    capabilities: ClassVar[DHCPCapabilities] = DHCPCapabilities(publishes=False, leases=False)

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Nobody to tell."""

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Nobody to tell."""

    def served(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """Nobody serves anything."""
        return iter(())

    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """Nobody gives out leases."""
        return iter(())

    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """Nobody gives out leases."""
        return None

    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """Nobody gives out leases."""
        return None

    def health(self) -> Health:
        """Nobody can fail."""
        return Health(True, "no DHCP server is told anything")
