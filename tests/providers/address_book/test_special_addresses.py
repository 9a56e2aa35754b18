"""Rule 7: addresses that nobody may have, and the small networks that have none such."""

from __future__ import annotations

import pytest

from providers.errors import Exhausted, InvalidValue
from tests.providers.desk import Desk


def everything(desk: Desk, subnet) -> list[str]:
    """All that can be had from the subnet, in order."""
    told = []
    while True:
        try:
            told.append(desk.ask(subnet))
        except Exhausted:
            return told


@pytest.mark.parametrize(
    ("cidr", "suggested"),
    [
        ("10.0.1.0/29", [f"10.0.1.{last}" for last in range(1, 7)]),
        ("10.0.1.8/30", ["10.0.1.9", "10.0.1.10"]),
        ("10.0.1.8/31", ["10.0.1.8", "10.0.1.9"]),
        ("10.0.1.8/32", ["10.0.1.8"]),
        ("255.255.255.252/30", ["255.255.255.253", "255.255.255.254"]),
        ("255.255.255.255/32", ["255.255.255.255"]),
        ("0.0.0.0/31", ["0.0.0.0", "0.0.0.1"]),
        ("2001:db8::8/125", [f"2001:db8::{last:x}" for last in range(9, 16)]),
        ("2001:db8::8/126", ["2001:db8::9", "2001:db8::a", "2001:db8::b"]),
        ("2001:db8::8/127", ["2001:db8::8", "2001:db8::9"]),
        ("2001:db8::8/128", ["2001:db8::8"]),
        ("::/127", ["::", "::1"]),
        (
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
            ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ),
    ],
)
def test_rule_7_what_a_network_has_for_hosts(desk: Desk, cidr: str, suggested: list[str]):
    assert everything(desk, desk.add(cidr)) == suggested


@pytest.mark.parametrize(
    ("cidr", "address", "kind"),
    [
        ("10.0.1.0/24", "10.0.1.0", "network"),
        ("10.0.1.0/24", "10.0.1.255", "broadcast"),
        ("10.0.1.8/30", "10.0.1.8", "network"),
        ("10.0.1.8/30", "10.0.1.11", "broadcast"),
        ("2001:db8::/64", "2001:db8::", "subnet-router anycast"),
        ("2001:db8::8/126", "2001:db8::8", "subnet-router anycast"),
    ],
)
def test_rule_7_network_broadcast_and_anycast_are_refused_even_when_named(
    desk: Desk, cidr: str, address: str, kind: str
):
    subnet = desk.add(cidr)
    with pytest.raises(InvalidValue, match=f"{address} is the {kind} address of {cidr}"):
        desk.take(subnet, address)


@pytest.mark.parametrize(("cidr", "gateway"), [("10.0.1.0/24", "10.0.1.1"), ("2001:db8::/64", "2001:db8::1")])
def test_rule_7_the_gateway_is_refused_even_when_named(desk: Desk, cidr: str, gateway: str):
    subnet = desk.add(cidr, gateway=gateway)
    with pytest.raises(InvalidValue, match=f"{gateway} is the gateway of {cidr}"):
        desk.take(subnet, gateway)


@pytest.mark.parametrize(("cidr", "gateway"), [("10.0.1.0/24", "10.0.1.1"), ("2001:db8::/64", "2001:db8::1")])
def test_rule_7_the_gateway_is_not_suggested(desk: Desk, cidr: str, gateway: str):
    assert desk.ask(desk.add(cidr, gateway=gateway), 1) != gateway


@pytest.mark.parametrize(
    ("cidr", "address"),
    [
        ("10.0.1.8/31", "10.0.1.8"),
        ("10.0.1.8/31", "10.0.1.9"),
        ("10.0.1.8/32", "10.0.1.8"),
        ("2001:db8::8/127", "2001:db8::8"),
        ("2001:db8::8/128", "2001:db8::8"),
        ("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff"),
    ],
)
def test_rule_7_what_is_no_special_address_may_be_reserved_and_released(desk: Desk, cidr: str, address: str):
    subnet = desk.add(cidr)
    desk.take(subnet, address)
    assert desk.exists(subnet, address)
    desk.release(subnet, address)
    desk.clock.pass_(minutes=5)
    assert not desk.exists(subnet, address)


def test_rule_7_the_gateway_of_a_link_leaves_its_other_end(desk: Desk):
    assert everything(desk, desk.add("10.0.1.8/31", gateway="10.0.1.9")) == ["10.0.1.8"]


def test_the_lowest_address_there_is_goes_back_to_whoever_had_it(desk: Desk):
    subnet = desk.add("0.0.0.0/31")
    desk.serve(subnet, "0.0.0.0", 1)
    desk.release(subnet, "0.0.0.0")
    assert desk.ask(subnet, 1) == "0.0.0.0"


def test_the_largest_networks_can_be_asked(desk: Desk):
    assert desk.ask(desk.add("0.0.0.0/0"), 1) == "0.0.0.1"
    assert desk.ask(desk.add("8000::/1"), 1) == "8000::1"
