"""The clock that all services on one PostgreSQL share."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.book.server_clock import ServerClock
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Asker, Caller
from tests.conftest import HandClock
from tests.providers.desk import description

_A_TEST = timedelta(minutes=1)


@pytest.mark.parametrize("minutes", [31, -31])
def test_a_machine_that_is_off_is_corrected(postgresql_book: Book, minutes: int):
    off = timedelta(minutes=minutes)
    clock = ServerClock(lambda: utc_now() + off)
    with postgresql_book.engine.connect() as connection:
        clock.hear(connection)
    assert abs(clock() - utc_now()) < _A_TEST
    assert abs(clock.lead - off) < _A_TEST


def test_a_machine_whose_clock_is_set_in_between_is_measured_anew(postgresql_book: Book, clock: HandClock):
    seconds = [0.0]
    shared = ServerClock(clock, lambda: seconds[0])
    with postgresql_book.engine.connect() as connection:
        shared.hear(connection)
        clock.pass_(minutes=31)
        shared.hear(connection)
    assert abs(shared() - utc_now()) < _A_TEST


def test_the_server_is_not_asked_again_at_once(postgresql_book: Book, clock: HandClock):
    asked: list[str] = []
    seconds = [0.0]
    shared = ServerClock(clock, lambda: seconds[0])
    with postgresql_book.engine.connect() as connection:
        execute = connection.execute
        connection.execute = lambda statement: asked.append(str(statement)) or execute(statement)  # type: ignore[method-assign]
        for _ in range(3):
            shared.hear(connection)
            seconds[0] += 9
            clock.pass_(seconds=9)
    assert len(asked) == 2


def test_an_answer_that_was_long_under_way_moves_nothing(postgresql_book: Book, clock: HandClock):
    seconds = [0.0]

    def pass_(number: float) -> None:
        seconds[0] += number
        clock.pass_(seconds=number)

    shared = ServerClock(clock, lambda: seconds[0])
    with postgresql_book.engine.connect() as connection:
        shared.hear(connection)
        lead = shared.lead
        execute = connection.execute
        connection.execute = lambda statement: (pass_(40), execute(statement))[1]  # type: ignore[method-assign]
        pass_(11)
        shared.hear(connection)
    assert shared.lead == lead


def test_a_service_whose_machine_is_an_hour_ahead_gives_out_nobodys_hold(postgresql_book: Book, caller: Caller):
    here, there = postgresql_book, Book(postgresql_book.url)
    there.server_clock = ServerClock(lambda: utc_now() + timedelta(hours=1))
    services = [
        AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=book.clock)
        for book in (here, there)
    ]
    subnet = services[0].add_subnet(description("10.0.1.0/29"), caller)
    told = [service.suggest(subnet, Asker(), caller) for _ in range(3) for service in services]
    there.close()
    assert len(set(told)) == 6
