"""A real service for hooks to talk to: one for all tests of a module is enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netaddr import IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Caller, SubnetSpec
from tests.service.running import Service


@contextmanager
def running_service(place: Path, empty_book_file: Path, *networks: str | SubnetSpec) -> Iterator[Service]:
    """``leasehold serve`` on a book with these subnets in the group Lab."""
    place.mkdir(exist_ok=True)
    (place / "leasehold.db").write_bytes(empty_book_file.read_bytes())
    book = Book(f"sqlite:///{place}/leasehold.db")
    address_book = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    for network in networks:
        spec = SubnetSpec(IPNetwork(network), "Lab") if isinstance(network, str) else network
        address_book.add_subnet(spec, Caller("test"))
    address_book.close()
    service = Service(place)
    try:
        service.start()
        yield service
    finally:
        service.stop()
