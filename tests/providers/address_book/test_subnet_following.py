"""Subnets that are made upstream around hosts that are served: the DHCP server follows."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.ipam.contract import IPAMCapabilities, Picture, PicturedGroup, PicturedSubnet
from providers.model import SubnetSpec, Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, host, mac
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.ipam.remote_double import RemoteIPAM, Upstream

OUTER, INNER = IPNetwork("10.0.0.0/16"), IPNetwork("10.0.1.0/24")


class PicturedIPAM(RemoteIPAM):
    """One where the subnets are made upstream."""

    capabilities: ClassVar[IPAMCapabilities] = IPAMCapabilities(remote=True, edits_subnets=False)
    networks: tuple[IPNetwork, ...] = (OUTER,)

    def picture(self) -> Picture:
        """One group with the networks."""
        made = (PicturedSubnet(str(each), SubnetSpec(each, "1")) for each in self.networks)
        return Picture((PicturedGroup("1", "Lab"),), tuple(made))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def address_book(book: Book, clock: HandClock, server: Server) -> AddressBook:
    ipam = PicturedIPAM(book, {"upstream": Upstream()})
    dhcp = RecordingDHCP(book, {"server": server})
    return AddressBook(book, ipam, dhcp, lifetimes=Lifetimes(), clock=clock)


def nest(address_book: AddressBook, clock: HandClock) -> None:
    """Somebody makes a subnet inside the other one upstream, and we look."""
    address_book.ipam.networks = (OUTER, INNER)
    clock.pass_(seconds=address_book.ipam.picture_every / timedelta(seconds=1) + 1)
    address_book.subnets()


def test_what_moved_into_a_subnet_of_upstream_is_served_from_there(address_book, clock, server):
    outer = address_book.subnet(OUTER)
    address_book.reserve(outer, IPAddress("10.0.1.7"), Use.DHCP, CALLER, host=host(1))
    nest(address_book, clock)

    inner = address_book.subnet(INNER)
    assert set(server.served) == {(inner.id, mac(1))}


def test_a_server_that_is_away_then_is_no_failure_and_a_sync_heals_it(address_book, clock, server):
    outer = address_book.subnet(OUTER)
    address_book.reserve(outer, IPAddress("10.0.1.7"), Use.DHCP, CALLER, host=host(1))
    server.broken = {"publish", "withdraw"}
    nest(address_book, clock)
    assert set(server.served) == {(outer.id, mac(1))}

    server.broken = set()
    address_book.sync(CALLER, most_percent=100)
    assert set(server.served) == {(address_book.subnet(INNER).id, mac(1))}
