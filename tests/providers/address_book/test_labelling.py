from __future__ import annotations

import pytest
from netaddr import IPAddress, IPNetwork

from providers.book.labels import Label
from providers.errors import InvalidValue, NotFound
from providers.model import SubnetSpec, Use

AT = IPAddress("10.0.1.5")


@pytest.fixture
def subnet(address_book, caller):
    made = address_book.add_subnet(SubnetSpec(IPNetwork("10.0.0.0/16"), "Lab"), caller)
    address_book.reserve(made, AT, Use.GUEST, caller)
    return made


def test_what_is_not_given_stays(address_book, subnet, caller):
    address_book.label(subnet, AT, caller, owner="alice", tag=3)
    address_book.label(subnet, AT, caller, tag=1)

    assert address_book.label_of(subnet, AT) == Label("alice", 1)


def test_nothing_takes_away(address_book, subnet, caller):
    address_book.label(subnet, AT, caller, owner="alice")
    address_book.label(subnet, AT, caller, owner=None)

    assert address_book.label_of(subnet, AT) == Label()


def test_the_event_says_what(address_book, subnet, caller):
    address_book.label(subnet, AT, caller, owner="alice")
    address_book.label(subnet, AT, caller, owner="alice")

    events = [event for event in address_book.events() if event.action == "address.label"]
    assert [dict(event.detail) for event in events] == [{"owner": "alice"}]


def test_it_goes_with_the_reservation(address_book, subnet, caller):
    address_book.label(subnet, AT, caller, owner="alice")
    address_book.release(subnet, caller, address=AT)
    address_book.reserve(subnet, AT, Use.GUEST, caller)

    assert address_book.label_of(subnet, AT) == Label()


def test_it_moves_into_a_subnet_that_is_made_around_it(address_book, subnet, caller):
    address_book.label(subnet, AT, caller, owner="alice")
    inner = address_book.add_subnet(SubnetSpec(IPNetwork("10.0.1.0/24"), "Lab"), caller)

    assert address_book.label_of(inner, AT) == Label("alice")
    assert address_book.label_of(subnet, AT) == Label("alice")


def test_reservations_of_several_subnets_come_each_with_its_own(address_book, subnet, caller):
    other = address_book.add_subnet(SubnetSpec(IPNetwork("10.9.0.0/16"), "Lab"), caller)
    for number in range(1, 4):
        address_book.reserve(other, other.network.network + number, Use.GUEST, caller)
    address_book.label(subnet, AT, caller, owner="alice")
    address_book.label(other, IPAddress("10.9.0.2"), caller, owner="bob", tag=3)

    labelled = address_book.labelled(address_book.reservations())

    assert [(str(each.address), label) for each, label in labelled] == [
        ("10.0.1.5", Label("alice")),
        ("10.9.0.1", Label()),
        ("10.9.0.2", Label("bob", 3)),
        ("10.9.0.3", Label()),
    ]


def test_a_free_address_has_none(address_book, subnet, caller):
    with pytest.raises(NotFound, match=r"10\.0\.1\.6"):
        address_book.label(subnet, IPAddress("10.0.1.6"), caller, owner="alice")


@pytest.mark.parametrize("wrong", [{"owner": "x" * 129}, {"owner": "a\nb"}, {"tag": 0}, {"tag": 5}])
def test_what_cannot_be_kept(address_book, subnet, caller, wrong):
    with pytest.raises(InvalidValue):
        address_book.label(subnet, AT, caller, **wrong)
    assert address_book.label_of(subnet, AT) == Label()
