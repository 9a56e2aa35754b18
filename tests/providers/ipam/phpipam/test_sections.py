"""Sections and subnets of phpIPAM as groups and subnets of the book."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook, Lifetimes, subnet_spec
from providers.address_book.incoming import Incoming, IncomingSubnet
from providers.addresses import Range
from providers.book import directory as shelf
from providers.dhcp.none import NoDHCP
from providers.errors import Forbidden, Refused, SubnetNotFound
from providers.ipam.local import LocalIPAM
from providers.model import Options, Strategy, Subnet, SubnetSpec, Use
from tests.conftest import HandClock
from tests.phpipam import Double
from tests.phpipam.faults import Fault, FaultProxy
from tests.providers.desk import CALLER, Desk
from tests.providers.ipam.phpipam.site import provider, subnet_of

LOOK = "GET sections/all"


def look(desk: Desk) -> list[Subnet]:
    """The subnets, after phpIPAM was asked again."""
    desk.clock.pass_(minutes=5)
    return desk.address_book.subnets()


class TestRecordedServer:
    """What the server of the recorded exchanges has."""

    @pytest.fixture
    def double(self, clock: HandClock) -> Double:
        return Double.recorded(clock=clock)

    def test_sections_with_odd_names(self, desk: Desk):
        names = {group.name for group in desk.address_book.groups()}
        assert names == {"Customers", "CBSD", "IPv6", "Lab two", "R&D / Büro #1 100%", "2024"}
        assert desk.address_book.group("2024").name == "2024"

    def test_folders_are_passed_over(self, desk: Desk):
        assert [str(each.network) for each in desk.address_book.subnets(group="Customers")] == ["10.0.1.0/24"]

    def test_a_network_in_two_sections_is_two_subnets_and_the_lower_id_counts(self, desk: Desk):
        network = IPNetwork("10.0.1.0/24")
        assert desk.address_book.subnet(network).group.name == "CBSD"
        assert desk.address_book.subnet(network, "Customers").group.name == "Customers"

    def test_options_come_from_gateway_name_servers_vlan_and_custom_fields(
        self, desk: Desk, line: FaultProxy, clock: HandClock
    ):
        desk.address_book.ipam = provider(desk.book, line.url, clock, option_domain="custom_domain")
        jails = desk.address_book.subnet(IPNetwork("10.0.1.0/24"), "CBSD")
        assert jails.options == Options(
            gateway=IPAddress("10.0.1.1"),
            dns=(IPAddress("10.0.1.53"), IPAddress("10.0.1.54")),
            domain="jails.example.test",
        )
        assert jails.description == "jails (VLAN 42)"

    def test_a_name_server_without_an_address_is_none(self, desk: Desk):
        assert desk.address_book.subnet(IPNetwork("10.61.0.0/24")).options == Options()

    def test_an_ipv6_gateway(self, desk: Desk):
        six = desk.address_book.subnet(IPNetwork("2001:db8:abcd:13::/64"))
        assert six.options.gateway == IPAddress("2001:db8:abcd:13::1")
        assert not six.dhcp

    def test_parent_and_child(self, desk: Desk):
        assert str(desk.address_book.subnet_of(IPAddress("10.50.1.7"))) == "10.50.1.0/24"
        parent = desk.address_book.subnet(IPNetwork("10.50.0.0/16"))
        assert desk.ask(parent, 1, span="10.50.0.255-10.50.2.9") == "10.50.0.255"
        assert desk.ask(parent, 2, span="10.50.0.255-10.50.2.9") == "10.50.2.0"

    def test_small_networks(self, desk: Desk):
        assert desk.ask(desk.address_book.subnet(IPNetwork("10.99.2.0/31")), 1) == "10.99.2.0"
        assert desk.ask(desk.address_book.subnet(IPNetwork("10.99.3.7/32")), 1) == "10.99.3.7"

    def test_some_sections_only(self, desk: Desk, line: FaultProxy, clock: HandClock):
        desk.address_book.ipam = provider(desk.book, line.url, clock, sections=["cbsd", "IPv6"])
        assert [group.name for group in desk.address_book.groups()] == ["CBSD", "IPv6"]

    def test_a_section_that_is_not_there(self, desk: Desk, line: FaultProxy, clock: HandClock):
        desk.address_book.ipam = provider(desk.book, line.url, clock, sections=["CBSD", "Nowhere"])
        with pytest.raises(Refused, match=r"no section nowhere: correct :sections:"):
            desk.address_book.groups()


class TestChangesUpstream:
    def test_a_new_subnet_comes(self, desk: Desk, subnet: Subnet, double: Double):
        double.add_subnet("10.0.2.0/24", "Office")
        assert [str(each) for each in look(desk)] == ["10.0.1.0/28", "10.0.2.0/24"]

    def test_a_description_and_options_change(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        double.change_subnet(key, description="second floor", nameservers="10.0.1.9")
        (changed,) = look(desk)
        assert (changed.id, changed.description) == (subnet.id, "second floor")
        assert changed.options.dns == (IPAddress("10.0.1.9"),)
        assert desk.ask(changed, 1, span="10.0.1.9-10.0.1.10") == "10.0.1.10"

    def test_a_gateway_that_moves(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        double.add_address(key, "10.0.1.1", is_gateway=1)
        look(desk)
        double.add_address(key, "10.0.1.14", is_gateway=1)
        (changed,) = look(desk)
        assert changed.options.gateway == IPAddress("10.0.1.14")

    def test_what_phpipam_does_not_know_is_set_here_and_stays(
        self, desk: Desk, subnet: Subnet, double: Double, key: int
    ):
        spec = replace(
            subnet_spec(subnet),
            pool=Range.parse("10.0.1.4-10.0.1.8"),
            dynamic=Range.parse("10.0.1.9-10.0.1.12"),
            exclusions=(Range.parse("10.0.1.5"),),
            strategy=Strategy.RANDOM,
            options=replace(subnet.options, ntp=(IPAddress("10.0.1.6"),), mtu=9000, filename="pxelinux.0"),
        )
        desk.address_book.change_subnet(subnet, spec, CALLER)
        double.change_subnet(key, description="changed")
        (changed,) = look(desk)
        assert subnet_spec(changed) == replace(spec, description="changed")

    def test_a_section_that_is_renamed_keeps_what_is_in_it(self, desk: Desk, subnet: Subnet, double: Double):
        desk.take(subnet, "10.0.1.3")
        section = double.add_section("Lab")
        double.store.sections[section]["name"] = "Laboratory"
        (same,) = look(desk)
        assert (same.id, same.group.name) == (subnet.id, "Laboratory")
        assert desk.uses(same, "10.0.1.3") == {Use.IPAM}

    def test_two_sections_that_exchange_their_names(self, desk: Desk, subnet: Subnet, double: Double):
        double.add_subnet("10.0.2.0/24", "Office")
        look(desk)
        lab, office = double.add_section("Lab"), double.add_section("Office")
        double.store.sections[lab]["name"], double.store.sections[office]["name"] = "Office", "Lab"
        assert {str(each): each.group.name for each in look(desk)} == {"10.0.1.0/28": "Office", "10.0.2.0/24": "Lab"}

    def test_a_subnet_that_is_gone_and_empty_goes(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        double.add_subnet("10.0.2.0/24", "Office")
        double.add_address(key, "10.0.1.1")
        desk.ask(look(desk)[0], 1)
        desk.release_hold(subnet, "10.0.1.2")
        double.remove_subnet(key)
        assert [str(each) for each in look(desk)] == ["10.0.2.0/24"]
        assert [group.name for group in desk.address_book.groups()] == ["Lab", "Office"]

    def test_one_that_has_something_of_ours_stays_and_is_told(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, caplog: pytest.LogCaptureFixture
    ):
        double.add_subnet("10.0.2.0/24", "Office")
        desk.take(subnet, "10.0.1.3")
        double.remove_subnet(key)
        assert [str(each) for each in look(desk)] == ["10.0.1.0/28", "10.0.2.0/24"]
        assert "10.0.1.0/28 of Lab is in externalipam_phpipam no more" in caplog.text
        with pytest.raises(Refused, match="no more"):
            desk.ask(subnet, 1)
        (finding,) = desk.address_book.check()
        assert "10.0.1.0/28 is in externalipam_phpipam no more since" in finding.what
        assert desk.held() == {}
        desk.release(subnet, "10.0.1.3")
        assert [str(each) for each in look(desk)] == ["10.0.2.0/24"]

    def test_one_that_comes_back_is_as_before(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        double.add_subnet("10.0.2.0/24", "Office")
        desk.take(subnet, "10.0.1.3")
        double.remove_subnet(key)
        look(desk)
        double.add_subnet("10.0.1.0/28", "Lab")
        look(desk)
        assert desk.ask(subnet, 1) == "10.0.1.1"
        assert desk.uses(subnet, "10.0.1.3") == {Use.IPAM}

    def test_one_that_grew_takes_along_what_was_in_it(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        pool = Range.parse("10.0.1.4-10.0.1.8")
        desk.address_book.change_subnet(subnet, replace(subnet_spec(subnet), pool=pool), CALLER)
        desk.take(subnet, "10.0.1.3")
        held = desk.ask(subnet, 1)
        double.store.subnets[key].row["mask"] = "24"
        (grown,) = look(desk)
        assert (str(grown), grown.pool) == ("10.0.1.0/24", pool)
        assert desk.uses(grown, "10.0.1.3") == {Use.IPAM}
        assert desk.ask(grown, 1) == held

    def test_one_that_shrank_stays_the_same_if_nothing_of_ours_is_outside(
        self, desk: Desk, subnet: Subnet, double: Double, key: int
    ):
        desk.take(subnet, "10.0.1.3")
        double.store.subnets[key].row["mask"] = "29"
        (shrunk,) = look(desk)
        assert (shrunk.id, str(shrunk), shrunk.dhcp) == (subnet.id, "10.0.1.0/29", True)
        assert desk.uses(shrunk, "10.0.1.3") == {Use.IPAM}

    def test_one_that_shrank_away_from_something_of_ours_is_two(
        self, desk: Desk, subnet: Subnet, double: Double, key: int
    ):
        desk.take(subnet, "10.0.1.3")
        desk.take(subnet, "10.0.1.12")
        double.store.subnets[key].row["mask"] = "29"
        assert [str(each) for each in look(desk)] == ["10.0.1.0/28", "10.0.1.0/29"]
        assert desk.address_book.subnet_of(IPAddress("10.0.1.3")).network == IPNetwork("10.0.1.0/29")

    def test_no_subnets_at_all_is_rather_a_mistake(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, caplog: pytest.LogCaptureFixture
    ):
        double.remove_subnet(key)
        assert look(desk) == [subnet]
        assert "shows no subnets at all" in caplog.text

    def test_a_network_twice_in_one_section(
        self, desk: Desk, subnet: Subnet, double: Double, caplog: pytest.LogCaptureFixture
    ):
        double.add_subnet("10.0.1.0/28", "Lab")
        double.add_subnet("10.0.2.0/24", "Lab")
        for _ in range(2):
            assert [str(each) for each in look(desk)] == ["10.0.1.0/28", "10.0.2.0/24"]
        assert caplog.text.count("twice: one is passed over") == 1

    def test_an_option_that_cannot_be_kept_is_passed_over(self, desk: Desk, line: FaultProxy, double: Double):
        double.add_subnet("10.0.2.0/24", "Lab", custom_domain='a"b', nameservers="10.0.2.9")
        desk.address_book.ipam = provider(desk.book, line.url, desk.clock, option_domain="custom_domain")
        found = desk.address_book.subnet(IPNetwork("10.0.2.0/24"))
        assert (found.options.domain, found.options.dns) == (None, (IPAddress("10.0.2.9"),))


class TestSparingly:
    def test_phpipam_is_asked_once_in_five_minutes(self, desk: Desk, subnet: Subnet, double: Double):
        double.forget_calls()
        desk.clock.pass_(minutes=4)
        desk.address_book.subnets()
        assert double.calls == []

    def test_by_one_process_for_all(self, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy):
        others = [
            AddressBook(
                desk.book,
                provider(desk.book, line.url, desk.clock),
                NoDHCP(desk.book, {}),
                lifetimes=Lifetimes(),
                clock=desk.clock,
            )
            for _ in range(3)
        ]
        double.forget_calls()
        desk.clock.pass_(minutes=5)
        for each in [*others, desk.address_book, *others]:
            assert each.subnets() == [subnet]
        assert double.count(LOOK) == 1

    def test_whoever_asks_meanwhile_does_not_wait(self, desk: Desk, subnet: Subnet, double: Double):
        waited: list[bool] = []

        def ask() -> None:
            asker = threading.Thread(target=desk.address_book.subnets, daemon=True)
            asker.start()
            asker.join(60)
            waited.append(asker.is_alive())

        double.meanwhile[LOOK] = ask
        assert look(desk) == [subnet]
        assert waited == [False]

    def test_while_phpipam_is_away_what_is_known_stays(
        self, desk: Desk, subnet: Subnet, line: FaultProxy, caplog: pytest.LogCaptureFixture
    ):
        line.always(Fault.REFUSE)
        assert look(desk) == [subnet]
        assert "groups and subnets are as of the last look" in caplog.text
        line.heal()

    def test_whoever_was_killed_in_the_middle_of_a_look_keeps_nobody_waiting_for_long(
        self, desk: Desk, subnet: Subnet, double: Double, monkeypatch: pytest.MonkeyPatch
    ):
        desk.clock.pass_(minutes=5)
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book.ipam, "picture", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                desk.address_book.subnets()
        double.forget_calls()
        desk.clock.pass_(seconds=61)
        desk.address_book.subnets()
        assert double.count(LOOK) == 1

    def test_it_is_asked_again_soon_after_that(self, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy):
        double.add_subnet("10.0.2.0/24", "Lab")
        line.always(Fault.REFUSE)
        look(desk)
        line.heal()
        desk.clock.pass_(seconds=11)
        assert len(desk.address_book.subnets()) == 2


class TestEditing:
    def test_subnets_and_groups_are_not_made_here(self, desk: Desk, subnet: Subnet):
        with pytest.raises(Forbidden, match="kept in externalipam_phpipam; make and change them there"):
            desk.add("10.0.9.0/24")
        with pytest.raises(Forbidden):
            desk.address_book.add_group("More", "", CALLER)
        with pytest.raises(Forbidden):
            desk.address_book.remove_subnet(subnet, CALLER, force=True)
        assert desk.address_book.subnets() == [subnet]

    @pytest.mark.parametrize(
        "change", [{"description": "mine"}, {"options": Options(gateway=IPAddress("10.0.1.1"))}], ids=str
    )
    def test_nor_is_changed_what_phpipam_has(self, desk: Desk, subnet: Subnet, change: dict):
        with pytest.raises(Forbidden):
            desk.address_book.change_subnet(subnet, replace(subnet_spec(subnet), **change), CALLER)

    def test_one_that_was_in_the_book_before_is_taken_over(
        self, desk: Desk, line: FaultProxy, double: Double, clock: HandClock
    ):
        truth, desk.address_book.ipam = desk.address_book.ipam, _local(desk)
        mine = desk.address_book.add_subnet(
            SubnetSpec(IPNetwork("10.0.1.0/28"), "lab", pool=Range.parse("10.0.1.4-10.0.1.8")), CALLER
        )
        desk.add("192.168.9.0/24")
        desk.address_book.ipam = truth
        (found,) = desk.address_book.subnets()
        assert (found.id, found.group.name, found.pool) == (mine.id, "Lab", mine.pool)
        with pytest.raises(SubnetNotFound):
            desk.address_book.subnet(IPNetwork("192.168.9.0/24"))

    def test_an_import_says_where_subnets_are_made(self, desk: Desk, subnet: Subnet):
        plan = desk.address_book.plan_import(
            Incoming((IncomingSubnet(SubnetSpec(IPNetwork("10.7.0.0/24"), "Lab"), "dhcpd.conf:1"),))
        )
        assert "make it there" in plan.clashes[0].text


def _local(desk: Desk):
    return LocalIPAM(desk.book, {})


def test_subnet_of_waits_for_the_next_look(desk: Desk, subnet: Subnet, double: Double):
    double.add_subnet("10.0.3.0/24", "Lab")
    with pytest.raises(SubnetNotFound):
        desk.address_book.subnet(IPNetwork("10.0.3.0/24"))
    assert str(subnet_of(desk, "10.0.3.0/24")) == "10.0.3.0/24"


def test_nothing_secret_is_logged(desk: Desk, subnet: Subnet, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    desk.serve(subnet, desk.ask(subnet, 1), 1)
    assert "leasehold-pass" not in caplog.text
    assert desk.address_book.ipam._api._credential.token() not in caplog.text


def test_what_changes_for_all_subnets_at_once_does_not_cost_the_square_of_their_number(
    desk: Desk, subnet: Subnet, double: Double, monkeypatch: pytest.MonkeyPatch
):
    """A name server that many subnets have is one row over there."""
    keys = [double.add_subnet(f"10.0.{number}.0/24", "Lab") for number in range(2, 22)]
    assert len(look(desk)) == 21
    readings: list[int] = []
    read = shelf._read
    monkeypatch.setattr(shelf, "_read", lambda connection, revision: readings.append(1) or read(connection, revision))
    for key in keys:
        double.change_subnet(key, nameservers="10.0.2.53")
    assert str(look(desk)[5].options.dns[0]) == "10.0.2.53"
    for key in keys:
        double.remove_subnet(key)
    assert look(desk) == [desk.address_book.subnet(subnet.network)]
    assert len(readings) < 10
