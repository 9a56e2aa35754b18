"""phpIPAM keeps the truth, and several proxies share a book on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from netaddr import IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.dhcp.none import NoDHCP
from providers.model import Asker, Use
from tests.conftest import HandClock
from tests.phpipam import Double
from tests.phpipam.faults import FaultProxy
from tests.providers.desk import CALLER, Desk
from tests.providers.ipam.phpipam.site import provider
from tests.providers.soundness import assert_sound


@pytest.fixture
def desks(postgresql_book: Book, clock: HandClock, line: FaultProxy) -> Iterator[list[Desk]]:
    """Four proxies."""
    books = [Book(postgresql_book.url) for _ in range(4)]
    yield [
        Desk(
            AddressBook(
                book, provider(book, line.url, clock), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock
            ),
            clock,
        )
        for book in books
    ]
    for book in books:
        book.close()
    assert_sound(postgresql_book)


def at_once(desks: list[Desk], work) -> list:
    """What ``work`` gives at all of them at the same time."""
    results: list = []
    threads = [threading.Thread(target=lambda desk=desk: results.append(work(desk))) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == len(desks)
    return results


def test_all_of_them_look_for_the_first_time_at_once(desks: list[Desk], double: Double):
    found = at_once(desks, lambda desk: [str(each) for each in desk.address_book.subnets()])
    assert found == [["10.0.1.0/28"]] * 4
    assert double.count("GET sections/all") == 1
    assert double.count("POST user") == 1


def test_they_allocate_beside_each_other_and_others(desks: list[Desk], double: Double, key: int):
    network = IPNetwork("10.0.1.0/28")
    subnet = desks[0].address_book.subnet(network)
    double.add_address(key, "10.0.1.2")
    double.meanwhile["POST addresses"] = lambda: double.add_address(key, "10.0.1.4")

    def allocate(desk: Desk) -> list[str]:
        return [
            str(desk.address_book.allocate(subnet, Asker(), Use.GUEST, CALLER, name="web").address) for _ in range(2)
        ]

    told = [each for few in at_once(desks, allocate) for each in few]
    assert len(set(told)) == 8
    assert "10.0.1.2" not in told


def test_a_survey_and_what_ends(desks: list[Desk], double: Double, key: int):
    subnet = desks[0].address_book.subnet(IPNetwork("10.0.1.0/28"))
    double.fill(key, 5)
    assert desks[0].address_book.survey(subnet) == (5, 0)
    double.clear(key)
    desks[0].clock.pass_(seconds=1)
    assert sum(ended for _, ended in at_once(desks, lambda desk: desk.address_book.survey(subnet))) == 5
    assert desks[1].ask(subnet, 1) == "10.0.1.1"
