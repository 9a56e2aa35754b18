"""Kea, told by host_cmds: the suites on a double, in both shapes and with both targets."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook
from providers.book.database import Book
from providers.dhcp.contract import DHCPProvider
from providers.dhcp.kea.control import Control
from providers.dhcp.kea.host_commands import HostCommands
from providers.dhcp.kea.provider import KeaDHCP
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import Subnet, Use
from tests.providers.desk import CALLER, Desk, host, mac
from tests.providers.dhcp.conformance import LeasesConformance, PublishingConformance
from tests.providers.dhcp.kea.kea_double import PASSWORD, USER, KeaDouble, over_http, over_unix
from tests.providers.dhcp.kea.running_kea import kea_directory
from tests.providers.soundness import dump


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
        return self.kea.at(self.kea.numbers[str(subnet)])

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
        self.kea.hosts["memory"][11, mac(1)] = foreign
        with pytest.raises(Conflict, match="somebody else"):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.at(subnet, "10.0.1.3") is None
        assert self.kea.hosts == {"memory": {(11, mac(1)): foreign}, "database": {}}
        assert list(desk.address_book.differences()) == []

    @pytest.mark.parametrize("source", ["memory", "database"])
    def test_an_address_that_somebody_else_reserved_is_a_conflict(self, desk: Desk, subnet: Subnet, source: str):
        foreign = {"subnet-id": 11, "hw-address": mac(90), "ip-address": "10.0.1.9", "hostname": "theirs"}
        self.kea.hosts[source][11, mac(90)] = foreign
        with pytest.raises(Conflict, match=f"somebody else for 10.0.1.9: {mac(90)}"):
            desk.serve(subnet, "10.0.1.9", 1)
        assert desk.at(subnet, "10.0.1.9") is None
        assert self.kea.at(11) == {mac(90): "10.0.1.9"}

    def test_a_kea_that_cannot_look_by_address_is_told_all_the_same(self, desk: Desk, subnet: Subnet, monkeypatch):
        monkeypatch.delattr(KeaDouble, "_reservation_get_by_address")
        desk.serve(subnet, "10.0.1.3", 1)
        assert self.kea.at(11) == {mac(1): "10.0.1.3"}

    def test_a_bond_is_refused_with_advice_where_addresses_are_unique(self, desk: Desk, subnet: Subnet):
        self.kea.unique = True
        desk.serve(subnet, "10.0.1.3", 1)
        with pytest.raises(InvalidValue, match='"ip-reservations-unique": false'):
            desk.serve(subnet, "10.0.1.3", 2, related=[1])
        assert self.kea.at(11) == {mac(1): "10.0.1.3"}

    def test_nothing_is_taken_for_gone_while_kea_has_lost_its_database(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book, without=("events",))
        self.kea.lost = True
        with pytest.raises(Unavailable, match="no hosts-database"):
            desk.release(subnet, "10.0.1.3")
        with pytest.raises(Unavailable, match="no hosts-database"):
            desk.serve(subnet, "10.0.1.4", 2)
        with pytest.raises(Unavailable, match="no hosts-database"):
            list(desk.address_book.differences())
        assert dump(desk.book, without=("events",)) == before
        self.kea.lost = False
        desk.release(subnet, "10.0.1.3")
        assert self.kea.at(11) == {}

    def test_a_connection_that_breaks_while_a_host_is_added_is_no_conflict(self, desk: Desk, subnet, monkeypatch):
        """Kea said so of the first command after PostgreSQL had ended its connection, and had it again at once."""
        text = "unable to start transactionFATAL:  terminating connection due to administrator command"
        monkeypatch.setattr(self.kea, "_reservation_add", lambda _: {"result": 1, "text": text})
        with pytest.raises(Unavailable, match="unable to start"):
            desk.serve(subnet, "10.0.1.3", 1)

    def test_ours_of_the_time_before_the_database_are_deleted_and_changed_too(self, desk: Desk, subnet: Subnet):
        for number in (1, 2):
            desk.serve(subnet, f"10.0.1.{number}", number)
            self.kea.hosts["memory"][11, mac(number)] = self.kea.hosts["database"].pop((11, mac(number)))
        desk.release(subnet, "10.0.1.1")
        changed = replace(host(2, filename="other.0"), address=IPAddress("10.0.1.2"))
        desk.address_book.dhcp.publish(subnet, changed)
        assert [each.filename for each in desk.address_book.dhcp.served(subnet)] == ["other.0"]
        assert (self.kea.hosts["memory"], self.kea.at(11)) == ({}, {mac(2): "10.0.1.2"})
        assert self.kea.commands.count("config-write") == 2

    def test_what_it_does_not_really_do_is_noticed(self, desk: Desk, subnet: Subnet, monkeypatch):
        monkeypatch.setattr(self.kea, "_reservation_add", lambda _: {"result": 0, "text": "Host added."})
        with pytest.raises(Unavailable, match="does not have it so"):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.at(subnet, "10.0.1.3") is None

    def test_a_sync_leaves_alone_what_somebody_else_reserved_and_serves_the_rest(self, desk, subnet, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book, "_serve", lambda *_: True)
            for number in (1, 2, 3):
                desk.serve(subnet, f"10.0.1.{number}", number)
        mine = {"subnet-id": 11, "hw-address": mac(1), "ip-address": "10.0.1.9", "hostname": "theirs"}
        at = {"subnet-id": 11, "hw-address": mac(90), "ip-address": "10.0.1.2", "hostname": "theirs"}
        self.kea.hosts["memory"] |= {(11, mac(1)): mine, (11, mac(90)): at}
        with pytest.raises(InvalidValue, match=f"2 hosts are not served; the first: .* somebody else for {mac(1)}"):
            desk.address_book.dhcp.replace(subnet, ())
        assert self.kea.at(11) == {mac(1): "10.0.1.9", mac(90): "10.0.1.2", mac(3): "10.0.1.3"}

    def test_a_sync_notices_what_kea_does_not_really_do(self, desk, subnet, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book, "_serve", lambda *_: True)
            desk.serve(subnet, "10.0.1.3", 1)
        monkeypatch.setattr(self.kea, "_reservation_add", lambda _: {"result": 0, "text": "Host added."})
        with pytest.raises(Unavailable, match="does not have it so"):
            desk.address_book.dhcp.replace(subnet, ())

    def test_what_is_deleted_during_a_sync_is_not_served_afterwards(self, desk, subnet, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book, "_serve", lambda *_: True)
            for number in (1, 2):
                desk.serve(subnet, f"10.0.1.{number}", number)
        before_the_first(monkeypatch, "put", lambda: desk.release(subnet, "10.0.1.2"))
        desk.address_book.dhcp.replace(subnet, ())
        assert self.kea.at(11) == {mac(1): "10.0.1.1"}

    @pytest.mark.parametrize(("moment", "deleted"), [("listed", [mac(9)]), ("delete", [mac(9), mac(9)])])
    def test_what_is_reserved_during_a_sync_is_served_afterwards(self, desk, subnet, monkeypatch, moment, deleted):
        """And all the time, if the sync sees it before it deletes what the book did not have."""
        desk.serve(subnet, "10.0.1.9", 9)
        self.forget(desk, subnet, mac(9))
        before_the_first(monkeypatch, moment, lambda: desk.serve(subnet, "10.0.1.2", 9))
        desk.address_book.dhcp.replace(subnet, ())
        assert self.kea.at(11) == {mac(9): "10.0.1.2"}
        assert self.kea.deleted == deleted

    def test_a_sync_needs_one_command_for_each_host(self, desk, subnet, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book, "_serve", lambda *_: True)
            for number in range(1, 11):
                desk.serve(subnet, f"10.0.1.{number}", number)
        self.kea.commands.clear()
        desk.address_book.dhcp.replace(subnet, ())
        by_host = [each for each in self.kea.commands if each in {"reservation-get", "reservation-get-by-address"}]
        assert (self.kea.commands.count("reservation-add"), by_host) == (10, [])

    def test_numbers_that_kea_gave_by_itself_are_warned_of(self, desk: Desk, subnet: Subnet, caplog):
        self.kea.numbers = {"10.0.1.0/28": 1}
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
        assert kea.at(11) == {}
        assert set(kea.targets) == {"memory"}
        assert kea.commands.count("config-write") == 2

    def test_many_at_once_are_all_served(self, desk: Desk, kea: KeaDouble):
        subnet = desk.add("10.0.2.0/24")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: desk.serve(subnet, f"10.0.2.{number}", number), range(10, 30)))
        assert len(kea.at(13)) == 20

    def test_what_could_not_be_saved_is_not_told_as_served(self, desk: Desk, kea: KeaDouble):
        """Each time, until it is saved: a restart of Kea would bring back what was deleted."""
        subnet = desk.add("10.0.1.0/28")
        desk.serve(subnet, "10.0.1.3", 1)
        kea.full = True
        with pytest.raises(Unavailable, match="for writing"):
            desk.serve(subnet, "10.0.1.4", 2)
        for _ in range(2):
            with pytest.raises(Unavailable, match="for writing"):
                desk.release(subnet, "10.0.1.3")
        kea.full = False
        kea.commands.clear()
        desk.release(subnet, "10.0.1.3")
        assert kea.commands.count("config-write") == 1

    @pytest.mark.parametrize("times", [1, 10])
    def test_what_a_restart_took_before_it_was_saved_is_told_again(self, desk, kea, monkeypatch, times):
        """Or is refused, when Kea is restarted each time: it must not be told as served."""
        subnet = desk.add("10.0.1.0/28")
        left = restarting(kea, monkeypatch, times, {})
        if times == 1:
            desk.serve(subnet, "10.0.1.3", 1)
        else:
            with pytest.raises(Unavailable, match="Kea was restarted"):
                desk.serve(subnet, "10.0.1.3", 1)
        left.clear()
        assert kea.at(11) == ({mac(1): "10.0.1.3"} if times == 1 else {})
        assert [each.mac for each in desk.address_book.hosts(subnet)] == list(kea.at(11))

    @pytest.mark.parametrize("times", [1, 10])
    def test_what_a_restart_brought_back_before_it_was_saved_is_deleted_again(self, desk, kea, monkeypatch, times):
        subnet = desk.add("10.0.1.0/28")
        desk.serve(subnet, "10.0.1.3", 1)
        left = restarting(kea, monkeypatch, times, dict(kea.hosts["memory"]))
        if times == 1:
            desk.release(subnet, "10.0.1.3")
        else:
            with pytest.raises(Unavailable, match="Kea was restarted"):
                desk.release(subnet, "10.0.1.3")
        left.clear()
        assert kea.at(11) == ({} if times == 1 else {mac(1): "10.0.1.3"})
        assert [each.mac for each in desk.address_book.hosts(subnet)] == list(kea.at(11))

    def test_a_host_that_somebody_else_wrote_just_so_is_served(self, desk, kea):
        subnet = desk.add("10.0.1.0/28")
        theirs = {"subnet-id": 11, "hw-address": mac(1), "ip-address": "10.0.1.3", "hostname": "host1"}
        kea.hosts["memory"][11, mac(1)] = theirs
        wanted = replace(host(1), hostname="host1")
        desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.DHCP, CALLER, host=wanted)
        assert kea.hosts["memory"] == {(11, mac(1)): theirs}
        assert kea.commands.count("config-write") == 1

    def test_those_that_come_first_ask_kea_at_once_and_do_not_wait_for_one_another(self, desk, kea, monkeypatch):
        subnet = desk.add("10.0.1.0/28")
        both = Barrier(2)
        ask = kea._list_commands
        monkeypatch.setattr(KeaDHCP, "_has_host_commands", lambda _: both.wait(30) >= 0 and bool(ask({})))
        with ThreadPoolExecutor(2) as pool:
            for asked in [pool.submit(desk.address_book.dhcp.served, subnet) for _ in range(2)]:
                assert list(asked.result(60)) == []

    def test_a_sync_that_breaks_off_saves_what_it_did(self, desk: Desk, kea: KeaDouble, monkeypatch):
        subnet = desk.add("10.0.1.0/28")
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book, "_serve", lambda *_: True)
            desk.serve(subnet, "10.0.1.3", 1)
            desk.serve(subnet, "10.0.1.4", 2)
        add = kea._reservation_add
        away = {"result": 2, "text": "'reservation-add' command not supported."}
        monkeypatch.setattr(kea, "_reservation_add", lambda given: away if kea.at(11) else add(given))
        with pytest.raises(Unavailable):
            desk.address_book.dhcp.replace(subnet, ())
        assert kea.at(11) == {mac(1): "10.0.1.3"}
        assert kea.commands[-1] == "config-write"


def restarting(kea: KeaDouble, monkeypatch, times: int, saved: dict) -> list[int]:
    """Let Kea be restarted with what was ``saved`` each time before it saves, so often; gives what is left of that."""
    left = list(range(times))
    write = kea._config_write

    def work(given):
        if left:
            left.pop()
            kea.hosts["memory"] = dict(saved)
        return write(given)

    monkeypatch.setattr(kea, "_config_write", work)
    return left


def test_a_wrong_password_is_said(book: Book):
    kea = KeaDouble(database=True)
    with over_http(kea) as place:
        dhcp = KeaDHCP(book, KeaSchema().load({"control": place, "user": USER, "password": "wrong"}))
        health = dhcp.health()
    assert not health.ok
    assert ":user: and :password:" in health.detail
    assert "wrong" not in health.detail


def before_the_first(monkeypatch: pytest.MonkeyPatch, name: str, happens: Callable[[], object]) -> None:
    """Let something happen when a method of ``HostCommands`` is called for the first time."""
    real = getattr(HostCommands, name)

    def with_it(self: HostCommands, *arguments: object) -> object:
        monkeypatch.setattr(HostCommands, name, real)
        happens()
        return real(self, *arguments)

    monkeypatch.setattr(HostCommands, name, with_it)


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
