"""Rule 6: several MACs may share an address."""

from __future__ import annotations

import pytest

from providers.errors import Conflict
from providers.model import Use
from tests.providers.desk import Desk, mac


def macs(desk: Desk, subnet, address: str) -> list[str]:
    there = desk.at(subnet, address)
    return [each.mac for each in there.hosts] if there is not None else []


def test_rule_6_a_related_mac_joins(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.3", 2, related=[1])
    assert macs(desk, subnet, "10.0.1.3") == [mac(1), mac(2)]


def test_rule_6_a_third_mac_joins_when_both_are_related(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.3", 2, related=[1, 3])
    desk.serve(subnet, "10.0.1.3", 3, related=[1, 2])
    assert len(macs(desk, subnet, "10.0.1.3")) == 3


def test_rule_6_one_unrelated_mac_there_is_a_conflict(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.3", 2, related=[1])
    with pytest.raises(Conflict, match=mac(2)):
        desk.serve(subnet, "10.0.1.3", 3, related=[1])


def test_rule_6_each_host_of_a_bond_has_its_own_name(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1, name="bond")
    with pytest.raises(Conflict, match="The name bond"):
        desk.serve(subnet, "10.0.1.3", 2, name="bond", related=[1])


def test_rule_6_the_reservation_keeps_the_name_of_the_first(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    joined = desk.serve(subnet, "10.0.1.3", 2, related=[1])
    assert (joined.name, joined.mac) == ("host1.example.com", mac(1))


def test_rule_6_a_duplicate_of_a_host_of_a_bond_is_what_is_there(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    joined = desk.serve(subnet, "10.0.1.3", 2, related=[1])
    assert desk.serve(subnet, "10.0.1.3", 1) == joined


def test_rule_6_a_bond_joins_what_ipam_has(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.3")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.3", 2, related=[1])
    assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP, Use.IPAM}


def test_rule_6_the_dhcp_use_stays_until_the_last_mac_goes(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.3", 2, related=[1])
    desk.release(subnet, number=1, use=Use.DHCP)
    assert macs(desk, subnet, "10.0.1.3") == [mac(2)]
    assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP}
    desk.release(subnet, number=2, use=Use.DHCP)
    assert desk.at(subnet, "10.0.1.3") is None


def test_rule_6_releasing_the_address_releases_every_mac(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.3", 2, related=[1])
    desk.release(subnet, "10.0.1.3", use=Use.DHCP)
    assert desk.at(subnet, "10.0.1.3") is None
    assert desk.address_book.host_of(subnet, mac(2)) is None


@pytest.mark.parametrize("number", [1, 2])
def test_rule_6_each_mac_of_a_bond_is_told_the_shared_address(desk: Desk, number: int):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.3", 2, related=[1])
    assert desk.ask(subnet, number) == "10.0.1.3"
