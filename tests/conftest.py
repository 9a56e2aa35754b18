"""What many tests stand on: a clock that is set by hand, an empty book in a file, an address book on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import update

from providers.address_book import AddressBook, Lifetimes
from providers.book import schema_version
from providers.book.database import Book
from providers.book.tables import directory, metadata
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Caller
from tests.postgresql import private_server

# The same examples in every run, and none that fails because the machine is slow: a run says what the code does.
# Where LEASEHOLD_FUZZ is set, as by ``make fuzz``, they are others each time.
settings.register_profile(
    "same",
    derandomize="LEASEHOLD_FUZZ" not in os.environ,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("same")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[pytest.TestReport]:
    """Let a test that skips fail in CI, where everything that it could need has to be there."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {call.excinfo and call.excinfo.value}"
    return report


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


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The URL of a PostgreSQL database with the tables, on a server of this run alone; skips where there is none."""
    with private_server() as url:
        book = Book(url)
        schema_version.upgrade(book)
        book.close()
        yield url


@pytest.fixture
def postgresql_book(postgresql_url: str) -> Iterator[Book]:
    """An empty book on PostgreSQL."""
    opened = Book(postgresql_url)
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables if table is not directory)
    with opened.engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        connection.execute(update(directory).values(revision=1))
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
