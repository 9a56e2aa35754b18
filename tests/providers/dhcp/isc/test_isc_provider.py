"""The provider for ISC dhcpd against the real one: what every provider has to bear."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from netaddr import IPAddress

from providers.book.database import Book
from providers.dhcp.isc.grammar import read
from providers.dhcp.isc.leases import written
from providers.dhcp.isc.provider import ISCDHCP
from providers.dhcp.isc.survey import survey
from providers.model import Subnet
from tests.dhcp_network import Network
from tests.dhcp_network.message import REQUESTED_ADDRESS
from tests.providers.dhcp.conformance import LeasesConformance, PublishingConformance
from tests.providers.dhcp.isc.dhcpd_server import HEAD, Dhcpd

NETWORKS = f"""{HEAD}
subnet 10.0.1.0 netmask 255.255.255.240 {{ range 10.0.1.1 10.0.1.13; }}
subnet 10.0.2.0 netmask 255.255.255.0 {{ range 10.0.2.1 10.0.2.13; }}
"""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """Two links, one for each subnet that the tests speak of."""
    with Network("10.0.1.14/28", "10.0.2.14/24") as made, made.server.entered():
        yield made


class TestISCDHCP(PublishingConformance, LeasesConformance):
    @pytest.fixture(autouse=True)
    def _dhcpd(self, network: Network, tmp_path: Path) -> Iterator[None]:
        directory = tmp_path / "dhcpd"
        directory.mkdir()
        self.dhcpd = Dhcpd(network, directory, NETWORKS)
        self.dhcpd.start()
        self.providers: list[ISCDHCP] = []
        yield
        for provider in self.providers:
            provider.close()
        self.dhcpd.stop()

    def build(self, book: Book) -> ISCDHCP:
        self.providers.append(self.dhcpd.provider(book))
        return self.providers[-1]

    def served(self, subnet: Subnet) -> dict[str, str]:
        """What dhcpd wrote down, as the import understands it."""
        said = written(read(self.dhcpd.leases, torn=True), datetime.now(UTC))
        hosts = survey((), said).incoming.addresses
        return {each.host.mac: str(each.address) for each in hosts if each.host and each.address in subnet.network}

    def go_away(self) -> None:
        self.dhcpd.stop()

    def come_back(self) -> None:
        self.dhcpd.start()

    def give_lease(self, subnet: Subnet, address: str, mac: str) -> None:
        client = self.dhcpd.network.raw_client(0 if address.startswith("10.0.1.") else 1)
        ack = client.lease(mac, options={REQUESTED_ADDRESS: IPAddress(address).packed})
        assert ack is not None
        assert str(ack.yiaddr) == address
        for provider in self.providers:
            provider._known.now(lambda state: None)
