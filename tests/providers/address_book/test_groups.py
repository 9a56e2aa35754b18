"""Rule 9, groups: names, and networks that several of them have."""

from __future__ import annotations

import logging

import pytest
from netaddr import IPAddress, IPNetwork

from providers.errors import Conflict, GroupNotFound, InvalidValue, SubnetNotFound
from providers.model import Subnet
from tests.providers.desk import CALLER, Desk


def test_groups_are_listed_by_name(desk: Desk):
    for name in ("lab", "Büro", "Attic"):
        desk.address_book.add_group(name, f"about {name}", CALLER)
    assert [(group.name, group.description) for group in desk.address_book.groups()] == [
        ("Attic", "about Attic"),
        ("Büro", "about Büro"),
        ("lab", "about lab"),
    ]


@pytest.mark.parametrize("asked", ["Lab/2 & Büro", "lab/2 & BÜRO"])
def test_rule_9_a_group_is_found_whatever_its_case(desk: Desk, asked: str):
    made = desk.address_book.add_group("Lab/2 & Büro", "", CALLER)
    assert desk.address_book.group(asked) == made


def test_a_number_that_is_no_name_is_an_id(desk: Desk):
    made = desk.address_book.add_group("Lab", "", CALLER)
    assert desk.address_book.group(str(made.id)) == made


def test_a_number_that_is_a_name_is_that_name(desk: Desk):
    lab = desk.address_book.add_group("Lab", "", CALLER)
    numbered = desk.address_book.add_group(str(lab.id), "", CALLER)
    assert desk.address_book.group(str(lab.id)) == numbered


@pytest.mark.parametrize("asked", ["nobody", "99", "²", ""])
def test_an_unknown_group_is_named(desk: Desk, asked: str):
    desk.address_book.add_group("Lab", "", CALLER)
    with pytest.raises(GroupNotFound, match=f"No group {asked}"):
        desk.address_book.group(asked)


def test_a_group_is_made_once(desk: Desk):
    desk.address_book.add_group("Lab", "", CALLER)
    with pytest.raises(Conflict, match="The group LAB exists already"):
        desk.address_book.add_group("LAB", "", CALLER)


@pytest.mark.parametrize("name", ["", " ", " Lab", "Lab ", "a\nb", "nul\0", "x" * 256])
def test_an_unfit_group_name_is_refused(desk: Desk, name: str):
    with pytest.raises(InvalidValue, match="group name"):
        desk.address_book.add_group(name, "", CALLER)
    assert desk.address_book.groups() == []


def test_adding_a_subnet_makes_its_group(desk: Desk):
    assert desk.add("10.0.1.0/29", group="Lab").group == desk.address_book.group("Lab")


def test_adding_a_subnet_uses_the_group_that_is_there(desk: Desk):
    made = desk.address_book.add_group("Lab", "", CALLER)
    assert desk.add("10.0.1.0/29", group="LAB").group == made


def test_a_refused_subnet_leaves_no_group_behind(desk: Desk):
    desk.add("10.0.1.0/29", group="Lab")
    with pytest.raises(Conflict):
        desk.add("10.0.1.0/29", group="New", dhcp=True)
    assert [group.name for group in desk.address_book.groups()] == ["Lab"]


@pytest.fixture
def twins(desk: Desk) -> tuple[Subnet, Subnet]:
    """One network in two groups."""
    return desk.add("10.0.1.0/29", group="Lab"), desk.add("10.0.1.0/29", group="Office")


def test_rule_9_networks_may_overlap_between_groups(desk: Desk, twins: tuple[Subnet, Subnet]):
    lab, office = twins
    assert desk.ask(lab, 1) == desk.ask(office, 1) == "10.0.1.1"
    desk.take(lab, "10.0.1.3")
    assert desk.exists(lab, "10.0.1.3")
    assert not desk.exists(office, "10.0.1.3")


def test_rule_9_without_a_group_the_lowest_id_wins_with_a_warning(
    desk: Desk, twins: tuple[Subnet, Subnet], caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        found = desk.address_book.subnet(IPNetwork("10.0.1.0/29"))
    assert found == twins[0]
    assert "10.0.1.0/29 is in several groups (Lab, Office): taking that of Lab" in caplog.text


def test_rule_9_without_a_group_an_address_is_in_the_lowest_id(
    desk: Desk, twins: tuple[Subnet, Subnet], caplog: pytest.LogCaptureFixture
):
    assert desk.address_book.subnet_of(IPAddress("10.0.1.3")) == twins[0]
    assert "several groups" in caplog.text


def test_rule_9_with_a_group_nothing_is_warned_of(
    desk: Desk, twins: tuple[Subnet, Subnet], caplog: pytest.LogCaptureFixture
):
    assert desk.address_book.subnet(IPNetwork("10.0.1.0/29"), "office") == twins[1]
    assert desk.address_book.subnet_of(IPAddress("10.0.1.3"), "office") == twins[1]
    assert caplog.text == ""


def test_subnets_of_a_group(desk: Desk, twins: tuple[Subnet, Subnet]):
    assert desk.address_book.subnets(group="Lab") == [twins[0]]
    assert desk.address_book.subnets() == list(twins)


def test_what_an_unknown_group_has_is_no_question(desk: Desk):
    desk.add("10.0.1.0/29")
    with pytest.raises(GroupNotFound):
        desk.address_book.subnets(group="nobody")
    with pytest.raises(GroupNotFound):
        desk.address_book.subnet(IPNetwork("10.0.1.0/29"), "nobody")
    with pytest.raises(GroupNotFound):
        desk.address_book.subnet_of(IPAddress("10.0.1.1"), "nobody")


def test_a_subnet_of_another_group_is_not_found(desk: Desk):
    desk.add("10.0.1.0/29", group="Lab")
    desk.address_book.add_group("Office", "", CALLER)
    with pytest.raises(SubnetNotFound, match=r"No subnet 10\.0\.1\.0/29 in group Office"):
        desk.address_book.subnet(IPNetwork("10.0.1.0/29"), "Office")


@pytest.mark.parametrize("rival", ["10.0.1.0/29", "10.0.1.0/24", "10.0.1.4/30"])
def test_rule_9_dhcp_serves_a_network_in_one_group_only(desk: Desk, rival: str):
    first = desk.add("10.0.1.0/29", group="Lab")
    second = desk.add(rival, group="Office")
    assert (first.dhcp, second.dhcp) == (True, False)
    assert desk.address_book.subnets(dhcp=True) == [first]
    assert desk.address_book.subnets(dhcp=False) == [second]


@pytest.mark.parametrize("rival", ["10.0.1.0/29", "10.0.1.0/24", "10.0.1.4/30"])
def test_rule_9_dhcp_refuses_a_network_of_a_second_group(desk: Desk, rival: str):
    desk.add("10.0.1.0/29", group="Lab")
    with pytest.raises(Conflict, match=r"10\.0\.1\.0/29 of group Lab is on /dhcp already: .*--no-dhcp"):
        desk.add(rival, group="Office", dhcp=True)


def test_rule_9_dhcp_serves_what_the_first_group_left_to_it(desk: Desk):
    desk.add("10.0.1.0/29", group="Lab", dhcp=False)
    assert desk.add("10.0.1.0/29", group="Office").dhcp


def test_rule_9_dhcp_is_ipv4(desk: Desk):
    assert not desk.add("2001:db8::/64").dhcp
    with pytest.raises(InvalidValue, match="IPv4 only"):
        desk.add("2001:db8:1::/64", dhcp=True)
