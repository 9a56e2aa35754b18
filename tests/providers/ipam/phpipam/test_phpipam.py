"""phpIPAM keeps the truth: the whole suite on the double, in the versions that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from netaddr import IPNetwork

from providers.book.database import Book
from providers.ipam.contract import IPAMProvider
from providers.ipam.phpipam.provider import PhpIPAM
from providers.model import Subnet
from providers.registry import IPAM_PROVIDERS, load_class
from tests.conftest import HandClock
from tests.phpipam import Double
from tests.phpipam.faults import Fault, FaultProxy
from tests.providers.desk import Desk
from tests.providers.ipam.conformance import BulkIPAMConformance
from tests.providers.ipam.phpipam.site import provider


class OnPhpIPAM(BulkIPAMConformance):
    """Builds everything on one double."""

    version = "1.8.2"
    behind_nginx = False
    double: Double
    line: FaultProxy
    clock: HandClock

    @pytest.fixture(autouse=True)
    def _a_server(self, clock: HandClock) -> Iterator[None]:
        self.double, self.clock = Double(self.version, clock), clock
        self.double.behind_nginx = self.behind_nginx
        with self.double.serve() as url, FaultProxy(url) as self.line:
            yield

    def build(self, book: Book) -> IPAMProvider:
        return provider(book, self.line.url, self.clock)

    def add_subnet(self, desk: Desk, cidr: str, *, group: str = "Lab", gateway: str | None = None) -> Subnet:
        self.double.add_subnet(cidr, group, gateway=gateway)
        desk.clock.pass_(minutes=5)
        return desk.address_book.subnet(IPNetwork(cidr), group)

    def add_foreign(self, subnet: Subnet, address: str, *, name: str | None = None, mac: str | None = None) -> None:
        self.double.add_address(self._key(subnet), address, hostname=name, mac=mac)

    def remove_foreign(self, subnet: Subnet, address: str) -> None:
        self.double.remove_address(self._key(subnet), address)

    def before_next_create(self, happens: Callable[[], object]) -> None:
        self.double.meanwhile["POST addresses"] = happens

    def taken_upstream(self, subnet: Subnet, address: str) -> bool:
        return self.double.row(self._key(subnet), address) is not None

    def go_away(self) -> None:
        self.line.always(Fault.REFUSE)

    def come_back(self) -> None:
        self.line.heal()

    def _key(self, subnet: Subnet) -> int:
        return self.double.subnet_id(str(subnet.network), subnet.group.name)


class TestPhpIPAM182(OnPhpIPAM):
    """The newest that was measured: a broken look-up, numbers in place of addresses."""


class TestPhpIPAM152(OnPhpIPAM):
    """The oldest, behind a web server that makes it fussy."""

    version = "1.5.2"
    behind_nginx = True


def test_is_found_by_its_name():
    assert load_class("externalipam_phpipam", IPAM_PROVIDERS) is PhpIPAM
