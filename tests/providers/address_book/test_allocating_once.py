"""Reserving the next address under a key: one reservation for one key, whoever fails, is killed, or asks at once."""

from __future__ import annotations

from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.errors import Exhausted, Unavailable
from providers.ipam.local import LocalIPAM
from providers.model import Asker, DHCPHost, Reservation, Subnet, SubnetSpec, Use
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.ipam.remote_double import RemoteIPAM, Upstream
from tests.providers.processes import CONTEXT, together
from tests.providers.soundness import assert_sound

ROUNDS = 40


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/29: .1 to .6."""
    return desk.add("10.0.1.0/29")


@pytest.fixture
def upstream(address_book: AddressBook) -> Upstream:
    """The truth is upstream."""
    found = Upstream()
    address_book.ipam = RemoteIPAM(address_book.book, {"upstream": found})
    return found


@pytest.fixture
def server(address_book: AddressBook) -> Server:
    """A DHCP server has to be told."""
    found = Server()
    address_book.dhcp = RecordingDHCP(address_book.book, {"server": found})
    return found


def take(
    address_book: AddressBook, subnet: Subnet, key: str, name: str = "web", number: int | None = None
) -> Reservation:
    """As a request for the next address, with a DHCP host if it has a MAC."""
    of = None if number is None else mac(number)
    host = None if of is None else DHCPHost(of, name, name)
    return address_book.allocate(
        subnet, Asker(key, of), Use.MANUAL, CALLER, name=name, mac=of, host=host, once=True
    )


def taken(address_book: AddressBook, subnet: Subnet) -> list[str]:
    return [str(each.address) for each in address_book.reservations(subnet)]


def test_the_same_key_gets_what_it_got(address_book, subnet):
    first = take(address_book, subnet, "a")
    assert take(address_book, subnet, "a", "other") == first
    assert str(take(address_book, subnet, "b").address) == "10.0.1.2"
    assert taken(address_book, subnet) == ["10.0.1.1", "10.0.1.2"]
    assert address_book.holds(subnet) == []


def test_each_subnet_has_its_own_keys(desk, address_book, subnet):
    take(address_book, subnet, "a")
    assert str(take(address_book, desk.add("10.0.2.0/29"), "a").address) == "10.0.2.1"


def test_it_gets_that_also_when_nothing_else_is_left(address_book, subnet):
    for number in range(6):
        take(address_book, subnet, f"k{number}")
    assert str(take(address_book, subnet, "k3").address) == "10.0.1.4"
    with pytest.raises(Exhausted):
        take(address_book, subnet, "more")


def test_what_was_released_is_no_answer(address_book, subnet, clock):
    first = take(address_book, subnet, "a")
    address_book.release(subnet, CALLER, address=first.address)
    address_book.reserve(subnet, first.address, Use.MANUAL, CALLER, name="other")
    assert str(take(address_book, subnet, "a").address) == "10.0.1.2"


def test_it_is_told_again_whoever_was_killed_before(address_book, subnet, upstream, server):
    first = take(address_book, subnet, "a", number=1)
    upstream.rows.clear()
    assert take(address_book, subnet, "a", number=1).address == first.address
    assert len(upstream.rows) == 1
    assert [str(each.address) for each in server.served.values()] == ["10.0.1.1"]


@pytest.mark.parametrize("number", [None, 1])
def test_a_failure_of_the_first_does_not_take_back_what_the_second_was_told(
    address_book, subnet, upstream, server, clock, number
):
    def second() -> None:
        clock.pass_(seconds=1)
        told.append(take(address_book, subnet, "a", number=number))
        upstream.broken = {"create"}

    told: list[Reservation] = []
    upstream.meanwhile["create"] = second
    with pytest.raises(Unavailable):
        take(address_book, subnet, "a", number=number)

    upstream.broken = set()
    assert taken(address_book, subnet) == [str(told[0].address)]
    assert [address for _, address in upstream.rows] == [str(told[0].address)]
    assert len(server.served) == (number is not None)


def test_a_release_at_the_same_moment_leaves_nothing_upstream(address_book, subnet, upstream):
    """It comes when the repeated request has found that upstream lacks the address, and is about to take it there."""
    first = take(address_book, subnet, "a")
    upstream.rows.clear()
    upstream.meanwhile["create"] = lambda: address_book.release(subnet, CALLER, address=first.address)
    take(address_book, subnet, "a")
    assert (taken(address_book, subnet), upstream.rows) == ([], {})


def test_nor_does_a_second_release_of_what_somebody_joined(address_book, subnet, upstream):
    first = take(address_book, subnet, "a", number=1).address
    use = Use.GUEST
    upstream.meanwhile["delete"] = lambda: address_book.reserve(subnet, first, use, CALLER, mac=mac(1))
    upstream.meanwhile["create"] = lambda: address_book.release(subnet, CALLER, address=first)
    address_book.release(subnet, CALLER, address=first)
    assert (taken(address_book, subnet), upstream.rows) == ([], {})


def test_a_failure_alone_leaves_nothing(address_book, subnet, upstream):
    upstream.broken = {"create"}
    with pytest.raises(Unavailable):
        take(address_book, subnet, "a")
    upstream.broken = set()
    assert taken(address_book, subnet) == []
    assert str(take(address_book, subnet, "a").address) == "10.0.1.1"


def test_another_host_under_the_same_key_is_not_served(address_book, subnet, server):
    """The second request comes while the first one is being told, and says something else."""
    told: list[Reservation] = []
    server.meanwhile["publish"] = lambda: told.append(take(address_book, subnet, "a", "other", 2))
    first = take(address_book, subnet, "a", "web", 1)
    assert [each.hosts for each in told] == [first.hosts]
    assert [each.mac for each in server.served.values()] == [mac(1)]


def test_a_move_into_a_new_subnet_takes_the_key_along(desk, address_book, subnet):
    first = take(address_book, subnet, "a")
    inner = desk.add("10.0.1.0/30")
    assert take(address_book, inner, "a").address == first.address


@pytest.fixture(params=["book", "postgresql_book"])
def url(request: pytest.FixtureRequest) -> str:
    """A book on either database with a subnet."""
    book: Book = request.getfixturevalue(request.param)
    found = str(book.url.render_as_string(hide_password=False))
    address_book = opened(found)
    address_book.add_subnet(SubnetSpec(IPNetwork("10.0.1.0/24"), "Lab"), CALLER)
    address_book.close()
    return found


def opened(url: str) -> AddressBook:
    book = Book(url)
    return AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)


def take_in_turn(_number: int, url: str, gate: Any) -> list[tuple[int, IPAddress]]:
    """Ask under one key after the other, always at the moment when the others do."""
    address_book = opened(url)
    subnet = address_book.subnet(IPNetwork("10.0.1.0/24"))
    told = []
    for turn in range(ROUNDS):
        gate.wait(60)
        told.append((turn, take(address_book, subnet, f"order-{turn}").address))
    address_book.close()
    return told


@pytest.mark.race
def test_two_at_once_under_one_key_get_one_address(url: str):
    told = together(2, take_in_turn, url, CONTEXT.Barrier(2))

    address_book = opened(url)
    assert len(told) == 2 * ROUNDS
    assert len(set(told)) == ROUNDS == len({address for _, address in told})
    assert {each.address for each in address_book.reservations()} == {address for _, address in told}
    assert address_book.holds() == []
    assert_sound(address_book.book)
    address_book.close()
