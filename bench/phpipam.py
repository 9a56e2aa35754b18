"""Next address and reserve with phpIPAM as the truth: in the double of the tests, and in a real one where one is named.

The double answers faster than phpIPAM does, so what is seen of it is what Leasehold itself adds, and the number of
calls. A real one is what LEASEHOLD_TEST_PHPIPAM_URL names, see ``tests/phpipam/real_server.py``; those of its subnets
that are there are measured as full as they are, and what was reserved in them is released again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from netaddr import IPAddress, IPNetwork

from bench import seeding
from bench.report import Row, Target
from bench.ruby_proxy import NONE
from providers.address_book import AddressBook, Lifetimes
from providers.book import schema_version
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.ipam.phpipam.provider import PhpIPAM
from providers.model import Asker, Subnet, Use
from tests.phpipam.real_server import named_server
from tests.phpipam.separate import separate_double

_CIDR = "10.60.0.0/16"
_TAKEN = (100, 60_000)
_WARM_UP = 5
_MOST_CALLS = 2
_MOST_RATIO = 1.5
_DOUBLE = {"user": "leasehold", "password": "leasehold-pass"}


@dataclass
class _Case:
    """One subnet, and what it took to get addresses of it: seconds, and calls of phpIPAM."""

    label: str
    book: AddressBook
    provider: PhpIPAM
    subnet: Subnet
    took: dict[str, list[float]] = field(default_factory=lambda: {"next address": [], "reserve": []})
    calls: dict[str, list[int]] = field(default_factory=lambda: {"next address": [], "reserve": []})
    reserved: list[IPAddress] = field(default_factory=list)

    def allocate(self) -> None:
        """One more address, asked for and reserved."""
        asker = Asker(mac=":".join(f"{octet:02x}" for octet in b"\x52" + secrets.token_bytes(5)))
        began, before = time.perf_counter(), self._calls()
        address = self.book.suggest(self.subnet, asker, seeding.CALLER, use=Use.IPAM)
        between, told = time.perf_counter(), self._calls()
        self.book.reserve(self.subnet, address, Use.IPAM, seeding.CALLER, name="bench.example.com", mac=asker.mac)
        ended, after = time.perf_counter(), self._calls()
        self.reserved.append(address)
        self.took["next address"].append(between - began)
        self.took["reserve"].append(ended - between)
        self.calls["next address"].append(told - before)
        self.calls["reserve"].append(after - told)

    def forget(self) -> None:
        """What was seen until now was warming up."""
        for seen in (self.took, self.calls):
            for values in seen.values():
                values.clear()

    def give_back(self) -> None:
        """Release what was reserved."""
        for address in self.reserved:
            self.book.release(self.subnet, seeding.CALLER, address=address)

    def _calls(self) -> int:
        return sum(count for kind, count in self.provider.client.calls.items() if "failed" not in kind)


def through_phpipam(directory: Path, samples: int) -> Iterator[Row]:
    """At 100 and at 60,000 addresses in turns; then the subnets of a real phpIPAM."""
    with ExitStack() as stack:
        cases = []
        for taken in _TAKEN:
            double = stack.enter_context(separate_double(_CIDR, taken=taken))
            file, label = directory / f"double-{taken}.db", f"double, {taken:,} taken"
            cases.append(_opened(stack, file, label, _CIDR, _DOUBLE | {"url": double.url}))
        yield from _compared(cases, samples)
    real = named_server()
    if real is not None:
        with ExitStack() as stack:
            cases = [
                _opened(stack, directory / f"real-{place}.db", f"real, {cidr}", cidr, real.settings)
                for place, cidr in enumerate(real.subnets)
            ]
            yield from _compared(cases, samples)


def _opened(stack: ExitStack, file: Path, label: str, cidr: str, settings: Mapping[str, Any]) -> _Case:
    book = Book(f"sqlite:///{file}")
    schema_version.upgrade(book)
    known: Any = PhpIPAM.settings_schema().load(settings)
    provider = PhpIPAM(book, known)
    address_book = AddressBook(book, provider, NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    stack.callback(address_book.close)
    case = _Case(label, address_book, provider, address_book.subnet(IPNetwork(cidr)))
    stack.callback(case.give_back)
    return case


def _compared(cases: list[_Case], samples: int) -> Iterator[Row]:
    """The cases in turns, so that whatever else the machine does hits all of them alike."""
    for case in cases:
        for _ in range(_WARM_UP):
            case.allocate()
        case.forget()
    for _ in range(samples):
        for case in cases:
            case.allocate()
    for what in ("next address", "reserve"):
        standard = median(cases[0].took[what])
        for case in cases:
            middle, calls = median(case.took[what]), max(case.calls[what])
            ratio = middle / standard
            target = Target(
                f"at most {_MOST_CALLS} calls, {_MOST_RATIO} times the first",
                met=calls <= _MOST_CALLS and ratio <= _MOST_RATIO,
            )
            figure = f"median {middle * 1000:.1f} ms, {calls} calls at most"
            values = {"median": middle, "calls": calls, "ratio": ratio}
            yield Row(f"{what}, phpIPAM", case.label, figure, NONE, target, values)
