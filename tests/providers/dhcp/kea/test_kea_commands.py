"""Kea, told by host_cmds: the suites on a double, in both shapes and with both targets."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook
from providers.book.database import Book
from providers.dhcp.contract import DHCPProvider
from providers.dhcp.kea.control import Control
from providers.dhcp.kea.provider import KeaDHCP
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import Conflict, Unavailable
from providers.model import Subnet
from tests.providers.desk import Desk, host, mac
from tests.providers.dhcp.conformance import LeasesConformance, PublishingConformance
from tests.providers.dhcp.kea.kea_double import PASSWORD, USER, KeaDouble, over_http, over_unix
from tests.providers.dhcp.kea.running_kea import kea_directory


class TestOverHTTP(PublishingConformance, LeasesConformance):
    """With a hosts database; answers are lists."""

    kea: KeaDouble
    place: str

    @pytest.fixture(autouse=True)
    def _a_server(self) -> Iterator[None]:
        self.kea = KeaDouble(database=True)
        with over_http(self.kea) as self.place:
            yield

    def build(self, book: Book) -> DHCPProvider:
        return KeaDHCP(book, KeaSchema().load({"control": self.place, "user": USER, "password": PASSWORD}))

    def served(self, subnet: Subnet) -> dict[str, str]:
        number = {"10.0.1.0/28": 11, "10.0.2.0/28": 12, "10.0.2.0/24": 13}[str(subnet)]
        return {mac: each["ip-address"] for (at, mac), each in self.kea.reservations.items() if at == number}

    def go_away(self) -> None:
        self.kea.away = True

    def come_back(self) -> None:
        self.kea.away = False

    def give_lease(self, subnet: Subnet, address: str, mac: str) -> None:
        began = int(time.time())
        lease = {"ip-address": address, "hw-address": mac, "cltt": began, "valid-lft": 3600, "state": 0}
        self.kea.leases.append(lease)

    def test_reservations_go_to_the_database(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.release(subnet, "10.0.1.3")
        assert set(self.kea.targets) == {"database"}
        assert "config-write" not in self.kea.commands

    def test_a_reservation_of_somebody_else_is_left_alone(self, desk: Desk, subnet: Subnet):
        foreign = {"subnet-id": 11, "hw-address": mac(1), "ip-address": "10.0.1.9", "hostname": "theirs"}
        self.kea.reservations[11, mac(1)] = foreign
        with pytest.raises(Conflict, match="somebody else"):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.at(subnet, "10.0.1.3") is None
        assert self.kea.reservations == {(11, mac(1)): foreign}
        assert list(desk.address_book.differences()) == []

    def test_what_it_does_not_really_do_is_noticed(self, desk: Desk, subnet: Subnet, monkeypatch):
        monkeypatch.setattr(self.kea, "_reservation_add", lambda _: {"result": 0, "text": "Host added."})
        with pytest.raises(Unavailable, match="does not have it so"):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.at(subnet, "10.0.1.3") is None

    def test_numbers_that_kea_gave_by_itself_are_warned_of(self, desk: Desk, subnet: Subnet, caplog, monkeypatch):
        dhcp4 = {"subnet4": [{"id": 1, "subnet": "10.0.1.0/28"}], "hosts-database": {"type": "mysql"}}
        monkeypatch.setattr(self.kea, "_config_get", lambda _: {"result": 0, "arguments": {"Dhcp4": dhcp4}})
        with caplog.at_level(logging.WARNING):
            desk.serve(subnet, "10.0.1.3", 1)
        assert "give each subnet4 an id" in caplog.text


class TestOverUnix:
    """Without a hosts database; answers are objects."""

    @pytest.fixture
    def kea(self, address_book: AddressBook) -> Iterator[KeaDouble]:
        """The double, which the address book tells."""
        kea = KeaDouble(database=False)
        with kea_directory() as directory, over_unix(kea, directory / "ctrl") as place:
            address_book.dhcp = KeaDHCP(address_book.book, KeaSchema().load({"control": place}))
            yield kea

    def test_reservations_go_to_the_memory_and_then_to_the_configuration_file(self, desk: Desk, kea: KeaDouble):
        subnet = desk.add("10.0.1.0/28")
        desk.serve(subnet, "10.0.1.3", 1)
        assert [str(each.address) for each in desk.address_book.dhcp.served(subnet)] == ["10.0.1.3"]
        desk.release(subnet, "10.0.1.3")
        assert kea.reservations == {}
        assert set(kea.targets) == {"memory"}
        assert kea.commands.count("config-write") == 2

    def test_many_at_once_are_all_served(self, desk: Desk, kea: KeaDouble):
        subnet = desk.add("10.0.2.0/24")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: desk.serve(subnet, f"10.0.2.{number}", number), range(10, 30)))
        assert len(kea.reservations) == 20


def test_a_wrong_password_is_said(book: Book):
    kea = KeaDouble(database=True)
    with over_http(kea) as place:
        dhcp = KeaDHCP(book, KeaSchema().load({"control": place, "user": USER, "password": "wrong"}))
        health = dhcp.health()
    assert not health.ok
    assert ":user: and :password:" in health.detail
    assert "wrong" not in health.detail


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"[1]", b'{"text": "no result"}', b'[{"result": "0"}]'])
def test_what_is_no_answer_is_an_error(text: bytes, monkeypatch):
    control = Control(KeaSchema().load({"control": "/nowhere"}))
    monkeypatch.setattr(control, "_over_unix", lambda _: text)
    with pytest.raises(Unavailable, match="answer"):
        control.command("config-get")


def test_a_changed_host_takes_the_place_of_the_old_one(desk: Desk):
    kea = KeaDouble(database=True)
    subnet = desk.add("10.0.1.0/28")
    with over_http(kea) as place:
        dhcp = KeaDHCP(desk.book, KeaSchema().load({"control": place, "user": USER, "password": PASSWORD}))
        wanted = replace(host(1), address=IPAddress("10.0.1.3"))
        dhcp.publish(subnet, wanted)
        dhcp.publish(subnet, replace(wanted, filename="other.0"))
        assert [each.filename for each in dhcp.served(subnet)] == ["other.0"]
