"""Listing and searching many reservations: what a page costs, wherever it is and whatever is looked for."""

from __future__ import annotations

import sqlite3
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from netaddr import IPAddress

from bench import seeding
from bench.report import Row, Target
from bench.ruby_proxy import NONE
from providers.address_book import AddressBook
from providers.address_book.search import Page, Sought
from providers.model import Reservation, Subnet, Use

_MOST_SECONDS = 0.05
_SMALL = 200
_ROUNDS = 20
_LIMIT = 100


def pages(directory: Path, reservations: int) -> Iterator[Row]:
    """Pages of a book with so many reservations, half of them in one subnet and the others in /24s."""
    with seeding.new_book(directory / "search.db") as book:
        large = _filled(book, reservations)
        middle = (large.id, IPAddress(large.network.first + reservations // 4))
        questions: tuple[tuple[str, Callable[[], Page[Reservation]]], ...] = (
            ("first page", lambda: book.search(Sought(), limit=_LIMIT)),
            ("a page in the middle", lambda: book.search(Sought(), after=middle, limit=_LIMIT)),
            ("by MAC", lambda: book.search(Sought(mac=f"02:{large.id:02x}:00:00:01:00"))),
            ("by address", lambda: book.search(Sought(address=middle[1]))),
            ("by a name in many subnets", lambda: book.search(Sought(name="host-77.example.com"))),
            ("by a use that few have", lambda: book.search(Sought(use=Use.MANUAL))),
            ("by a text that many have", lambda: book.search(Sought(text="host-5"))),
            ("by a text that nothing has", lambda: book.search(Sought(text="nothing has this"))),
        )
        for what, ask in questions:
            took = sorted(_timed(ask) for _ in range(_ROUNDS))
            middle_of = took[len(took) // 2]
            yield Row(
                f"searching {reservations:,} addresses",
                what,
                f"median {middle_of * 1000:.1f} ms, longest {took[-1] * 1000:.1f} ms",
                NONE,
                Target(f"at most {_MOST_SECONDS * 1000:.0f} ms", met=middle_of <= _MOST_SECONDS),
                {"median": middle_of, "longest": took[-1]},
            )
        yield _memory(questions[0][1], reservations)


def _filled(book: AddressBook, reservations: int) -> Subnet:
    large = seeding.add_subnet(book, "10.0.0.0/12")
    seeding.fill(book, large, seeding.in_a_row(large.network, reservations // 2))
    for number in range(reservations // 2 // _SMALL):
        small = seeding.add_subnet(book, f"172.{16 + number // 256}.{number % 256}.0/24")
        seeding.fill(book, small, seeding.in_a_row(small.network, _SMALL))
    with closing(sqlite3.connect(str(book.book.url.database))) as connection, connection:
        few = "SELECT address FROM uses WHERE subnet_id = ? LIMIT 20"
        connection.execute(
            f"UPDATE uses SET use = 'manual' WHERE subnet_id = ? AND address IN ({few})",
            (large.id, large.id),
        )
    return large


def _timed(ask: Callable[[], Page[Reservation]]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _memory(ask: Callable[[], Page[Reservation]], reservations: int) -> Row:
    tracemalloc.start()
    try:
        ask()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Row(
        f"searching {reservations:,} addresses",
        f"memory for a page of {_LIMIT}",
        f"{most / 1024:.0f} KiB at most",
        NONE,
        values={"bytes": most},
    )
