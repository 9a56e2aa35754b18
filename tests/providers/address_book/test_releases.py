"""Rules 5 and 10: giving back, as often as anybody likes."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.model import Use
from tests.providers.desk import Desk, mac
from tests.providers.soundness import dump


def test_rule_5_an_address_is_free_when_its_last_use_is_gone(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.take(subnet, "10.0.1.3")
    desk.release(subnet, "10.0.1.3", use=Use.DHCP)
    assert desk.uses(subnet, "10.0.1.3") == {Use.IPAM}
    desk.release(subnet, "10.0.1.3", use=Use.IPAM)
    assert desk.at(subnet, "10.0.1.3") is None


@pytest.mark.parametrize("use", [Use.IPAM, Use.DHCP])
def test_rule_5_releasing_one_use_leaves_the_other(desk: Desk, use: Use):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.release(subnet, "10.0.1.3", use=use)
    assert desk.uses(subnet, "10.0.1.3") == {Use.IPAM, Use.DHCP} - {use}


def test_a_release_returns_what_was_there(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    made = desk.serve(subnet, "10.0.1.3", 1)
    assert desk.release(subnet, "10.0.1.3", use=Use.DHCP) == [made]


def test_a_mac_is_released_without_its_address(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.4", 2)
    desk.release(subnet, number=1, use=Use.DHCP)
    assert [each.mac for each in desk.address_book.hosts(subnet)] == [mac(2)]


def test_releasing_the_mac_leaves_the_ipam_use(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.release(subnet, number=1, use=Use.DHCP)
    assert desk.uses(subnet, "10.0.1.3") == {Use.IPAM}


def test_an_operator_releases_everything_of_an_address(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3", Use.MANUAL, number=1)
    desk.serve(subnet, "10.0.1.3", 1)
    desk.release(subnet, "10.0.1.3")
    assert desk.at(subnet, "10.0.1.3") is None


@pytest.mark.parametrize("use", [None, Use.IPAM, Use.DHCP])
def test_rule_10_releasing_what_is_not_there_is_no_error(desk: Desk, use: Use | None):
    subnet = desk.add("10.0.1.0/29")
    before = dump(desk.book)
    assert desk.release(subnet, "10.0.1.3", use=use) == []
    assert desk.release(subnet, number=1, use=use) == []
    assert dump(desk.book) == before


def test_rule_10_releasing_twice_is_no_error(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.release(subnet, "10.0.1.3", use=Use.DHCP)
    before = dump(desk.book)
    assert desk.release(subnet, "10.0.1.3", use=Use.DHCP) == []
    assert dump(desk.book) == before


def test_releasing_a_use_that_is_not_there_leaves_the_others(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3", Use.MANUAL)
    assert desk.release(subnet, "10.0.1.3", use=Use.IPAM) == []
    assert desk.release(subnet, "10.0.1.3", use=Use.DHCP) == []
    assert desk.uses(subnet, "10.0.1.3") == {Use.MANUAL}


def test_releasing_an_address_of_another_subnet_releases_nothing(desk: Desk):
    one, two = desk.add("10.0.1.0/29"), desk.add("10.0.2.0/29")
    desk.take(two, "10.0.2.3")
    assert desk.release(one, "10.0.2.3") == []
    assert desk.uses(two, "10.0.2.3") == {Use.IPAM}


def test_releasing_an_address_leaves_the_hold_on_it(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    address = desk.ask(subnet, 1)
    assert desk.release(subnet, address, use=Use.DHCP) == []
    assert list(desk.held()) == [address]


def test_a_renamed_host_is_deleted_and_created_with_its_address(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1, name="old")
    desk.release(subnet, number=1, use=Use.DHCP)
    desk.serve(subnet, "10.0.1.3", 1, name="new")
    assert [each.name for each in desk.address_book.hosts(subnet)] == ["new"]


def test_the_gateway_of_later_is_not_handed_out_after_its_release(desk: Desk):
    subnet = desk.add("10.0.1.0/30")
    desk.take(subnet, "10.0.1.2")
    desk.release(subnet, "10.0.1.2")
    desk.clock.pass_(minutes=5)
    assert [desk.ask(subnet, 1), desk.ask(subnet, 2)] == ["10.0.1.1", "10.0.1.2"]


def test_free_space_grows_together_again(desk: Desk):
    subnet = desk.add("10.0.1.0/27")
    addresses = [str(IPAddress("10.0.1.0") + last) for last in (5, 7, 6, 1, 30)]
    for address in addresses:
        desk.take(subnet, address)
    for address in addresses:
        desk.release(subnet, address)
    desk.clock.pass_(minutes=5)
    assert [desk.ask(subnet, number) for number in range(1, 31)] == [f"10.0.1.{last}" for last in range(1, 31)]
