"""An application as somebody meets it: with a peer, a resolver and a clock that the test chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from netaddr import IPAddress, IPNetwork
from werkzeug.test import TestResponse

from providers.address_book import AddressBook
from providers.addresses import Range
from providers.book.database import Book
from providers.book.tables import metadata
from providers.guests import GuestReport, WantedAddress
from providers.model import Asker, Caller, DHCPHost, SubnetSpec, Use
from providers.token_use import LastUse
from providers.tokens import Tokens
from proxy.access.guard import guard_for
from proxy.access.throttle import Throttle
from proxy.app import create_app
from proxy.peer import Peer
from proxy.settings import Settings, load
from tests.conftest import HandClock
from tests.proxy.access.people import LOOPBACK, OTHER_GROUP, OTHER_SUBNET, THIS_GROUP, THIS_SUBNET, Names, Person

MAC = "52:54:00:00:00:10"


@pytest.fixture
def tokens(book: Book, clock: HandClock) -> Tokens:
    """The tokens of the book; that they were used is not noted."""
    return Tokens(book, clock, LastUse(book, start=lambda work: None))


@pytest.fixture
def names() -> Names:
    """The resolver."""
    return Names()


@pytest.fixture
def seeded(address_book: AddressBook) -> AddressBook:
    """Two subnets in two groups, each with a host."""
    seeder = Caller("seed")
    for network, group in ((THIS_SUBNET, THIS_GROUP), (OTHER_SUBNET, OTHER_GROUP)):
        subnet = address_book.add_subnet(SubnetSpec(network, group), seeder)
        address = IPAddress(network.first + 10)
        host = DHCPHost(MAC, "seeded.example.com", "seeded.example.com")
        address_book.reserve(subnet, address, Use.DHCP, seeder, host=host)
        for last in (40, 41):
            address_book.reserve(subnet, IPAddress(network.first + last), Use.GUEST, seeder)
        address_book.reserve(subnet, IPAddress(network.first + 42), Use.UPSTREAM, seeder)
        address_book.reserve(subnet, IPAddress(network.first + 43), Use.MANUAL, seeder)
        for last in (200, 201):
            only = Range(IPAddress(network.first + last), IPAddress(network.first + last))
            address_book.suggest(subnet, Asker(key=f"node1/{last}"), seeder, span=only)
    address_book.add_subnet(SubnetSpec(IPNetwork("10.0.3.0/24"), OTHER_GROUP, dhcp=False), seeder)
    has = (WantedAddress(IPAddress(THIS_SUBNET.first + 44)),)
    address_book.report_guest(
        GuestReport("node1", "web1", "node1", address_book.clock(), addresses=has, group=THIS_GROUP), seeder
    )
    address_book.report_guest(GuestReport("node1", "web2", "node1", address_book.clock()), seeder)
    address_book.claim("node1", "web4", "node1", seeder)
    return address_book


@dataclass
class House:
    """An application, and who calls it: ``peer`` and ``headers`` may be changed between requests."""

    app: Flask
    peer: Peer
    headers: dict[str, str]

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send a request and read the answer to its end."""
        sent = {"headers": self.headers, "base_url": f"{self.peer.scheme}://localhost", **more}
        return self.app.test_client().open(path, method=method, buffered=True, **sent)


@pytest.fixture
def house(
    seeded: AddressBook,
    tokens: Tokens,
    names: Names,
    clock: HandClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., House]:
    """An application with the given settings; without a person somebody on this machine calls."""
    monkeypatch.chdir(tmp_path)

    def house(person: Person | None = None, *, most: int = 10, **keys: Any) -> House:
        peer = Peer(LOOPBACK, "http", None) if person is None else person.peer
        if person is not None:
            keys = {**person.keys, **keys}
        settings: Settings = load(environ={}, **keys)
        guard = guard_for(
            seeded, settings, throttle=Throttle(clock, most=most), resolver=names, tokens=tokens, clock=clock
        )
        made: list[House] = []
        # Only where a request comes from is made up here; that it is found out rightly, tests/proxy/test_peer.py shows.
        guard = replace(guard, peer_of=lambda environ: made[0].peer)
        headers = {} if person is None else dict(person.headers)
        if person is not None and person.authorization is not None:
            headers["Authorization"] = person.authorization(tokens, clock)
        made.append(House(create_app(seeded, settings, guard=guard), peer, headers))
        return made[0]

    return house


@pytest.fixture
def dump(book: Book) -> Callable[[], Mapping[str, list[str]]]:
    """Everything that is in the book: rows by table."""

    def dump() -> Mapping[str, list[str]]:
        with book.read() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(table.select()))) for table in metadata.sorted_tables
            }

    return dump
