"""What many tests stand on: a clock that is set by hand, an empty book in a file, an address book on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book import schema_version
from providers.book.database import Book
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Caller


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **duration: float) -> None:
        """Let time pass: ``clock.pass_(minutes=31)``."""
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> HandClock:
    """A clock that only the test moves."""
    return HandClock()


@pytest.fixture(scope="session")
def empty_book_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("book") / "leasehold.db"
    book = Book(f"sqlite:///{path}")
    schema_version.upgrade(book)
    book.close()
    return path


@pytest.fixture
def book(tmp_path: Path, empty_book_file: Path) -> Iterator[Book]:
    """An empty book of this test alone."""
    path = tmp_path / "leasehold.db"
    path.write_bytes(empty_book_file.read_bytes())
    opened = Book(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def address_book(book: Book, clock: HandClock) -> AddressBook:
    """An address book on the empty book, with the local IPAM and no DHCP server."""
    return AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock)


@pytest.fixture
def caller() -> Caller:
    """Whoever the events are to name."""
    return Caller("test", "request-1")
