"""Old events go, a portion at a time; what is newer stays, whatever a clock once said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.book.tables import events
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from tests.conftest import HandClock

DAY = timedelta(days=1)
PORTION = 1000


@pytest.fixture(params=["book", "postgresql_book"])
def address_book(request: pytest.FixtureRequest, clock: HandClock) -> AddressBook:
    """On either database."""
    book: Book = request.getfixturevalue(request.param)
    return AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock)


def happened(address_book: AddressBook, *days_ago: float) -> None:
    """One event after the other, that many days ago."""
    now = address_book.clock()
    rows = [{"at": now - each * DAY, "actor": "test", "action": "x", "detail": {}} for each in days_ago]
    with address_book.book.engine.begin() as connection:
        connection.execute(insert(events), rows)


def kept(address_book: AddressBook) -> list[float]:
    """How many days ago what is kept happened."""
    return [(address_book.clock() - each.at) / DAY for each in reversed(address_book.events(limit=100))]


def test_only_what_is_older_goes(address_book: AddressBook):
    happened(address_book, 400, 366, 365, 364, 0)
    assert address_book.forget_events(365 * DAY) == 2
    assert kept(address_book) == [365, 364, 0]
    assert address_book.forget_events(365 * DAY) == 0


def test_an_empty_log_is_fine(address_book: AddressBook):
    assert address_book.forget_events(DAY) == 0


def test_a_clock_that_was_ahead_keeps_nothing_back(address_book: AddressBook):
    happened(address_book, -1000, 400, -1000, 399, 1)
    assert address_book.forget_events(365 * DAY) == 2
    assert kept(address_book) == [-1000, -1000, 1]


def test_it_is_done_in_portions_and_ends(address_book: AddressBook, monkeypatch):
    """No transaction is long, and a call is not either: the rest goes next time."""
    happened(address_book, *[400] * (PORTION * 21))
    removed, write = [], address_book.book.write
    monkeypatch.setattr(address_book.book, "write", lambda work: removed.append(write(work)) or removed[-1])

    assert address_book.forget_events(DAY) == 20 * PORTION

    assert removed == [PORTION] * 20
    assert address_book.forget_events(DAY) == PORTION
    with address_book.book.read() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() == 0
