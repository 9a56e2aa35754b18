"""The local IPAM with the book on PostgreSQL: the SQL is meant to be the same everywhere."""

from __future__ import annotations

from contextlib import suppress

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book import schema_version
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.errors import Conflict
from providers.ipam.contract import IPAMProvider
from providers.ipam.local import LocalIPAM
from providers.model import Asker, Subnet, Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, host, mac
from tests.providers.ipam.conformance import IPAMConformance
from tests.providers.processes import together
from tests.providers.soundness import free_runs

PROCESSES = 8
TURNS = 25


class TestLocalIPAMOnPostgreSQL(IPAMConformance):
    """The whole suite."""

    @pytest.fixture
    def book(self, postgresql_book: Book) -> Book:
        return postgresql_book

    def build(self, book: Book) -> IPAMProvider:
        return LocalIPAM(book, {})


@pytest.fixture
def book(postgresql_book: Book) -> Book:
    """Every test here is on PostgreSQL."""
    return postgresql_book


def test_nesting_moves_what_is_there(desk: Desk):
    parent = desk.add("10.0.1.0/28")
    desk.serve(parent, "10.0.1.9", 1)
    held = desk.ask(parent, 2, span="10.0.1.10-10.0.1.14")
    child = desk.add("10.0.1.8/29")
    assert [each.mac for each in desk.address_book.hosts(child)] == [mac(1)]
    assert list(desk.held(child)) == [held]
    desk.address_book.remove_subnet(child, CALLER, force=True)
    assert free_runs(desk.book, parent.id) == [("10.0.1.1", "10.0.1.14")]


def test_a_duplicate_is_what_is_there(desk: Desk):
    """Also when it has options, which the database keeps as JSON."""
    subnet = desk.add("10.0.1.0/28")
    assert desk.serve(subnet, "10.0.1.9", 1) == desk.serve(subnet, "10.0.1.9", 1)


def test_an_upgrade_of_what_is_up_to_date_is_nothing(book: Book):
    assert schema_version.upgrade(book) == (schema_version.HEAD, schema_version.HEAD)


def open_book(url: str) -> AddressBook:
    book = Book(url)
    return AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)


def ask_often(number: int, url: str) -> list[str]:
    """What each process of the race for addresses does."""
    address_book = open_book(url)
    subnet = address_book.subnet(IPNetwork("10.0.0.0/22"))
    told = [
        str(address_book.suggest(subnet, Asker(mac=mac(number * 1000 + turn)), CALLER)) for turn in range(TURNS)
    ]
    address_book.close()
    return told


def reserve_the_same(number: int, url: str) -> list[str]:
    """What each process of the race for reservations does; returns what it won."""
    address_book = open_book(url)
    subnet = address_book.subnet(IPNetwork("10.0.0.0/22"))
    won = []
    for turn in range(TURNS):
        address = IPAddress("10.0.0.1") + turn
        with suppress(Conflict):
            address_book.reserve(subnet, address, Use.DHCP, CALLER, host=host(number * 1000 + turn))
            won.append(str(address))
    address_book.close()
    return won


def upgrade(_number: int, url: str) -> list[str]:
    """What each process of the race for the tables does."""
    book = Book(url)
    before, after = schema_version.upgrade(book)
    book.close()
    return [f"{before} {after}"]


@pytest.fixture
def contested(desk: Desk, clock: HandClock) -> Subnet:
    """The subnet of the races, by the time that their processes have."""
    clock.now = utc_now()
    return desk.add("10.0.0.0/22")


@pytest.mark.race
def test_no_address_is_told_twice(contested: Subnet, postgresql_url: str):
    told = together(PROCESSES, ask_often, postgresql_url)
    assert len(told) == len(set(told)) == PROCESSES * TURNS


@pytest.mark.race
def test_a_reservation_has_exactly_one_winner(contested: Subnet, postgresql_url: str):
    won = together(PROCESSES, reserve_the_same, postgresql_url)
    assert sorted(won, key=IPAddress) == [str(IPAddress("10.0.0.1") + turn) for turn in range(TURNS)]


@pytest.mark.race
def test_several_processes_upgrade_at_once(book: Book, postgresql_url: str):
    with book.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS empty")
        connection.exec_driver_sql("CREATE DATABASE empty")
    reports = together(PROCESSES, upgrade, postgresql_url.replace("/postgres?", "/empty?"))
    head = schema_version.HEAD
    assert sorted(reports) == [f"{head} {head}"] * (PROCESSES - 1) + [f"None {head}"]
