"""Bringing book and DHCP server together in the background."""

from __future__ import annotations

import fcntl
import logging
import threading

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook
from providers.book import pending
from providers.dhcp.none import NoDHCP
from providers.errors import Unavailable
from providers.model import Caller, DHCPHost, Pending, SubnetSpec, Use
from proxy.settings import load
from proxy.syncing import BackgroundSync, start_sync
from tests.providers.dhcp.recording_double import RecordingDHCP, Server

CALLER = Caller("test")
MAC = "52:54:00:00:00:01"
DEADLINE = 60


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def address_book(address_book: AddressBook, server):
    """A host in the book, of which the server knows nothing."""
    subnet = address_book.add_subnet(SubnetSpec(IPNetwork("10.0.1.0/24"), "Lab"), CALLER)
    host = DHCPHost(MAC, "web1", "web1")
    address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.DHCP, CALLER, host=host)
    address_book.dhcp = RecordingDHCP(address_book.book, {"server": server})
    return address_book


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    return load(environ={})


@pytest.fixture
def sync(address_book, settings):
    return BackgroundSync(address_book, settings, pause=0.01)


def published(server: Server) -> threading.Event:
    """Set when the server is told of a host."""
    told = threading.Event()
    server.meanwhile["publish"] = told.set
    return told


def test_it_heals_when_the_service_starts(address_book, settings, server):
    told = published(server)
    thread = start_sync(address_book, settings)
    try:
        assert told.wait(DEADLINE)
    finally:
        thread.stop()
        thread.join(DEADLINE)
    assert {mac for _, mac in server.served} == {MAC}


def test_it_does_nothing_where_nobody_is_told(address_book, settings):
    address_book.dhcp = NoDHCP(address_book.book, {})
    assert start_sync(address_book, settings) is None


def test_it_leaves_the_work_to_another_process_until_that_ends(sync, settings, server):
    told = published(server)
    with (settings.state_dir / "sync.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        sync.start()
        assert not told.wait(0.2)
    try:
        assert told.wait(DEADLINE)
    finally:
        sync.stop()
        sync.join(DEADLINE)


def test_it_tries_again_while_the_server_is_away(sync, address_book, monkeypatch):
    tried = iter([Unavailable("no answer"), Unavailable("no answer"), []])
    done = threading.Event()

    def answer(*_args, **_kwargs):
        outcome = next(tried)
        if isinstance(outcome, Exception):
            raise outcome
        done.set()
        return outcome

    monkeypatch.setattr(address_book, "sync", answer)
    sync.start()
    try:
        assert done.wait(DEADLINE)
    finally:
        sync.stop()
        sync.join(DEADLINE)


def test_what_is_too_much_is_said_and_left(sync, address_book, server, caplog):
    subnet = address_book.subnets()[0]
    for number in range(20):
        mac = f"52:54:00:00:01:{number:02x}"
        stray = DHCPHost(mac, f"stray{number}", "stray", address=IPAddress(f"10.0.1.{100 + number}"))
        server.served[subnet.id, mac] = stray
    with caplog.at_level(logging.ERROR):
        assert sync.heal(everything=True)
    assert "20 would go" in caplog.text
    assert len(server.served) == 20


def test_an_old_mark_is_reason_enough(sync, address_book, clock, server):
    sync.heal(everything=True)
    subnet = address_book.subnets()[0]
    with address_book.book.engine.begin() as connection:
        pending.mark(connection, subnet, MAC, Pending.WITHDRAW, clock())
    sync.heal(everything=False)
    assert server.served
    clock.pass_(minutes=3)
    sync.heal(everything=False)
    assert not server.served
    assert address_book.host_of(subnet, MAC) is None
