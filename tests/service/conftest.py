"""A real service for each test, and a book made beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from crowd import Client
from running import Service

from providers.address_book import AddressBook, Lifetimes
from providers.addresses import parse_network
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Caller, SubnetSpec

NETWORKS = ("10.0.0.0/20", "10.1.0.0/26")


@pytest.fixture
def book_file(tmp_path: Path, empty_book_file: Path) -> Path:
    """The file of a book with the subnets in NETWORKS and nothing in them."""
    path = tmp_path / "leasehold.db"
    path.write_bytes(empty_book_file.read_bytes())
    book = Book(f"sqlite:///{path}")
    address_book = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    for network in NETWORKS:
        address_book.add_subnet(SubnetSpec(network=parse_network(network), group="Lab"), Caller("test"))
    address_book.close()
    return path


@pytest.fixture
def stopped_service(tmp_path: Path, book_file: Path) -> Iterator[Service]:
    """A service on that book that was not started yet; whatever a test starts of it is ended."""
    service = Service(book_file.parent)
    yield service
    service.stop()


@pytest.fixture
def service(stopped_service: Service) -> Service:
    """A service on that book that answers."""
    stopped_service.start()
    return stopped_service


@pytest.fixture
def client(service: Service) -> Client:
    """A client of the service that does not forgive."""
    return Client(service.port)
