"""Several subnets of one Kea: inside others, of other groups, leaving /dhcp, and such as Kea does not take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes, subnet_spec
from providers.address_book.incoming import Incoming, IncomingAddress, IncomingSubnet
from providers.book.database import Book
from providers.dhcp.contract import DHCPProvider
from providers.dhcp.kea.provider import KeaDHCP
from providers.dhcp.none import NoDHCP
from providers.errors import Unavailable
from providers.ipam.local import LocalIPAM
from providers.model import Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, description, host, mac
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory

ONE, TWO, INNER, UNKNOWN = "10.0.1.0/28", "10.0.2.0/24", "10.0.2.64/28", "10.0.2.128/28"


@pytest.fixture
def kea() -> Iterator[Kea]:
    """A Kea that lets nobody share an address."""
    with kea_directory() as directory:
        server = Kea(directory)
        for number, cidr in enumerate((ONE, TWO, INNER), 1):
            server.add_subnet(number, cidr)
        server.more = {"ip-reservations-unique": True}
        server.start()
        try:
            yield server
        finally:
            server.stop()


def desk_on(dhcp: DHCPProvider, book: Book, clock: HandClock) -> Desk:
    return Desk(AddressBook(book, LocalIPAM(book, {}), dhcp, lifetimes=Lifetimes(), clock=clock), clock)


@pytest.fixture
def desk(kea: Kea, book: Book, clock: HandClock) -> Desk:
    """Where Kea is told."""
    return desk_on(KeaDHCP(book, kea.settings), book, clock)


@pytest.fixture
def untold(book: Book, clock: HandClock) -> Desk:
    """The same book as it was before there was a Kea."""
    return desk_on(NoDHCP(book, {}), book, clock)


def test_hosts_that_went_into_an_inner_subnet_are_served_from_there(desk, kea):
    desk.serve(desk.add(TWO), "10.0.2.67", 1)
    inner = desk.add(INNER)

    assert (kea.served(TWO), kea.served(INNER)) == ({}, {mac(1): "10.0.2.67"})
    desk.release(inner, number=1)
    assert (kea.served(TWO), kea.served(INNER)) == ({}, {})


def test_hosts_that_went_into_an_imported_subnet_are_served_from_there(desk, kea):
    desk.serve(desk.add(TWO), "10.0.2.67", 1)
    desk.address_book.apply_import(Incoming((IncomingSubnet(description(INNER), "a file"),), ()), CALLER)

    assert (kea.served(TWO), kea.served(INNER)) == ({}, {mac(1): "10.0.2.67"})


def test_an_inner_subnet_that_kea_does_not_have_is_told_and_hosts_are_served_as_before(desk, kea):
    desk.serve(desk.add(TWO), "10.0.2.130", 1)

    with pytest.raises(Unavailable, match=rf"^{UNKNOWN} was added, but .* Kea has no subnet {UNKNOWN}: add it"):
        desk.add(UNKNOWN)

    assert kea.served(TWO) == {mac(1): "10.0.2.130"}


def test_a_subnet_that_leaves_dhcp_and_comes_back(desk, kea):
    subnet = desk.add(TWO)
    desk.serve(subnet, "10.0.2.67", 1)

    left = desk.address_book.change_subnet(subnet, replace(subnet_spec(subnet), dhcp=False), CALLER)
    assert kea.served(TWO) == {}
    desk.address_book.change_subnet(left, replace(subnet_spec(left), dhcp=True), CALLER)
    assert kea.served(TWO) == {mac(1): "10.0.2.67"}


def test_an_import_into_another_group_leaves_what_is_served_alone(desk, kea):
    subnet = desk.add(TWO)
    desk.serve(subnet, "10.0.2.5", 1)
    desk.add(TWO, group="Elsewhere", dhcp=False)
    entry = IncomingAddress(
        IPAddress("10.0.2.9"), "a file", frozenset({Use.DHCP}), "Elsewhere", subnet.network, host=host(2)
    )

    desk.address_book.apply_import(Incoming((), (entry,)), CALLER)

    assert kea.served(TWO) == {mac(1): "10.0.2.5"}


def test_one_host_that_kea_refuses_keeps_no_other_away(untold, desk, kea):
    one, two = untold.add(ONE), untold.add(TWO)
    for number in range(1, 10):
        untold.serve(one, f"10.0.1.{number}", number)
    untold.serve(one, "10.0.1.5", 60, related=[5])
    untold.serve(two, "10.0.2.5", 70)

    failures = [failure for each in desk.address_book.sync(CALLER, most_percent=20) for failure in each.failures]

    assert len(failures) == 1
    assert failures[0].startswith("Kea refuses 10.0.1.5: ")
    assert kea.served(ONE) == {mac(number): f"10.0.1.{number}" for number in range(1, 10)}
    assert kea.served(TWO) == {mac(70): "10.0.2.5"}
    desk.serve(one, "10.0.1.11", 11)
    assert len(kea.served(ONE)) == 10


def test_a_subnet_without_include_keeps_no_other_from_being_healed(untold, desk, kea):
    kea.stop()
    kea.write()
    kea.text = kea.configuration.read_text().replace(f'<?include "{kea.includes}/10.0.1.0-28.json"?>', "[]")
    kea.start()
    untold.serve(untold.add(ONE), "10.0.1.5", 1)
    untold.serve(untold.add(TWO), "10.0.2.5", 2)

    failures = [failure for each in desk.address_book.sync(CALLER, most_percent=20) for failure in each.failures]

    assert [failure for failure in failures if 'that subnet needs "reservations": <?include' in failure] == failures
    assert kea.served(TWO) == {mac(2): "10.0.2.5"}
