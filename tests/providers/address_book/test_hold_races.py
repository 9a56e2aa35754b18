"""One request for several holds, sent twice at the same moment, while another takes what may be too much."""

from __future__ import annotations

from typing import Any

import pytest
from netaddr import IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.errors import Exhausted
from providers.ipam.local import LocalIPAM
from providers.model import Asker, SubnetSpec
from tests.providers.desk import CALLER
from tests.providers.processes import CONTEXT, together
from tests.providers.soundness import assert_sound

pytestmark = pytest.mark.race

ROUNDS = 60
WANTED = {"build": 4, "other": 3}
"""Six are free: only one of the two can have what it wants."""


@pytest.fixture(params=["book", "postgresql_book"])
def url(request: pytest.FixtureRequest) -> str:
    """A book on either database with a subnet for each round."""
    book: Book = request.getfixturevalue(request.param)
    found = str(book.url.render_as_string(hide_password=False))
    address_book = opened(found)
    for turn in range(ROUNDS):
        address_book.add_subnet(SubnetSpec(network(turn), "Lab"), CALLER)
    address_book.close()
    return found


def opened(url: str) -> AddressBook:
    book = Book(url)
    return AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)


def network(turn: int) -> IPNetwork:
    return IPNetwork(f"10.0.{turn}.0/29")


def ask_for_several(number: int, url: str, gate: Any) -> list[tuple[int, str, tuple[str, ...]]]:
    """Two ask for the same under one key, the third for something else; returns what each was told."""
    key = "other" if number > 1 else "build"
    address_book, told = opened(url), []
    askers = [Asker(key=f"{key}#{each}") for each in range(WANTED[key])]
    for turn in range(ROUNDS):
        subnet = address_book.subnet(network(turn))
        gate.wait(60)
        try:
            found = tuple(str(address) for address, _ in address_book.hold(subnet, askers, CALLER))
        except Exhausted:
            found = ()
        told.append((turn, key, found))
    address_book.close()
    return told


def test_one_key_gets_one_answer_and_no_more_than_that(url: str):
    told = together(3, ask_for_several, url, CONTEXT.Barrier(3))

    address_book = opened(url)
    for turn in range(ROUNDS):
        held: dict[str, set[str]] = {key: set() for key in WANTED}
        for hold in address_book.holds(address_book.subnet(network(turn))):
            held[hold.key.removeprefix("key:").partition("#")[0]].add(str(hold.address))
        answers = {key: [found for at, asked, found in told if (at, asked) == (turn, key)] for key in WANTED}
        for key, found in answers.items():
            # All or nothing, the same to everybody, and that is what is held.
            assert {frozenset(each) for each in found} == {frozenset(held[key])}, (turn, key)
            assert len(held[key]) in (0, WANTED[key]), (turn, key)
        assert sum(map(bool, held.values())) == 1, turn
    assert_sound(address_book.book)
    address_book.close()
