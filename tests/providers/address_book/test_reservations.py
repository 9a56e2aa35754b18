"""Rules 5 and 6, taking an address: who is there first, what is written, what travels along."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from netaddr import IPAddress

from providers.errors import Conflict, InvalidValue, SubnetNotFound
from providers.ipam.contract import our_record
from providers.model import DHCPHost, Use
from tests.providers.desk import CALLER, Desk, host, mac
from tests.providers.soundness import dump


def test_a_dhcp_reservation_keeps_its_host(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    wanted = DHCPHost(mac(1), "web1", "web1.example.com", "pxelinux.0", "10.0.1.9", {"root_path": "/srv", "mtu": 9000})
    made = desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.DHCP, CALLER, host=wanted)
    kept = replace(wanted, address=IPAddress("10.0.1.3"))
    assert made.hosts == (kept,)
    assert desk.address_book.host_of(subnet, mac(1)) == kept
    assert desk.address_book.hosts_at(subnet, IPAddress("10.0.1.3")) == [kept]
    assert list(desk.address_book.hosts(subnet)) == [kept]


def test_a_dhcp_reservation_is_named_after_its_host(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    made = desk.serve(subnet, "10.0.1.3", 1)
    assert (made.name, made.mac, dict(made.uses)) == ("host1.example.com", mac(1), {Use.DHCP: desk.clock()})
    assert made.created_at == made.changed_at == desk.clock()


def test_a_reservation_is_what_a_look_up_finds(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    made = desk.serve(subnet, "10.0.1.3", 1)
    assert desk.at(subnet, "10.0.1.3") == made
    assert list(desk.address_book.reservations(subnet)) == [made]
    assert list(desk.address_book.reservations()) == [made]


def test_an_address_that_nobody_has_is_not_found(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert desk.at(subnet, "10.0.1.3") is None
    assert desk.address_book.hosts_at(subnet, IPAddress("10.0.1.3")) == []
    assert desk.address_book.host_of(subnet, mac(1)) is None


def test_a_manual_reservation_keeps_name_mac_and_note(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    made = desk.address_book.reserve(
        subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, name="printer", mac=mac(1), note="2nd floor"
    )
    assert (made.name, made.mac, made.note, set(made.uses)) == ("printer", mac(1), "2nd floor", {Use.MANUAL})


def test_a_manual_reservation_with_a_host_has_both_uses(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    made = desk.address_book.reserve(
        subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, name="printer", mac=mac(1), host=host(1)
    )
    assert set(made.uses) == {Use.DHCP, Use.MANUAL}


def test_an_ipam_reservation_of_a_held_address_knows_the_mac_that_asked(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    made = desk.take(subnet, desk.ask(subnet, 7))
    assert made.mac == mac(7)


def test_a_dhcp_reservation_needs_a_host(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    with pytest.raises(InvalidValue, match="needs a MAC and a name"):
        desk.take(subnet, "10.0.1.3", Use.DHCP)


def test_an_address_outside_the_subnet_is_refused(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    with pytest.raises(InvalidValue, match=r"10\.0\.2\.3 is not in 10\.0\.1\.0/29"):
        desk.take(subnet, "10.0.2.3")


def test_an_address_of_the_other_family_is_refused(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    with pytest.raises(InvalidValue, match="is not in"):
        desk.take(subnet, "2001:db8::1")


def test_a_subnet_that_was_removed_meanwhile_is_named(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.address_book.remove_subnet(subnet, CALLER)
    with pytest.raises(SubnetNotFound):
        desk.take(subnet, "10.0.1.3")


def test_an_exact_duplicate_of_a_host_is_what_is_there(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    first = desk.serve(subnet, "10.0.1.3", 1)
    desk.clock.pass_(minutes=5)
    before = dump(desk.book)
    assert desk.serve(subnet, "10.0.1.3", 1) == first
    assert dump(desk.book) == before


def test_the_same_mac_with_other_values_is_a_conflict(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    with pytest.raises(Conflict, match=rf"10\.0\.1\.3.*other values.*host1 \({mac(1)}\)"):
        desk.serve(subnet, "10.0.1.3", 1, name="renamed")


def test_another_mac_is_a_conflict_that_names_who_has_it(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    with pytest.raises(Conflict, match=rf"Record 10\.0\.1\.0/10\.0\.1\.3 already exists: host1 \({mac(1)}\)"):
        desk.serve(subnet, "10.0.1.3", 2)


def test_rule_6_a_mac_has_one_host_in_a_subnet(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    with pytest.raises(Conflict, match=rf"MAC {mac(1)} has 10\.0\.1\.3 in 10\.0\.1\.0/29 already, as host1"):
        desk.serve(subnet, "10.0.1.4", 1, name="other")


def test_a_mac_may_have_a_host_in_each_subnet(desk: Desk):
    one, two = desk.add("10.0.1.0/29"), desk.add("10.0.2.0/29")
    desk.serve(one, "10.0.1.3", 1)
    desk.serve(two, "10.0.2.3", 1)
    assert [str(each.address) for each in desk.address_book.reservations()] == ["10.0.1.3", "10.0.2.3"]


def test_rule_6_a_name_belongs_to_one_mac_of_a_subnet(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1, name="web")
    with pytest.raises(Conflict, match=rf"The name web has 10\.0\.1\.3 in 10\.0\.1\.0/29 already, with MAC {mac(1)}"):
        desk.serve(subnet, "10.0.1.4", 2, name="web")


@pytest.mark.parametrize("how", ["conflict", "invalid"])
def test_a_refused_reservation_changes_nothing(desk: Desk, how: str):
    subnet = desk.add("10.0.1.0/29", gateway="10.0.1.6")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.ask(subnet, 2)
    before = dump(desk.book)
    with pytest.raises((Conflict, InvalidValue)):
        desk.serve(subnet, "10.0.1.3" if how == "conflict" else "10.0.1.6", 2)
    assert dump(desk.book) == before


def test_rule_5_ipam_joins_what_dhcp_has(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.clock.pass_(minutes=60)
    joined = desk.take(subnet, "10.0.1.3")
    assert set(joined.uses) == {Use.DHCP, Use.IPAM}
    assert joined.uses[Use.IPAM] - joined.uses[Use.DHCP] == timedelta(minutes=60)
    assert (joined.name, joined.mac) == ("host1.example.com", mac(1))


def test_rule_5_ipam_does_not_join_a_dhcp_use_that_stood_alone_for_too_long(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.clock.pass_(minutes=60, seconds=1)
    with pytest.raises(Conflict, match=rf"10\.0\.1\.3 in 10\.0\.1\.0/29 is taken \(dhcp\) by host1.*{mac(1)}"):
        desk.take(subnet, "10.0.1.3")


def test_rule_5_a_dhcp_use_stands_alone_only_since_the_ipam_use_went(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.take(subnet, "10.0.1.3")
    desk.clock.pass_(minutes=90)
    desk.release(subnet, "10.0.1.3", use=Use.IPAM)
    assert not desk.exists(subnet, "10.0.1.3")
    assert set(desk.take(subnet, "10.0.1.3").uses) == {Use.DHCP, Use.IPAM}


def test_rule_5_dhcp_joins_what_ipam_has_whenever(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3")
    desk.clock.pass_(days=30)
    joined = desk.serve(subnet, "10.0.1.3", 1)
    assert set(joined.uses) == {Use.DHCP, Use.IPAM}
    assert (joined.name, joined.mac) == ("host1.example.com", mac(1))


def test_rule_5_dhcp_does_not_join_a_second_host_of_another_mac(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3")
    desk.serve(subnet, "10.0.1.3", 1)
    with pytest.raises(Conflict):
        desk.serve(subnet, "10.0.1.3", 2)


@pytest.mark.parametrize("joined", [False, True])
def test_rule_5_ipam_conflicts_with_ipam(desk: Desk, joined: bool):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3")
    if joined:
        desk.serve(subnet, "10.0.1.3", 1)
    with pytest.raises(Conflict, match="is taken"):
        desk.take(subnet, "10.0.1.3")


@pytest.mark.parametrize("use", [Use.GUEST, Use.MANUAL, Use.UPSTREAM])
def test_rule_5_dhcp_conflicts_with_other_uses_of_another_mac(desk: Desk, use: Use):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3", use, number=1, name="printer")
    with pytest.raises(Conflict, match=rf"10\.0\.1\.3 in 10\.0\.1\.0/29 is taken \({use}\) by printer \({mac(1)}\)"):
        desk.serve(subnet, "10.0.1.3", 2)


@pytest.mark.parametrize("use", [Use.GUEST, Use.MANUAL, Use.UPSTREAM])
def test_rule_5_dhcp_conflicts_with_other_uses_of_nobody_known(desk: Desk, use: Use):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3", use)
    with pytest.raises(Conflict):
        desk.serve(subnet, "10.0.1.3", 2)


@pytest.mark.parametrize("use", [Use.GUEST, Use.MANUAL, Use.UPSTREAM])
def test_rule_5_dhcp_joins_other_uses_of_the_same_mac(desk: Desk, use: Use):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3", use, number=1)
    assert set(desk.serve(subnet, "10.0.1.3", 1).uses) == {use, Use.DHCP}


@pytest.mark.parametrize("use", [Use.GUEST, Use.MANUAL, Use.UPSTREAM])
def test_rule_5_ipam_conflicts_with_other_uses(desk: Desk, use: Use):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3", use, number=1)
    with pytest.raises(Conflict):
        desk.take(subnet, "10.0.1.3", number=1)


@pytest.mark.parametrize("there", list(Use))
def test_rule_5_a_manual_use_conflicts_with_another_mac(desk: Desk, there: Use):
    subnet = desk.add("10.0.1.0/29")
    if there is Use.DHCP:
        desk.serve(subnet, "10.0.1.3", 1)
    else:
        desk.take(subnet, "10.0.1.3", there, number=1)
    with pytest.raises(Conflict):
        desk.take(subnet, "10.0.1.3", Use.MANUAL, number=2)


def test_rule_5_a_manual_use_joins_a_host_of_the_same_mac(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    assert set(desk.take(subnet, "10.0.1.3", Use.MANUAL, number=1).uses) == {Use.DHCP, Use.MANUAL}


def test_rule_5_a_manual_use_with_a_host_joins_that_very_host(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    made = desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, mac=mac(1), host=host(1))
    assert set(made.uses) == {Use.DHCP, Use.MANUAL}


def test_rule_5_a_second_manual_use_is_a_conflict(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3", Use.MANUAL, number=1)
    with pytest.raises(Conflict):
        desk.take(subnet, "10.0.1.3", Use.MANUAL, number=1)


def test_rule_5_holds_do_not_exist(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert not desk.exists(subnet, desk.ask(subnet, 1))


def test_rule_5_free_and_resting_addresses_do_not_exist(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3")
    desk.release(subnet, "10.0.1.3")
    assert not desk.exists(subnet, "10.0.1.3")
    assert not desk.exists(subnet, "10.0.1.4")


def test_rule_5_an_address_with_dhcp_alone_exists_after_an_hour(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.clock.pass_(minutes=60)
    assert not desk.exists(subnet, "10.0.1.3")
    desk.clock.pass_(seconds=1)
    assert desk.exists(subnet, "10.0.1.3")


@pytest.mark.parametrize("use", [Use.IPAM, Use.GUEST, Use.MANUAL, Use.UPSTREAM])
def test_rule_5_addresses_with_any_other_use_exist(desk: Desk, use: Use):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3", use)
    assert desk.exists(subnet, "10.0.1.3")


@pytest.mark.parametrize("address", ["10.0.1.0", "10.0.1.7", "10.0.1.6"])
def test_network_broadcast_and_gateway_exist(desk: Desk, address: str):
    assert desk.exists(desk.add("10.0.1.0/29", gateway="10.0.1.6"), address)


def test_whether_an_address_outside_exists_is_no_question(desk: Desk):
    with pytest.raises(InvalidValue, match=r"10\.0\.9\.1 is not in 10\.0\.1\.0/29"):
        desk.exists(desk.add("10.0.1.0/29"), "10.0.9.1")


def test_exists_and_joining_are_of_one_mind(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    for _ in range(130):
        desk.clock.pass_(seconds=30)
        exists = desk.exists(subnet, "10.0.1.3")
    assert exists
    with pytest.raises(Conflict):
        desk.take(subnet, "10.0.1.3")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are read five at a time."""
    monkeypatch.setattr("providers.book.taken.PAGE", 5)


@pytest.mark.parametrize("many", [0, 1, 4, 5, 6, 10, 23])
@pytest.mark.usefixtures("small_pages")
def test_reservations_are_listed_by_address_over_several_pages(desk: Desk, many: int):
    subnet = desk.add("10.0.1.0/24")
    for last in range(many, 0, -1):
        desk.take(subnet, f"10.0.1.{last}")
        desk.take(subnet, f"10.0.1.{last + 100}", Use.MANUAL)
    listed = [str(each.address) for each in desk.address_book.reservations(subnet)]
    assert listed == [f"10.0.1.{last + more}" for more in (0, 100) for last in range(1, many + 1)]


@pytest.mark.usefixtures("small_pages")
def test_a_page_knows_the_uses_and_hosts_of_each_reservation(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    for number in range(1, 13):
        desk.serve(subnet, f"10.0.1.{number}", number)
        if number % 2:
            desk.take(subnet, f"10.0.1.{number}")
    for number, each in enumerate(desk.address_book.reservations(subnet), 1):
        assert [host.mac for host in each.hosts] == [mac(number)]
        assert set(each.uses) == ({Use.DHCP, Use.IPAM} if number % 2 else {Use.DHCP})


@pytest.mark.usefixtures("small_pages")
def test_hosts_are_listed_by_address_over_several_pages_also_those_of_a_bond(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    everybody = list(range(1, 29))
    for number in everybody:
        desk.serve(subnet, f"10.0.1.{1 + (number - 1) // 7}", number, related=everybody)
    listed = [(each.address, each.mac) for each in desk.address_book.hosts(subnet)]
    assert listed == sorted(listed)
    assert {known for _, known in listed} == {mac(number) for number in everybody}


def test_a_description_is_kept_and_told_to_the_ipam(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    made = desk.address_book.reserve(
        subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, name="web1", description="jail", note="node7"
    )
    assert (made.description, made.note) == ("jail", "node7")
    assert our_record(made).description == "jail"


def test_a_description_that_is_too_long_is_refused(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    with pytest.raises(InvalidValue, match="description"):
        desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, description="d" * 256)
