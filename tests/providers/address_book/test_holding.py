"""Holds by request: several at once, longer ones, those of guests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from netaddr import IPAddress

from providers.address_book.serving import host_for, span_between
from providers.addresses import Range
from providers.errors import Exhausted, InvalidValue, NotFound
from providers.model import Asker, Use
from tests.providers.desk import CALLER, description, host, mac


@pytest.fixture
def subnet(address_book):
    """10.0.1.0/29: .1 to .6."""
    return address_book.add_subnet(description("10.0.1.0/29"), CALLER)


def keys(*names):
    return [Asker(key=name) for name in names]


def shown(found):
    return [str(address) for address, _ in found]


def test_each_asker_gets_an_address_and_its_hold(address_book, subnet):
    found = address_book.hold(subnet, keys("a", "b"), CALLER)

    assert shown(found) == ["10.0.1.1", "10.0.1.2"]
    assert [held.key for _, held in found] == ["key:a", "key:b"]
    assert shown(address_book.hold(subnet, keys("a", "b"), CALLER)) == ["10.0.1.1", "10.0.1.2"]


def test_when_there_are_too_few_nothing_new_is_held(address_book, subnet, clock):
    address_book.hold(subnet, keys("kept"), CALLER)
    clock.pass_(seconds=1)

    with pytest.raises(Exhausted):
        address_book.hold(subnet, keys("kept", *"abcdef"), CALLER)

    assert [held.key for held in address_book.holds(subnet)] == ["key:kept"]
    assert address_book.occupancy(subnet).free == 5


def test_of_several_only_one_is_what_the_mac_has_already(address_book, subnet):
    address_book.reserve(subnet, IPAddress("10.0.1.5"), Use.DHCP, CALLER, host=host(1))

    found = address_book.hold(subnet, [Asker(key, mac(1)) for key in "ab"], CALLER)

    assert shown(found) == ["10.0.1.5", "10.0.1.1"]


def test_a_mac_that_is_reserved_gets_that_without_a_hold(address_book, subnet):
    address_book.reserve(subnet, IPAddress("10.0.1.5"), Use.DHCP, CALLER, host=host(1))

    assert address_book.hold(subnet, [Asker(mac=mac(1))], CALLER) == [(IPAddress("10.0.1.5"), None)]


@pytest.mark.parametrize(
    ("use", "ttl", "lasts"),
    [
        (Use.MANUAL, None, timedelta(minutes=30)),
        (Use.GUEST, None, timedelta(hours=24)),
        (Use.GUEST, timedelta(minutes=5), timedelta(hours=24)),
        (Use.GUEST, timedelta(days=7), timedelta(days=7)),
    ],
)
def test_how_long_a_hold_lasts(use, ttl, lasts, address_book, subnet, clock):
    ((_, held),) = address_book.hold(subnet, keys("a"), CALLER, use=use, ttl=ttl)

    assert held.expires_at - clock() == lasts


def test_a_hold_is_extended_and_never_shortened(address_book, subnet, clock):
    ((address, _),) = address_book.hold(subnet, keys("a"), CALLER)

    longer = address_book.extend_hold(subnet, address, timedelta(hours=2), CALLER)

    assert longer.expires_at == clock() + timedelta(hours=2)
    assert address_book.extend_hold(subnet, address, timedelta(minutes=1), CALLER) == longer
    assert [event.action for event in address_book.events(limit=2)] == ["hold.extend", "hold.take"]


def test_what_is_not_held_or_not_any_more_is_not_extended(address_book, subnet, clock):
    ((address, _),) = address_book.hold(subnet, keys("a"), CALLER)
    clock.pass_(minutes=31)

    for each in (address, address + 1):
        with pytest.raises(NotFound, match="is not held"):
            address_book.extend_hold(subnet, each, timedelta(hours=2), CALLER)
        assert address_book.hold_at(subnet, each) is None


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, None),
        ("10.0.1.3", None, "10.0.1.3-10.0.1.6"),
        (None, "10.0.1.3", "10.0.1.1-10.0.1.3"),
        ("10.0.1.0", "10.0.1.7", "10.0.1.1-10.0.1.6"),
        ("10.0.0.0", None, "10.0.1.1-10.0.1.6"),
    ],
)
def test_a_range_is_clipped_to_the_hosts_of_the_subnet(first, last, expected, subnet):
    ends = [None if each is None else IPAddress(each) for each in (first, last)]

    assert span_between(subnet, *ends) == (None if expected is None else Range.parse(expected))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("10.0.1.3", "10.0.2.3"),
        ("10.0.1.3", "10.0.1.2"),
        ("10.0.1.7", None),
        (None, "10.0.0.9"),
        ("2001:db8::1", None),
        ("10.0.1.3", "2001:db8::1"),
    ],
)
def test_a_range_outside_is_refused(first, last, subnet):
    with pytest.raises(InvalidValue):
        span_between(subnet, *(None if each is None else IPAddress(each) for each in (first, last)))


def test_a_mac_on_dhcp_gets_a_host_and_that_needs_a_name(address_book, subnet):
    elsewhere = address_book.add_subnet(description("10.0.2.0/29", dhcp=False), CALLER)

    assert host_for(subnet, mac(1), "web1").name == "web1"
    assert host_for(subnet, None, "web1") is None
    assert host_for(elsewhere, mac(1), None) is None
    with pytest.raises(InvalidValue, match="needs a name"):
        host_for(subnet, mac(1), None)


def test_a_hold_of_another_key_is_left_alone(address_book, subnet):
    ((address, held),) = address_book.hold(subnet, keys("theirs"), CALLER)

    with pytest.raises(NotFound, match="held for another"):
        address_book.release_hold(subnet, address, CALLER, key="key:mine")
    with pytest.raises(NotFound, match="held for another"):
        address_book.extend_hold(subnet, address, timedelta(hours=2), CALLER, key="key:mine")

    assert address_book.hold_at(subnet, address) == held
    assert address_book.release_hold(subnet, address, CALLER, key="key:theirs") == held
