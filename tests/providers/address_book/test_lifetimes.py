"""Rule 3: how long holds and rests last."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.dhcp.none import NoDHCP
from providers.errors import Exhausted
from providers.ipam.local import LocalIPAM
from tests.conftest import HandClock
from tests.providers.desk import Desk, mac


def expiry(desk: Desk) -> timedelta:
    """How long the only hold still lives."""
    (hold,) = desk.address_book.holds()
    return hold.expires_at - desk.clock()


def test_rule_3_a_hold_with_a_mac_lives_30_minutes(desk: Desk):
    desk.ask(desk.add("10.0.1.0/29"), 1)
    assert expiry(desk) == timedelta(minutes=30)


def test_rule_3_a_hold_with_a_key_lives_30_minutes(desk: Desk):
    desk.ask(desk.add("10.0.1.0/29"), key="web1")
    assert expiry(desk) == timedelta(minutes=30)


def test_rule_3_a_hold_of_nobody_known_lives_10_minutes(desk: Desk):
    desk.ask(desk.add("10.0.1.0/29"))
    assert expiry(desk) == timedelta(minutes=10)


def test_rule_3_a_callers_own_time_lengthens_a_hold(desk: Desk):
    desk.ask(desk.add("10.0.1.0/29"), 1, ttl=timedelta(hours=24))
    assert expiry(desk) == timedelta(hours=24)


def test_rule_3_a_callers_own_time_never_shortens_a_hold(desk: Desk):
    desk.ask(desk.add("10.0.1.0/29"), 1, ttl=timedelta(minutes=1))
    assert expiry(desk) == timedelta(minutes=30)


def test_rule_2_asking_again_extends_the_hold(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.clock.pass_(minutes=20)
    desk.ask(subnet, 1)
    assert expiry(desk) == timedelta(minutes=30)


def test_rule_2_asking_again_does_not_shorten_a_long_hold(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1, ttl=timedelta(hours=24))
    desk.ask(subnet, 1)
    assert expiry(desk) == timedelta(hours=24)


def test_rule_3_an_expired_hold_is_not_listed(desk: Desk):
    desk.ask(desk.add("10.0.1.0/29"), 1)
    desk.clock.pass_(minutes=30)
    assert desk.held() == {}


def test_rule_3_an_address_is_free_when_its_hold_expires(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.clock.pass_(minutes=29, seconds=59)
    assert desk.ask(subnet, 2) == "10.0.1.2"
    desk.clock.pass_(seconds=1)
    assert desk.ask(subnet, 3) == "10.0.1.1"


def test_rule_3_the_expiry_of_a_hold_is_an_event_of_the_program(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.clock.pass_(minutes=30)
    desk.ask(subnet, 2)
    (expired,) = [event for event in desk.address_book.events() if event.action == "hold.expire"]
    assert (expired.actor, str(expired.address), expired.detail) == ("leasehold", "10.0.1.1", {"key": f"mac:{mac(1)}"})


def test_whoever_would_go_away_empty_handed_gets_what_expired_in_this_very_second(desk: Desk):
    subnet = desk.add("10.0.1.0/30")
    desk.ask(subnet)
    desk.clock.pass_(seconds=599.5)
    desk.ask(subnet)
    desk.clock.pass_(seconds=0.5)
    assert desk.ask(subnet, 3) == "10.0.1.1"


def test_more_holds_than_one_sweep_ends_are_ended_for_whoever_would_go_empty_handed(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    for _ in range(254):
        desk.ask(subnet)
    desk.clock.pass_(minutes=10)
    assert len({desk.ask(subnet) for _ in range(254)}) == 254


def test_whoever_would_go_empty_handed_ends_no_more_holds_than_it_takes(desk: Desk):
    subnet = desk.add("10.0.0.0/22")
    for _ in range(600):
        desk.ask(subnet)
    desk.clock.pass_(minutes=10)
    # Sweeps a hundred, and for a second nobody else does.
    desk.ask(subnet, span="10.0.0.1-10.0.0.10")
    assert desk.ask(subnet, span="10.0.0.150-10.0.0.160") == "10.0.0.150"
    assert desk.actions().count("hold.expire") == 200


def test_rule_3_a_released_address_rests_5_minutes(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.1")
    desk.release(subnet, "10.0.1.1")
    assert desk.ask(subnet, 1) == "10.0.1.2"
    desk.clock.pass_(minutes=5)
    assert desk.ask(subnet, 2) == "10.0.1.1"


def test_rule_3_whoever_had_a_released_address_may_have_it_back_at_once(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.3", 1)
    desk.release(subnet, "10.0.1.3")
    assert desk.ask(subnet, 1) == "10.0.1.3"
    assert list(desk.held()) == ["10.0.1.3"]


def test_rule_3_of_an_ipam_address_the_mac_that_asked_for_it_may_have_it_back(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    address = desk.ask(subnet, 1)
    desk.take(subnet, address)
    desk.release(subnet, address)
    assert desk.ask(subnet, 2) == "10.0.1.2"
    assert desk.ask(subnet, 1) == address


def test_rule_3_a_resting_address_does_not_keep_a_full_subnet_from_its_owner(desk: Desk):
    subnet = desk.add("10.0.1.0/30")
    desk.serve(subnet, "10.0.1.1", 1)
    desk.take(subnet, "10.0.1.2")
    desk.release(subnet, "10.0.1.1")
    with pytest.raises(Exhausted):
        desk.ask(subnet, 2)
    assert desk.ask(subnet, 1) == "10.0.1.1"


def test_rule_3_without_rest_an_address_is_free_at_once(book: Book, clock: HandClock):
    lifetimes = Lifetimes(rest=timedelta(0))
    desk = Desk(AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=lifetimes, clock=clock), clock)
    subnet = desk.add("10.0.1.0/29")
    desk.take(subnet, "10.0.1.1")
    desk.release(subnet, "10.0.1.1")
    assert desk.ask(subnet, 1) == "10.0.1.1"


def test_rule_3_lifetimes_are_as_set(book: Book, clock: HandClock):
    lifetimes = Lifetimes(hold=timedelta(minutes=7), hold_anonymous=timedelta(minutes=3))
    desk = Desk(AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=lifetimes, clock=clock), clock)
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.ask(subnet)
    assert [hold.expires_at - clock() for hold in desk.address_book.holds()] == [
        timedelta(minutes=7),
        timedelta(minutes=3),
    ]


def test_a_clock_that_was_set_back_ends_nothing_early(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.clock.pass_(minutes=-20)
    assert desk.ask(subnet, 2) == "10.0.1.2"
    assert len(desk.held()) == 2


def test_an_expired_hold_is_extended_for_its_asker_while_nobody_else_has_it(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.ask(subnet, 2)
    desk.clock.pass_(minutes=31)
    assert desk.ask(subnet, 2) in {"10.0.1.1", "10.0.1.2"}
    assert expiry(desk) == timedelta(minutes=30)
