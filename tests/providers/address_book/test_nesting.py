"""Rule 9, subnets inside subnets: the most specific one wins, and a parent never allocates inside its children."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.errors import Exhausted, InvalidValue, SubnetNotFound
from providers.model import Use
from tests.providers.desk import CALLER, Desk, mac


def test_rule_9_an_address_belongs_to_the_most_specific_subnet(desk: Desk):
    for cidr in ("10.0.0.0/8", "10.0.1.0/24", "10.0.1.64/26"):
        desk.add(cidr)
    found = [str(desk.address_book.subnet_of(IPAddress(a))) for a in ("10.0.1.65", "10.0.1.1", "10.9.9.9")]
    assert found == ["10.0.1.64/26", "10.0.1.0/24", "10.0.0.0/8"]


def test_an_address_outside_every_subnet_is_named(desk: Desk):
    desk.add("10.0.1.0/24")
    for address in ("10.0.2.1", "2001:db8::1"):
        with pytest.raises(SubnetNotFound, match=f"{address} is in no subnet"):
            desk.address_book.subnet_of(IPAddress(address))


def test_rule_9_dhcp_finds_the_most_specific_subnet_that_it_serves(desk: Desk):
    outer = desk.add("10.0.0.0/8")
    middle = desk.add("10.0.1.0/24")
    desk.add("10.0.1.64/26", dhcp=False)
    assert desk.address_book.dhcp_subnet(IPAddress("10.0.1.65")) == middle
    assert desk.address_book.dhcp_subnet(IPAddress("10.9.9.9")) == outer


def test_rule_9_dhcp_does_not_find_what_it_does_not_serve(desk: Desk):
    desk.add("10.0.1.0/24", dhcp=False)
    with pytest.raises(SubnetNotFound, match=r"10\.0\.1\.1"):
        desk.address_book.dhcp_subnet(IPAddress("10.0.1.1"))


@pytest.mark.parametrize("parent_first", [True, False])
def test_rule_9_a_parent_never_allocates_inside_its_children(desk: Desk, parent_first: bool):
    cidrs = ["10.0.1.0/28", "10.0.1.4/30"]
    made = {cidr: desk.add(cidr) for cidr in (cidrs if parent_first else reversed(cidrs))}
    told = [desk.ask(made["10.0.1.0/28"]) for _ in range(10)]
    assert not {f"10.0.1.{last}" for last in (4, 5, 6, 7)} & set(told)
    with pytest.raises(Exhausted):
        desk.ask(made["10.0.1.0/28"])
    assert [desk.ask(made["10.0.1.4/30"]) for _ in range(2)] == ["10.0.1.5", "10.0.1.6"]


def test_rule_9_a_parent_may_be_full_of_children(desk: Desk):
    parent = desk.add("10.0.1.0/29")
    desk.add("10.0.1.0/30")
    desk.add("10.0.1.4/30")
    with pytest.raises(Exhausted):
        desk.ask(parent, 1)


def test_a_parents_range_inside_a_child_gives_nothing(desk: Desk):
    parent = desk.add("10.0.1.0/28")
    desk.add("10.0.1.8/29")
    with pytest.raises(Exhausted):
        desk.ask(parent, 1, span="10.0.1.9-10.0.1.12")


def test_rule_9_what_is_reserved_through_the_parent_belongs_to_the_child(desk: Desk):
    parent, child = desk.add("10.0.1.0/28"), desk.add("10.0.1.8/29")
    made = desk.serve(parent, "10.0.1.10", 1)
    assert made.subnet == child
    assert desk.uses(child, "10.0.1.10") == desk.uses(parent, "10.0.1.10") == {Use.DHCP}
    assert desk.address_book.host_of(parent, mac(1)) == desk.address_book.host_of(child, mac(1)) != None  # noqa: E711
    assert [each.mac for each in desk.address_book.hosts(parent)] == [mac(1)]


@pytest.mark.parametrize("address", ["10.0.1.8", "10.0.1.15"])
def test_rule_9_the_childs_network_and_broadcast_address_are_refused_through_the_parent(desk: Desk, address: str):
    parent = desk.add("10.0.1.0/27")
    desk.add("10.0.1.8/29")
    with pytest.raises(InvalidValue, match=r"10\.0\.1\.8/29"):
        desk.take(parent, address)
    assert desk.exists(parent, address)


def test_rule_9_what_is_released_through_the_parent_goes_from_the_child(desk: Desk):
    parent, child = desk.add("10.0.1.0/28"), desk.add("10.0.1.8/29")
    desk.serve(child, "10.0.1.10", 1)
    desk.take(child, "10.0.1.11")
    assert len(desk.release(parent, number=1, use=Use.DHCP)) == 1
    assert len(desk.release(parent, "10.0.1.11", use=Use.IPAM)) == 1
    assert list(desk.address_book.reservations(child)) == []


def test_the_reservations_of_a_parent_include_those_of_its_children(desk: Desk):
    parent, child = desk.add("10.0.1.0/28"), desk.add("10.0.1.8/29")
    desk.take(parent, "10.0.1.2")
    desk.take(child, "10.0.1.10")
    assert {str(each.address) for each in desk.address_book.reservations(parent)} == {"10.0.1.2", "10.0.1.10"}
    assert {str(each.address) for each in desk.address_book.reservations(child)} == {"10.0.1.10"}


def test_rule_9_a_new_child_takes_over_what_is_in_its_range(desk: Desk):
    parent = desk.add("10.0.1.0/28")
    desk.serve(parent, "10.0.1.9", 1)
    desk.take(parent, "10.0.1.2")
    held = desk.ask(parent, 2, span="10.0.1.10-10.0.1.14")
    desk.take(parent, "10.0.1.11")
    desk.release(parent, "10.0.1.11")
    child = desk.add("10.0.1.8/29")
    assert [str(each.address) for each in desk.address_book.reservations(child)] == ["10.0.1.9"]
    assert desk.address_book.host_of(child, mac(1)).address == IPAddress("10.0.1.9")
    assert list(desk.held(child)) == [held]
    assert desk.ask(child, 2) == held
    assert desk.ask(child, 3) == "10.0.1.12"


def test_rule_9_a_new_child_between_two_takes_nothing_of_the_innermost(desk: Desk):
    desk.add("10.0.1.0/24")
    inner = desk.add("10.0.1.8/29")
    desk.take(inner, "10.0.1.9")
    middle = desk.add("10.0.1.0/27")
    assert desk.at(middle, "10.0.1.9").subnet == inner
    assert desk.ask(middle, 1) == "10.0.1.1"


def test_rule_9_a_removed_child_gives_its_range_back_to_the_parent(desk: Desk):
    parent, child = desk.add("10.0.1.0/29"), desk.add("10.0.1.4/30")
    desk.address_book.remove_subnet(child, CALLER)
    assert [desk.ask(parent) for _ in range(6)] == [f"10.0.1.{last}" for last in range(1, 7)]


def test_rule_9_a_removed_middle_gives_its_range_back_but_not_its_children(desk: Desk):
    outer, middle, inner = desk.add("10.0.1.0/28"), desk.add("10.0.1.0/29"), desk.add("10.0.1.4/30")
    desk.take(inner, "10.0.1.5")
    desk.address_book.remove_subnet(middle, CALLER)
    told = {desk.ask(outer) for _ in range(10)}
    assert told == {f"10.0.1.{last}" for last in (1, 2, 3, *range(8, 15))}
    assert desk.uses(outer, "10.0.1.5") == {Use.IPAM}


def test_rule_10_force_on_a_parent_leaves_its_children_alone(desk: Desk):
    parent, child = desk.add("10.0.1.0/28"), desk.add("10.0.1.8/29")
    desk.take(child, "10.0.1.9")
    desk.take(parent, "10.0.1.2")
    desk.address_book.remove_subnet(parent, CALLER, force=True)
    assert desk.uses(child, "10.0.1.9") == {Use.IPAM}


def test_rule_10_what_the_children_have_does_not_keep_a_parent(desk: Desk):
    parent, child = desk.add("10.0.1.0/28"), desk.add("10.0.1.8/29")
    desk.take(child, "10.0.1.9")
    desk.address_book.remove_subnet(parent, CALLER)
    assert desk.address_book.subnets() == [child]


def test_rule_9_children_of_another_group_do_not_count(desk: Desk):
    parent = desk.add("10.0.1.0/29", group="Lab")
    desk.add("10.0.1.0/30", group="Office")
    assert [desk.ask(parent) for _ in range(6)] == [f"10.0.1.{last}" for last in range(1, 7)]


def test_the_network_of_a_child_keeps_a_reservation_that_was_there_first(desk: Desk):
    parent = desk.add("10.0.1.0/28")
    desk.take(parent, "10.0.1.8")
    child = desk.add("10.0.1.8/29")
    assert desk.uses(child, "10.0.1.8") == {Use.IPAM}
    desk.release(child, "10.0.1.8")
    assert "10.0.1.8" not in [desk.ask(child) for _ in range(6)]


def test_a_hold_on_the_network_address_of_a_new_child_is_not_told_again(desk: Desk):
    parent = desk.add("10.0.1.0/28")
    assert desk.ask(parent, 1, span="10.0.1.8-10.0.1.8") == "10.0.1.8"
    child = desk.add("10.0.1.8/29")
    assert desk.ask(child, 1) == "10.0.1.9"


def test_rule_9_nesting_in_ipv6(desk: Desk):
    parent, child = desk.add("2001:db8::/48"), desk.add("2001:db8::/64")
    assert desk.ask(parent, 1) == "2001:db8:0:1::"
    assert desk.ask(child, 1) == "2001:db8::1"
    assert desk.take(parent, "2001:db8::5").subnet == child


def test_a_release_by_mac_ends_the_host_of_that_subnet_alone(desk: Desk):
    outer, inner = desk.add("10.3.0.0/16"), desk.add("10.3.7.0/24")
    desk.serve(outer, "10.3.1.1", 1)
    desk.serve(inner, "10.3.7.7", 1)
    desk.address_book.release(outer, CALLER, mac=mac(1), use=Use.DHCP)
    assert desk.at(outer, "10.3.1.1") is None
    assert desk.uses(inner, "10.3.7.7") == {Use.DHCP}


def test_a_release_by_mac_finds_what_was_reserved_through_the_outer_subnet(desk: Desk):
    outer, inner = desk.add("10.3.0.0/16"), desk.add("10.3.7.0/24")
    desk.serve(outer, "10.3.7.7", 1)
    desk.address_book.release(outer, CALLER, mac=mac(1), use=Use.DHCP)
    assert desk.at(inner, "10.3.7.7") is None
