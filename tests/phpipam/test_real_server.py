"""The conformance suite on a real phpIPAM, where the environment names one: see ``real_server``.

It makes its subnets in the two sections, and takes them away again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from netaddr import IPNetwork

from providers.book.database import Book
from providers.errors import GroupNotFound
from providers.ipam.contract import IPAMProvider
from providers.ipam.phpipam.provider import PhpIPAM
from providers.model import Subnet
from tests.conftest import HandClock
from tests.phpipam.client import Script
from tests.phpipam.faults import Fault, FaultProxy
from tests.phpipam.real_server import NamedServer, named_server
from tests.providers.desk import Desk
from tests.providers.ipam.conformance import BulkIPAMConformance

SERVER = named_server()


class TestRealServer(BulkIPAMConformance):
    """The groups Lab and Office of the suite are the two sections of the environment."""

    # Not skipped without a server, but not there: it is somebody's own.
    __test__ = SERVER is not None

    server: NamedServer
    line: FaultProxy
    clock: HandClock
    others: Script

    @pytest.fixture(autouse=True)
    def _a_server(self, clock: HandClock) -> Iterator[None]:
        assert SERVER is not None
        self.server, self.clock = SERVER, clock
        self.others = Script(SERVER.url, SERVER.user, SERVER.password, SERVER.app)
        self.sections = {
            group: self.others.section(name) for group, name in zip(("Lab", "Office"), SERVER.sections, strict=True)
        }
        for section in self.sections.values():
            assert not self.others.subnets(section), "the sections are for these tests alone, and something is in them"
        self.made: dict[tuple[str, str], int] = {}
        with FaultProxy(SERVER.url) as self.line:
            yield
        for key in self.made.values():
            self.others.remove_subnet(key)

    def build(self, book: Book) -> IPAMProvider:
        known: Any = PhpIPAM.settings_schema().load(self.server.settings | {"url": self.line.url})
        return PhpIPAM(book, known, clock=self.clock)

    def add_subnet(self, desk: Desk, cidr: str, *, group: str = "Lab", gateway: str | None = None) -> Subnet:
        if cidr not in self.server.subnets:
            pytest.fail(f"the suite needs {cidr}, and LEASEHOLD_TEST_PHPIPAM_SUBNETS does not name it")
        name = dict(zip(("Lab", "Office"), self.server.sections, strict=True))[group]
        key = self.made[name, cidr] = self.others.add_subnet(cidr, self.sections[group])
        if gateway is not None:
            self.others.take(key, gateway, is_gateway=1)
        desk.clock.pass_(minutes=5)
        return desk.address_book.subnet(IPNetwork(cidr), name)

    def add_foreign(self, subnet: Subnet, address: str, *, name: str | None = None, mac: str | None = None) -> None:
        assert self.others.take(self._key(subnet), address, hostname=name, mac=mac) is not None

    def remove_foreign(self, subnet: Subnet, address: str) -> None:
        row = self.others.row(self._key(subnet), address)
        assert row is not None
        self.others.remove(int(row["id"]))

    def before_next_create(self, happens: Callable[[], object]) -> None:
        self.line.meanwhile["POST addresses"] = happens

    def taken_upstream(self, subnet: Subnet, address: str) -> bool:
        return self.others.row(self._key(subnet), address) is not None

    def go_away(self) -> None:
        self.line.always(Fault.REFUSE)

    def come_back(self) -> None:
        self.line.heal()

    def test_groups_have_their_own_subnets(self, desk: Desk, subnet: Subnet):
        """As in the suite, under the names that the sections have here."""
        lab, office = self.server.sections
        there = self.add_subnet(desk, "10.0.1.0/28", group="Office")
        assert {group.name for group in desk.address_book.groups()} == {lab, office}
        assert desk.address_book.subnets(group=office.lower()) == [there]
        with pytest.raises(GroupNotFound):
            desk.address_book.subnets(group="nobody")

    def _key(self, subnet: Subnet) -> int:
        return self.made[subnet.group.name, str(subnet.network)]
