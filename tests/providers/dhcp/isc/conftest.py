"""A real dhcpd with one subnet, and an address book that tells it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.dhcp.isc.provider import ISCDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Subnet
from tests.conftest import HandClock
from tests.dhcp_network import Network
from tests.providers.desk import Desk
from tests.providers.dhcp.isc.dhcpd_server import HEAD, Dhcpd

CONFIGURATION = f"""{HEAD}
host declared {{
  hardware ethernet 52:54:00:99:00:01;
  fixed-address 10.77.0.9;
  filename "declared.0";
  option host-name "declared";
}}
subnet 10.77.0.0 netmask 255.255.255.0 {{
  range 10.77.0.100 10.77.0.120;
  option routers 10.77.0.1;
  option domain-name-servers 10.77.0.53;
}}
"""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """dhcpd writes a host down a moment after it has said yes, or a long moment on a machine that stands still."""
    monkeypatch.setattr("providers.dhcp.isc.provider._READ_BACK_SECONDS", 20.0)


@pytest.fixture
def network() -> Iterator[Network]:
    """A server's and a client's side; the test itself is on the server's."""
    with Network() as made, made.server.entered():
        yield made


@pytest.fixture
def dhcpd(network: Network, tmp_path: Path) -> Iterator[Dhcpd]:
    """dhcpd, started."""
    directory = tmp_path / "dhcpd"
    directory.mkdir()
    server = Dhcpd(network, directory, CONFIGURATION)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def provider(dhcpd: Dhcpd, book: Book) -> Iterator[ISCDHCP]:
    """The provider; a test in which dhcpd hangs says for how long it waits."""
    made = dhcpd.provider(book)
    yield made
    made.close()


@pytest.fixture
def desk(provider: ISCDHCP, book: Book, clock: HandClock) -> Desk:
    """An address book on that provider."""
    return Desk(AddressBook(book, LocalIPAM(book, {}), provider, lifetimes=Lifetimes(), clock=clock), clock)


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """The subnet that dhcpd serves."""
    return desk.add("10.77.0.0/24", gateway="10.77.0.1", dynamic="10.77.0.100-10.77.0.120")
