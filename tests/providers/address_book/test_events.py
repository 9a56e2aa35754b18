"""Every change that matters writes one event, with who did it and the id of the request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from netaddr import IPAddress

from providers.model import Caller, Event, Subnet, Use
from tests.providers.desk import CALLER, Desk, description, mac
from tests.providers.soundness import dump


def _release_a_hold(desk: Desk, subnet: Subnet) -> None:
    desk.release_hold(subnet, "10.0.1.1")


def _ask_a_minute_later(desk: Desk, subnet: Subnet) -> None:
    desk.clock.pass_(minutes=1)
    desk.ask(subnet, 1)


CHANGES: dict[str, tuple[Callable[[Desk, Subnet], object], str]] = {
    "group": (lambda desk, _: desk.address_book.add_group("New", "", CALLER), "group.add"),
    "subnet": (lambda desk, _: desk.add("10.0.9.0/24"), "subnet.add"),
    "change": (
        lambda desk, subnet: desk.address_book.change_subnet(subnet, description("10.0.1.0/28"), CALLER),
        "subnet.change",
    ),
    "remove": (lambda desk, subnet: desk.address_book.remove_subnet(subnet, CALLER, force=True), "subnet.remove"),
    "hold": (lambda desk, subnet: desk.ask(subnet, 9), "hold.take"),
    "again": (_ask_a_minute_later, "hold.extend"),
    "release hold": (_release_a_hold, "hold.release"),
    "dhcp": (lambda desk, subnet: desk.serve(subnet, "10.0.1.9", 9), "address.reserve"),
    "ipam": (lambda desk, subnet: desk.take(subnet, "10.0.1.9"), "address.reserve"),
    "manual": (lambda desk, subnet: desk.take(subnet, "10.0.1.9", Use.MANUAL), "address.reserve"),
}


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """A subnet in which machine 1 holds 10.0.1.1."""
    made = desk.add("10.0.1.0/28")
    desk.ask(made, 1)
    return made


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_writes_one_event(desk: Desk, subnet: Subnet, change: str):
    perform, action = CHANGES[change]
    before = desk.actions()
    perform(desk, subnet)
    assert desk.actions() == [*before, action]
    newest = desk.address_book.events(limit=1)[0]
    assert (newest.actor, newest.request_id, newest.at) == ("test", "request-1", desk.clock())


def test_a_release_writes_one_event_for_each_address(desk: Desk, subnet: Subnet):
    desk.serve(subnet, "10.0.1.9", 9)
    desk.take(subnet, "10.0.1.9")
    before = desk.actions()
    desk.release(subnet, "10.0.1.9")
    assert desk.actions() == [*before, "address.release"]


def test_what_changes_nothing_writes_no_event(desk: Desk, subnet: Subnet):
    desk.serve(subnet, "10.0.1.9", 9)
    before = dump(desk.book)
    desk.serve(subnet, "10.0.1.9", 9)
    desk.release(subnet, "10.0.1.10")
    desk.release(subnet, number=77)
    desk.exists(subnet, "10.0.1.9")
    desk.ask(subnet, 9)
    assert dump(desk.book) == before


def test_a_hold_that_is_extended_by_less_than_a_minute_writes_no_event(desk: Desk, subnet: Subnet):
    before = desk.actions()
    (held,) = desk.address_book.holds(subnet)
    for _ in range(3):
        desk.clock.pass_(seconds=59)
        desk.ask(subnet, 1)
    (extended,) = desk.address_book.holds(subnet)
    assert extended.expires_at - held.expires_at == timedelta(seconds=3 * 59)
    assert desk.actions() == before


def test_a_hold_that_is_asked_to_last_longer_writes_an_event(desk: Desk, subnet: Subnet):
    before = desk.actions()
    desk.ask(subnet, 1, ttl=timedelta(hours=1))
    assert desk.actions() == [*before, "hold.extend"]


def test_an_event_says_what_and_where(desk: Desk, subnet: Subnet):
    desk.serve(subnet, "10.0.1.9", 9)
    newest = desk.address_book.events(limit=1)[0]
    assert newest == Event(
        id=newest.id,
        at=desk.clock(),
        actor="test",
        request_id="request-1",
        action="address.reserve",
        subnet="10.0.1.0/28",
        group="Lab",
        address=IPAddress("10.0.1.9"),
        detail={"use": "dhcp", "name": "host9.example.com", "mac": mac(9)},
    )


def test_an_event_of_a_new_subnet_names_its_group_too(desk: Desk):
    desk.add("10.0.9.0/24", group="New")
    assert desk.actions() == ["group.add", "subnet.add"]


def test_a_caller_without_request_id_is_fine(desk: Desk, subnet: Subnet):
    desk.address_book.add_group("New", "", Caller("cli:root"))
    assert desk.address_book.events(limit=1)[0].request_id is None


def test_events_come_newest_first(desk: Desk, subnet: Subnet):
    ids = [event.id for event in desk.address_book.events()]
    assert ids == sorted(ids, reverse=True)


def test_as_many_events_come_as_asked_for(desk: Desk, subnet: Subnet):
    for number in range(2, 6):
        desk.ask(subnet, number)
    assert len(desk.address_book.events(limit=2)) == 2


def test_events_of_a_subnet_are_those_of_its_group(desk: Desk, subnet: Subnet):
    office = desk.add("10.0.1.0/28", group="Office")
    desk.ask(office, 1)
    assert [event.action for event in desk.address_book.events(subnet=office)] == ["hold.take", "subnet.add"]


def test_events_of_an_address(desk: Desk, subnet: Subnet):
    desk.serve(subnet, "10.0.1.1", 1)
    desk.ask(subnet, 2)
    found = desk.address_book.events(address=IPAddress("10.0.1.1"))
    assert [event.action for event in found] == ["address.reserve", "hold.take"]


def test_events_survive_their_subnet(desk: Desk, subnet: Subnet):
    desk.address_book.remove_subnet(subnet, CALLER, force=True)
    assert [event.action for event in desk.address_book.events(subnet=subnet)] == [
        "subnet.remove",
        "hold.take",
        "subnet.add",
    ]


def test_forcing_a_subnet_out_writes_what_was_released(desk: Desk, subnet: Subnet):
    desk.serve(subnet, "10.0.1.9", 9)
    desk.address_book.remove_subnet(subnet, CALLER, force=True)
    assert desk.actions()[-2:] == ["address.release", "subnet.remove"]
