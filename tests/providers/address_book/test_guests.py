"""Guests: what a report may have in it, what becomes of addresses around it, lists of guests, batches."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book import guests
from providers.address_book.guests import SoughtGuest
from providers.addresses import Range
from providers.errors import Conflict, GroupNotFound, InvalidValue
from providers.guests import NIC, GuestReport, GuestState, Outcome, WantedAddress
from providers.model import DHCPHost, Options, Subnet, Use
from tests.providers.desk import CALLER, Desk, description, mac
from tests.providers.guest_site import CLUSTER, Site, report

IP, OTHER = "10.0.1.5", "10.0.1.6"


@pytest.fixture
def site(desk: Desk, subnet: Subnet) -> Site:
    """Nodes that report to the desk."""
    return Site(desk)


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/24 of the group Lab."""
    return desk.add("10.0.1.0/24")


class TestWhatAReportMayHaveInIt:
    """What cannot be kept is refused, and nothing is changed."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": ""}, {"name": "a/b"}, {"name": ".."}, {"name": "x" * 256}, {"name": "web "}, {"name": "we\nb"},
            {"cluster": ""}, {"cluster": "a/b"}, {"node": ""}, {"node": "a;b"}, {"hostname": "a\x00b"},
            {"emulator": "x" * 256}, {"note": "x" * 1001}, {"nics": (NIC("zz:zz"),)}, {"nics": (NIC(None, "a\nb"),)},
            {"nics": (NIC(None),) * 65}, {"addresses": (WantedAddress(IPAddress(IP), "a\nb"),)},
            {"addresses": tuple(WantedAddress(IPAddress(IP) + n) for n in range(257))},
            {"addresses": (WantedAddress(IPAddress(f"::ffff:{IP}")),)},
            {"addresses": (WantedAddress(IPAddress(IP)), WantedAddress(IPAddress(f"::ffff:{IP}")))},
        ],
        ids=lambda wrong: f"{next(iter(wrong))}: {str(wrong)[:30]!r}",
    )  # fmt: skip
    def test_is_bounded(self, site: Site, wrong: dict):
        told = replace(report(site.clock, "a", "web", [OTHER]), **wrong)
        before = site.desk.actions()
        with pytest.raises(InvalidValue):
            site.book.report_guest(told, CALLER)
        assert (site.guests(), site.reserved(), site.desk.actions()) == ({}, {}, before)

    def test_macs_have_one_spelling(self, site: Site):
        told = replace(report(site.clock, "a", "web", [IP]), nics=(NIC("2:8:20:1:A:FF"),))
        site.book.report_guest(told, CALLER)
        assert site.book.guest(CLUSTER, "web").nics == (NIC("02:08:20:01:0a:ff"),)

    def test_an_address_named_twice_is_one(self, site: Site):
        site.create("a", "web", IP, IP)
        assert site.guests()["web"][2] == [IP]

    def test_an_unknown_group_is_told(self, site: Site):
        with pytest.raises(GroupNotFound):
            site.book.report_guest(replace(report(site.clock, "a", "web", [IP]), group="Nowhere"), CALLER)

    def test_a_node_whose_clock_is_ahead_does_not_shut_out_the_others(self, site: Site):
        site.start("a", "web", IP, late=-600)
        site.clock.pass_(minutes=1)
        assert site.start("b", "web", IP).accepted

    def test_a_start_of_the_same_moment_counts(self, site: Site):
        site.start("a", "web", IP)
        assert site.start("b", "web", IP).accepted
        assert site.guests()["web"][0] == "b"

    def test_the_card_of_an_address_is_the_named_one(self, site: Site, subnet: Subnet):
        told = replace(
            report(site.clock, "a", "web", None, macs=[1, 2]),
            addresses=(WantedAddress(IPAddress(IP), "nic1"), WantedAddress(IPAddress(OTHER), "nic0")),
        )
        site.book.report_guest(told, CALLER)
        assert [host.mac for host in site.book.hosts(subnet)] == [mac(2), mac(1)]

    def test_what_is_not_said_stays(self, site: Site):
        site.create("a", "web", IP, macs=[1], hostname="web.example.com")
        site.book.report_guest(GuestReport(CLUSTER, "web", "a", site.clock()), CALLER)
        there = site.book.guest(CLUSTER, "web")
        assert (there.hostname, there.emulator, there.state, there.nics) == (
            "web.example.com", "bhyve", GuestState.CREATED, (NIC(mac(1), "nic0"),),
        )  # fmt: skip


class TestTheReservation:
    """What is written at the address of a guest."""

    def test_says_who_and_where(self, site: Site):
        site.create("a", "web", IP, macs=[1], hostname="web.example.com")
        there = site.desk.at(site.book.subnets()[0], IP)
        assert there is not None
        assert (there.name, there.mac, there.description, there.note) == ("web.example.com", mac(1), "bhyve", "a")

    def test_follows_the_guest(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP, macs=[1])
        site.start("b", "web", IP, macs=[2], hostname="www", emulator="jail")
        there = site.desk.at(subnet, IP)
        assert there is not None
        assert (there.name, there.mac, there.description, there.note) == ("www", mac(2), "jail", "b")

    def test_keeps_what_a_person_wrote(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP)
        site.book.amend(subnet, IPAddress(IP), CALLER, note="ask Anna")
        site.start("b", "web", IP)
        there = site.desk.at(subnet, IP)
        assert there is not None
        assert there.note == "ask Anna"

    def test_keeps_what_was_said_before_the_guest_joined(self, site: Site, subnet: Subnet):
        said = {"name": "db.example.com", "mac": mac(1), "note": "ask Anna"}
        site.book.reserve(subnet, IPAddress(IP), Use.MANUAL, CALLER, **said)
        site.create("a", "web", IP, macs=[1])
        site.start("b", "web", IP, macs=[1], hostname="www")
        there = site.desk.at(subnet, IP)
        assert there is not None
        assert (there.name, there.description, there.note) == ("db.example.com", "bhyve", "ask Anna")
        site.destroy("b", "web")
        left = site.desk.at(subnet, IP)
        assert left is not None
        assert (left.name, left.note, set(left.uses)) == ("db.example.com", "ask Anna", {Use.MANUAL})

    def test_has_the_note_of_the_report(self, site: Site, subnet: Subnet):
        site.book.report_guest(replace(report(site.clock, "a", "web", [IP]), note="customer 7"), CALLER)
        there = site.desk.at(subnet, IP)
        assert there is not None
        assert there.note == "customer 7"

    def test_lets_the_address_rest_for_its_mac(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP, macs=[1])
        site.destroy("a", "web")
        assert site.desk.ask(subnet, 2, span=f"{IP}-{OTHER}") == OTHER
        assert site.desk.ask(subnet, 1) == IP


class TestTheDHCPHost:
    """Its name is unique and plain, and it is the guest's own or nobody's."""

    def test_has_a_plain_name(self, site: Site, subnet: Subnet):
        site.create("a", "my web_1", IP, macs=[1], hostname="wéb.example.com")
        (host,) = site.book.hosts(subnet)
        assert (host.name, host.hostname) == ("my-web-1", "w-b.example.com")

    def test_has_a_name_of_its_own(self, site: Site, subnet: Subnet):
        site.desk.serve(subnet, "10.0.1.9", 9, name="web")
        site.create("a", "web", IP, macs=[1])
        site.put("a", "web", [OTHER], macs=[2], cluster="west")
        assert sorted(host.name for host in site.book.hosts(subnet)) == ["web", "web-000001", "web-000002"]

    def test_is_the_same_after_a_report_of_the_same(self, site: Site, subnet: Subnet):
        site.desk.serve(subnet, "10.0.1.9", 9, name="web")
        for _ in range(3):
            site.create("a", "web", IP, macs=[1])
        assert site.served()[IP] == "web-000001"

    def test_is_not_made_where_dhcp_is_not_served(self, site: Site):
        site.desk.add("10.0.2.0/24", dhcp=False)
        site.create("a", "web", "10.0.2.5", macs=[1])
        assert site.served() == {}

    def test_of_foreman_in_its_place_stays(self, site: Site, subnet: Subnet):
        """Foreman deletes it and makes its own with the same MAC: from then on it is Foreman's."""
        site.create("a", "web", IP, macs=[1])
        site.desk.release(subnet, IP, use=Use.DHCP)
        host = DHCPHost(mac(1), "web.example.com", "web", filename="pxelinux.0")
        site.book.reserve(subnet, IPAddress(IP), Use.DHCP, CALLER, host=host)
        site.start("b", "web", IP, macs=[1], hostname="other")
        assert site.served() == {IP: "web.example.com"}
        site.destroy("b", "web")
        assert site.reserved() == {IP: "dhcp"}

    def test_comes_back_when_somebody_deleted_it(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP, macs=[1])
        site.desk.release(subnet, IP, use=Use.DHCP)
        assert site.served() == {}
        site.create("a", "web", IP, macs=[1])
        assert site.served() == {IP: "web"}

    def test_equal_macs_are_told_once(self, site: Site):
        site.create("a", "web", IP, macs=[1])
        for _ in range(3):
            site.create("b", "twin", OTHER, macs=[1])
        (told,) = site.told("guest.equal_mac")
        assert (told["guest"], told["mac"], told["other"], told["other_address"]) == ("twin", mac(1), "web", IP)


class TestWhatHappensAroundAGuest:
    """Operators release its address, add and remove subnets."""

    def test_a_released_address_is_not_reserved_but_known(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP, macs=[1])
        site.desk.release(subnet, IP)
        (had,) = site.book.guest(CLUSTER, "web").addresses
        assert (str(had.address), had.subnet) == (IP, None)

    def test_it_is_reserved_again_by_the_next_report(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP, macs=[1])
        site.desk.release(subnet, IP)
        site.create("a", "web", IP, macs=[1])
        assert site.reserved() == {IP: "dhcp guest"}

    def test_somebody_else_may_have_it_meanwhile(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP)
        site.desk.release(subnet, IP)
        site.create("b", "db", IP)
        with pytest.raises(Conflict, match="guest db"):
            site.create("a", "web", IP)

    def test_a_subnet_inside_takes_its_address_along(self, site: Site):
        site.create("a", "web", IP, macs=[1])
        site.desk.add("10.0.1.0/28")
        (had,) = site.book.guest(CLUSTER, "web").addresses
        assert str(had.subnet) == "10.0.1.0/28"
        site.destroy("a", "web")
        assert site.reserved() == {}

    def test_a_subnet_that_is_removed_by_force(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP, macs=[1])
        site.book.remove_subnet(subnet, CALLER, force=True)
        assert site.book.guest(CLUSTER, "web").addresses[0].subnet is None
        assert site.destroy("a", "web").accepted

    def test_a_subnet_that_comes_later_reserves_at_the_next_report(self, site: Site):
        site.create("a", "web", "10.9.9.5", macs=[1])
        site.desk.add("10.9.9.0/24")
        assert site.reserved() == {}
        site.create("a", "web", "10.9.9.5", macs=[1])
        assert site.reserved() == {"10.9.9.5": "dhcp guest"}

    def test_an_address_stays_in_its_group(self, site: Site):
        office = site.desk.add("10.0.1.0/24", group="Office")
        site.book.report_guest(replace(report(site.clock, "a", "web", [IP]), group="office"), CALLER)
        site.create("a", "web", IP)
        assert site.book.guest(CLUSTER, "web").addresses[0].subnet == office
        assert site.create("b", "db", IP).accepted
        assert len(list(site.book.reservations())) == 2

    def test_a_suggestion_avoids_it(self, site: Site, subnet: Subnet):
        site.create("a", "web", "10.0.1.1")
        assert site.desk.ask(subnet, 9) == "10.0.1.2"

    def test_foreman_is_told_that_it_exists(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP, macs=[1])
        assert site.desk.exists(subnet, IP)
        with pytest.raises(Conflict):
            site.desk.serve(subnet, IP, 7)

    def test_the_gateway_may_not_become_one_of_them(self, site: Site, subnet: Subnet):
        site.create("a", "web", IP)
        spec = replace(description("10.0.1.0/24"), options=Options(gateway=IPAddress(IP)))
        with pytest.raises(Conflict):
            site.book.change_subnet(subnet, spec, CALLER)


class TestLists:
    """By everything that is known of a guest, a page at a time."""

    @pytest.fixture
    def full(self, site: Site) -> Site:
        """Five guests."""
        site.start("a", "web1", "10.0.1.11", macs=[1], hostname="Shop.example.com")
        site.create("a", "web2", "10.0.1.12", macs=[2], emulator="jail")
        site.start("b", "db1", "10.0.1.13", "192.0.2.13", macs=[3])
        site.create("b", "db2")
        site.put("c", "web1", ["10.0.1.14"], cluster="west")
        return site

    @pytest.mark.parametrize(
        ("sought", "names"),
        [
            ({}, ["db1", "db2", "web1", "web2", "web1"]),
            ({"cluster": "east"}, ["db1", "db2", "web1", "web2"]),
            ({"cluster": "west"}, ["web1"]),
            ({"node": "b"}, ["db1", "db2"]),
            ({"state": GuestState.RUNNING}, ["db1", "web1"]),
            ({"emulator": "jail"}, ["web2"]),
            ({"text": "shop"}, ["web1"]),
            ({"text": "EB"}, ["web1", "web2", "web1"]),
            ({"text": "%"}, []),
            ({"address": IPAddress("192.0.2.13")}, ["db1"]),
            ({"address": IPAddress("10.0.1.99")}, []),
            ({"mac": mac(2)}, ["web2"]),
            ({"node": "a", "state": GuestState.RUNNING}, ["web1"]),
        ],
        ids=str,
    )
    def test_are_narrowed(self, full: Site, sought: dict, names: list[str]):
        assert [each.name for each in full.book.guests(**sought)] == names

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
    def test_come_in_pages(self, full: Site, limit: int):
        seen, after = [], None
        while page := full.book.guests(after=after, limit=limit):
            assert len(page) <= limit
            seen += page
            after = (page[-1].cluster, page[-1].name)
        assert seen == full.book.guests()

    @pytest.mark.parametrize("looked_at", [1, 2, 3, 100])
    @pytest.mark.parametrize("limit", [1, 2, 9])
    @pytest.mark.parametrize(
        "sought", [{"text": "web1"}, {"state": GuestState.RUNNING}, {"emulator": "jail", "cluster": "east"}], ids=str
    )
    def test_a_page_looks_at_a_bounded_number_and_the_next_one_goes_on(
        self, full: Site, sought: dict, limit: int, looked_at: int, monkeypatch
    ):
        everything = full.book.guests(**sought)
        monkeypatch.setattr(guests, "_LOOKED_AT", looked_at)
        found, after = full.book.search_guests(SoughtGuest(**sought), limit=limit)
        while after is not None:
            part, after = full.book.search_guests(SoughtGuest(**sought), after=after, limit=limit)
            found += part

        assert found == everything != []
        assert full.book.guests(**sought) == everything

    def test_a_text_that_nobody_has_ends_the_page_early(self, full: Site, monkeypatch):
        monkeypatch.setattr(guests, "_LOOKED_AT", 2)
        assert full.book.search_guests(SoughtGuest(text="nobody")) == ([], ("east", "db2"))
        assert full.book.search_guests(SoughtGuest(text="nobody"), after=("east", "web2")) == ([], None)

    def test_what_an_index_finds_is_found_at_once(self, full: Site, monkeypatch):
        monkeypatch.setattr(guests, "_LOOKED_AT", 1)
        found, after = full.book.search_guests(SoughtGuest(node="a", text="web2"))
        assert ([each.name for each in found], after) == (["web2"], None)

    def test_have_what_the_single_guest_has(self, full: Site):
        full.claim("a", "web1")
        for each in full.book.guests():
            assert full.book.guest(each.cluster, each.name) == each


class TestBatches:
    """Each report of a list is decided on its own."""

    def test_one_conflict_does_not_hold_up_the_others(self, site: Site):
        site.create("b", "db", IP)
        wanted = {"one": ["10.0.1.11"], "two": [IP], "three": ["10.0.1.1", "10.0.1.0"], "four": ["10.0.1.14"]}
        told = [report(site.clock, "a", name, addresses) for name, addresses in wanted.items()]
        became = site.book.report_guests(CLUSTER, "a", told, CALLER)
        assert [type(each) for each in became] == [Outcome, Conflict, InvalidValue, Outcome]
        assert set(site.guests()) == {"db", "one", "four"}
        assert set(site.reserved()) == {IP, "10.0.1.11", "10.0.1.14"}

    def test_an_unknown_group_does_not_either(self, site: Site):
        told = [replace(report(site.clock, "a", "one", [IP]), group="Nowhere"), report(site.clock, "a", "two", [OTHER])]
        became = site.book.report_guests(CLUSTER, "a", told, CALLER)
        assert [type(each) for each in became] == [GroupNotFound, Outcome]

    @pytest.mark.parametrize("other", [{"node": "b"}, {"cluster": "west"}])
    def test_one_of_another_node_refuses_all(self, site: Site, other: dict):
        told = [report(site.clock, "a", "one", [IP]), replace(report(site.clock, "a", "two", [OTHER]), **other)]
        with pytest.raises(InvalidValue, match="two"):
            site.book.report_guests(CLUSTER, "a", told, CALLER)
        assert site.guests() == {}

    def test_nothing_is_nothing(self, site: Site):
        assert site.book.report_guests(CLUSTER, "a", [], CALLER) == []


def test_what_became_of_a_name_is_forgotten_in_the_end(site: Site):
    site.create("a", "web", IP)
    site.destroy("a", "web")
    site.clock.pass_(days=31)
    site.create("a", "db", IP)
    site.destroy("a", "db")
    long_ago = site.clock() - timedelta(days=31, minutes=1)
    assert site.book.report_guest(replace(report(site.clock, "a", "web", []), at=long_ago), CALLER).accepted


def test_the_pool_does_not_bind_guests(site: Site):
    """Whoever names an address gets it (rule 7)."""
    spec = replace(description("10.0.5.0/24"), pool=Range.parse("10.0.5.100-10.0.5.120"))
    subnet = site.book.add_subnet(spec, CALLER)
    site.create("a", "web", "10.0.5.7")
    assert site.desk.uses(subnet, "10.0.5.7") == {Use.GUEST}
    assert subnet.network == IPNetwork("10.0.5.0/24")
