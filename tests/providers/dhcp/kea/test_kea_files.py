"""Kea, told by files: the suites on a real kea-dhcp4, and what is particular to it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from providers.book.database import Book
from providers.dhcp.contract import DHCPProvider
from providers.dhcp.kea.provider import KeaDHCP
from providers.model import Subnet
from tests.providers.dhcp.conformance import LeasesConformance, PublishingConformance
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory


@pytest.fixture
def kea() -> Iterator[Kea]:
    """A running Kea with the subnets of the suites."""
    with kea_directory() as directory:
        server = Kea(directory)
        server.add_subnet(1, "10.0.1.0/28")
        server.add_subnet(2, "10.0.2.0/24")
        server.add_subnet(3, "10.0.2.0/28")
        server.start()
        try:
            yield server
        finally:
            server.stop()


class TestKea(PublishingConformance, LeasesConformance):
    """The whole suite, with leases by ``lease_cmds``."""

    leases = "auto"

    @pytest.fixture(autouse=True)
    def _a_server(self, kea: Kea) -> None:
        self.kea = kea

    def build(self, book: Book) -> DHCPProvider:
        return KeaDHCP(book, {**self.kea.settings, "leases": self.leases})

    def served(self, subnet: Subnet) -> dict[str, str]:
        return self.kea.served(str(subnet))

    def go_away(self) -> None:
        self.kea.stop()

    def come_back(self) -> None:
        self.kea.start()

    def give_lease(self, subnet: Subnet, address: str, mac: str) -> None:
        number = {"10.0.1.0/28": 1, "10.0.2.0/28": 3}[str(subnet)]
        ends = int(time.time()) + 3600
        self.kea.command(
            "lease4-add",
            {"ip-address": address, "hw-address": mac, "subnet-id": number, "expire": ends, "valid-lft": 3600},
        )


class TestLeaseFile(LeasesConformance):
    """Leases from Kea's file."""

    @pytest.fixture(autouse=True)
    def _a_server(self, kea: Kea) -> None:
        self.kea = kea

    def build(self, book: Book) -> DHCPProvider:
        return KeaDHCP(book, {**self.kea.settings, "leases": str(self.kea.lease_file)})

    give_lease = TestKea.give_lease
