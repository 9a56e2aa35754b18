"""The address book without HTTP: how fast it allocates, and whether that depends on how large or full a subnet is."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, repeat
from pathlib import Path
from statistics import median
from unittest import mock

from netaddr import IPAddress

from bench import seeding
from bench.report import Row, Target
from bench.ruby_proxy import ALONE_10K, ALONE_100, NONE
from providers.address_book import AddressBook
from providers.addresses import Range
from providers.model import Asker, Subnet, Use

# Empty /24s are used in turn, so that none of them is anything but nearly empty.
_EMPTY = 16
_MOST_RATIO = 1.5
# Not one: the first commit after one to another file takes longer.
_IN_A_TURN = 20
# Until SQLite's log has its size and is written over, each commit makes the file longer, which takes more.
_WARM_UP = 800
_WARM_UP_GROUP = "warm-up"


@dataclass
class _Case:
    """One kind of subnet, and how long each allocation in it took, in seconds."""

    label: str
    book: AddressBook
    subnets: Iterator[Subnet]
    span: Range | None = None
    took: list[float] = field(default_factory=list)

    def allocate(self) -> float:
        """Let one more MAC have an address; returns the seconds that it took."""
        return _allocate(self.book, next(self.subnets), self.span)


def rate(directory: Path, seconds: float) -> Row:
    """Allocations per second of one thread in a /16, each safe on disk before the next begins."""
    with seeding.new_book(directory / "rate.db") as book:
        subnet = seeding.add_subnet(book, "10.0.0.0/16")
        took: list[float] = []
        began = now = time.perf_counter()
        while now < began + seconds:
            took.append(_allocate(book, subnet))
            now = time.perf_counter()
    per_second = len(took) / (now - began)
    return Row(
        "address book alone",
        "one thread, SQLite, durable",
        f"{per_second:.0f}/s, median {median(took) * 1000:.2f} ms",
        NONE,
        values={"per_second": per_second, "median": median(took)},
    )


def by_size(directory: Path, reservations: int, samples: int) -> Iterator[Row]:
    """What an allocation costs in an empty /24, in /8s with many reservations and in an IPv6 /64."""
    with ExitStack() as stack:
        cases = [_small(directory, stack)]
        large = _new_book(directory / "large.db", stack)
        yield from _full(large, reservations, cases)
        for durable in (True, False):
            with _disk(waits=durable):
                rows = list(_compared(cases, samples, durable=durable))
            yield from rows


def _small(directory: Path, stack: ExitStack) -> _Case:
    book = _new_book(directory / "small.db", stack)
    return _Case("empty /24", book, cycle([seeding.add_subnet(book, f"10.0.{n}.0/24") for n in range(_EMPTY)]))


def _full(book: AddressBook, reservations: int, cases: list[_Case]) -> Iterator[Row]:
    """Fill large subnets and add them to ``cases``; tells how long the book takes to measure their free space."""
    row = seeding.add_subnet(book, "10.0.0.0/8")
    holes = seeding.add_subnet(book, "11.0.0.0/8")
    wide = seeding.add_subnet(book, "2001:db8:0:1::/64")
    for subnet, addresses, what in (
        (row, seeding.in_a_row(row.network, reservations), f"/8, the first {reservations:,} taken"),
        (holes, seeding.scattered(holes.network, reservations), f"/8, {reservations:,} scattered"),
        (wide, seeding.scattered(wide.network, reservations // 10), f"IPv6 /64, {reservations // 10:,} scattered"),
    ):
        took = seeding.fill(book, subnet, addresses)
        cases.append(_Case(what, book, repeat(subnet)))
        yield Row("measuring the free space anew", what, f"{took:.1f} s", NONE, values={"seconds": took})
    middle = Range(IPAddress(holes.network.first + holes.network.size // 32), IPAddress(holes.network.last))
    cases.append(_Case(f"{cases[2].label}, with from and to", book, repeat(holes), middle))
    cases.append(_Case("IPv6 /64, empty", book, repeat(seeding.add_subnet(book, "2001:db8::/64"))))


def _new_book(file: Path, stack: ExitStack) -> AddressBook:
    book = stack.enter_context(seeding.new_book(file))
    seeding.add_subnet(book, "172.16.0.0/16", group=_WARM_UP_GROUP)
    return book


def _compared(cases: list[_Case], samples: int, *, durable: bool) -> Iterator[Row]:
    """The cases in turns, so that whatever else the machine does hits all of them alike."""
    for book in {id(case.book): case.book for case in cases}.values():
        elsewhere = book.subnets(group=_WARM_UP_GROUP)[0]
        for _ in range(_WARM_UP):
            _allocate(book, elsewhere)
    for case in cases:
        case.took.clear()
    for _ in range(samples // _IN_A_TURN):
        for case in cases:
            case.took.extend(case.allocate() for _ in range(_IN_A_TURN))
    standard = median(cases[0].took)
    for case in cases:
        middle = median(case.took)
        ratio = middle / standard
        yield Row(
            "allocation" if durable else "allocation, not waiting for the disk",
            case.label,
            f"median {middle * 1000:.2f} ms" + ("" if case is cases[0] else f", {ratio:.2f} times the empty /24"),
            {cases[0].label: ALONE_100, cases[2].label: ALONE_10K}.get(case.label, NONE) if durable else NONE,
            None if case is cases[0] else Target(f"at most {_MOST_RATIO} times", met=ratio <= _MOST_RATIO),
            {"median": middle, "ratio": ratio, "durable": durable},
        )


def _allocate(book: AddressBook, subnet: Subnet, span: Range | None = None) -> float:
    asker = Asker(mac=":".join(f"{octet:02x}" for octet in b"\x52" + secrets.token_bytes(5)))
    began = time.perf_counter()
    book.suggest(subnet, asker, seeding.CALLER, span=span, use=Use.DHCP if subnet.dhcp else Use.IPAM)
    return time.perf_counter() - began


@contextmanager
def _disk(*, waits: bool) -> Iterator[None]:
    """Let commits wait for the disk as always, or let nobody wait: what is left is what the book itself does."""
    if waits:
        yield
        return
    with mock.patch.object(os, "fdatasync", return_value=None):
        yield
