"""A phpIPAM to talk to, a line that can break in front of it, and a desk whose truth is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.dhcp.none import NoDHCP
from providers.model import Subnet
from tests.conftest import HandClock
from tests.phpipam import Double
from tests.phpipam.faults import FaultProxy
from tests.providers.desk import Desk
from tests.providers.ipam.phpipam.site import provider, subnet_of
from tests.providers.soundness import assert_sound


@pytest.fixture(autouse=True)
def _quick_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that takes a twentieth of a second is for attackers, not for hundreds of tests."""
    monkeypatch.setattr("providers.ipam.remote.sealed._COST", 2)


@pytest.fixture
def double(clock: HandClock) -> Double:
    """A phpIPAM 1.8.2 with the subnet 10.0.1.0/28 in the section Lab."""
    made = Double(clock=clock)
    made.add_subnet("10.0.1.0/28", "Lab")
    return made


@pytest.fixture
def line(double: Double) -> Iterator[FaultProxy]:
    """The way to it."""
    with double.serve() as url, FaultProxy(url) as front:
        yield front


@pytest.fixture
def desk(book: Book, clock: HandClock, line: FaultProxy) -> Iterator[Desk]:
    """A desk whose truth is in phpIPAM; the book has to be sound when the test is over."""
    ipam = provider(book, line.url, clock)
    yield Desk(AddressBook(book, ipam, NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock), clock)
    ipam.client.close()
    assert_sound(book)


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/28 of the group Lab."""
    return subnet_of(desk, "10.0.1.0/28")


@pytest.fixture
def key(double: Double) -> int:
    """What phpIPAM calls 10.0.1.0/28."""
    return double.subnet_id("10.0.1.0/28", "Lab")
