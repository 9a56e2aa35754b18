"""What stands in the way of a subnet as it is described: its network address on /dhcp, and who has its gateway."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork
from sqlalchemy import text

from providers.address_book.subnet_conflicts import Served
from providers.address_book.subnets import subnet_spec
from providers.errors import Conflict
from providers.model import Group, Options, Strategy, Subnet, Use
from tests.providers.desk import CALLER, Desk, description
from tests.providers.soundness import dump

SAME_ADDRESS = [("10.0.1.0/24", "10.0.1.0/28"), ("10.0.1.0/28", "10.0.1.0/24")]


@pytest.mark.parametrize(("first", "second"), SAME_ADDRESS)
def test_of_one_network_address_dhcp_serves_the_first_subnet(desk: Desk, first: str, second: str):
    served, other = desk.add(first), desk.add(second)
    assert (served.dhcp, other.dhcp) == (True, False)
    assert desk.address_book.dhcp_subnet(IPAddress("10.0.1.0")) == served


@pytest.mark.parametrize(("first", "second"), SAME_ADDRESS)
def test_of_one_network_address_dhcp_refuses_a_second_subnet(desk: Desk, first: str, second: str):
    served = desk.add(first)
    with pytest.raises(Conflict, match=rf"{first} is on /dhcp already, where {second} .*: add this one with --no-dhcp"):
        desk.add(second, dhcp=True)
    assert desk.address_book.subnets() == [served]


def test_what_is_served_is_found_by_what_it_overlaps():
    """Against the definition, for networks that nest and begin at one address in many ways."""
    sizes = random.Random(5)
    drawn = [(sizes.randrange(4), sizes.randrange(256), sizes.randrange(16, 33)) for _ in range(150)]
    networks = sorted({IPNetwork(f"10.0.{high}.{low}/{length}").cidr for high, low, length in drawn})
    rest: Any = ("", None, Strategy.FIRST, None, None, (), Options())
    subnets = [
        replace(Subnet(number, 1, each, Group(1 + number % 2, "Lab"), *rest), dhcp=number % 3 > 0)
        for number, each in enumerate(networks)
    ]
    served = Served(subnets)
    for network in (*networks, IPNetwork("0.0.0.0/0"), IPNetwork("255.255.255.255/32")):
        right = {each for each in subnets if each.dhcp and (each.network in network or network in each.network)}
        found = list(served.overlapping(network))
        assert (set(found), len(found)) == (right, len(right))


def test_a_change_cannot_bring_a_network_address_to_dhcp_twice(desk: Desk):
    desk.add("10.0.1.0/24")
    child = desk.add("10.0.1.0/28")
    with pytest.raises(Conflict, match="same network address"):
        desk.address_book.change_subnet(child, description("10.0.1.0/28", dhcp=True), CALLER)


def test_a_network_address_is_served_once_the_first_subnet_is_off_dhcp(desk: Desk):
    parent, child = desk.add("10.0.1.0/24"), desk.add("10.0.1.0/28")
    desk.address_book.change_subnet(parent, description("10.0.1.0/24", dhcp=False), CALLER)
    assert desk.address_book.change_subnet(child, description("10.0.1.0/28", dhcp=True), CALLER).dhcp


def test_a_subnet_inside_with_another_network_address_is_served_too(desk: Desk):
    desk.add("10.0.1.0/24")
    assert desk.add("10.0.1.16/28", dhcp=True).dhcp


def test_two_subnets_that_an_older_version_served_can_still_be_changed(desk: Desk):
    desk.add("10.0.1.0/24")
    child = desk.add("10.0.1.0/28")
    desk.book.write(lambda connection: connection.execute(text("UPDATE subnets SET dhcp = TRUE")))
    both = replace(subnet_spec(child), dhcp=True, description="Both")
    changed = desk.address_book.change_subnet(child, both, CALLER)
    assert (changed.dhcp, changed.description) == (True, "Both")


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/24 without a gateway."""
    return desk.add("10.0.1.0/24")


@pytest.mark.parametrize(
    ("use", "known", "who"),
    [
        (Use.MANUAL, {"name": "web1", "number": 1}, r"web1 \(manual\)"),
        (Use.MANUAL, {"number": 1}, r"52:54:00:00:00:01 \(manual\)"),
        (Use.IPAM, {}, r"somebody without a name \(ipam\)"),
    ],
)
def test_a_gateway_that_is_reserved_is_refused(desk: Desk, subnet: Subnet, use: Use, known: dict, who: str):
    desk.take(subnet, "10.0.1.9", use, **known)
    before = dump(desk.book)
    with pytest.raises(Conflict, match=rf"10\.0\.1\.9 cannot be the gateway .* reserved for {who}"):
        desk.address_book.change_subnet(subnet, description("10.0.1.0/24", gateway="10.0.1.9"), CALLER)
    assert dump(desk.book) == before


def test_a_gateway_that_is_only_held_is_taken(desk: Desk, subnet: Subnet):
    assert desk.ask(subnet, 1) == "10.0.1.1"
    changed = desk.address_book.change_subnet(subnet, description("10.0.1.0/24", gateway="10.0.1.1"), CALLER)
    assert changed.options.gateway == IPAddress("10.0.1.1")
    assert desk.ask(subnet, 1) == "10.0.1.2"


def test_a_name_server_may_be_reserved(desk: Desk, subnet: Subnet):
    desk.take(subnet, "10.0.1.9", Use.MANUAL)
    changed = desk.address_book.change_subnet(subnet, description("10.0.1.0/24", dns=["10.0.1.9"]), CALLER)
    assert changed.options.dns == (IPAddress("10.0.1.9"),)
