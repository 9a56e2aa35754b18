"""The address book on top of a real dnsmasq: what is served is what a DISCOVER is offered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.book.database import Book
from providers.dhcp.dnsmasq.provider import DnsmasqDHCP
from providers.model import Subnet
from tests.providers.dhcp.conformance import LeasesConformance, PublishingConformance
from tests.providers.dhcp.dnsmasq.site import FIRST_FREE, DnsmasqSite


class TestDnsmasq(PublishingConformance, LeasesConformance):
    """All of it against the dnsmasq of this machine."""

    @pytest.fixture(autouse=True)
    def site(self, tmp_path: Path) -> Iterator[DnsmasqSite]:
        """A dnsmasq of this test alone."""
        with DnsmasqSite(tmp_path) as site:
            self.site = site
            self.seen: set[str] = set()
            yield site

    def build(self, book: Book) -> DnsmasqDHCP:
        self.provider = DnsmasqDHCP(book, self.site.settings)
        return self.provider

    def served(self, subnet: Subnet) -> dict[str, str]:
        """Whoever is in the files, or ever was, sends a DISCOVER."""
        self.seen |= {host.mac for host in self.provider.served(subnet)}
        offers = {mac: self.site.offered(mac) for mac in self.seen}
        return {mac: offer for mac, offer in offers.items() if offer and not offer.startswith(FIRST_FREE)}

    def go_away(self) -> None:
        self.site.stop()

    def come_back(self) -> None:
        self.site.start()

    def give_lease(self, subnet: Subnet, address: str, mac: str) -> None:
        with self.site.leases_file.open("a") as leases:
            leases.write(f"0 {mac} {address} * *\n")
        self.provider._leases.refresh(at_once=True)
