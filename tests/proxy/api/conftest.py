"""The faces on a book of their own, in front of a DHCP server that gave out some leases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.book.tables import metadata
from providers.clock import Clock
from providers.dhcp.contract import DHCPCapabilities, DHCPProvider, Health
from providers.errors import LeaseholdError
from providers.ipam.local import LocalIPAM
from providers.model import DHCPHost, Lease, Subnet
from proxy.app import create_app
from proxy.settings import Settings, load


class LeasingServer(DHCPProvider):
    """A DHCP server whose leases a test writes down; ``failure`` is raised by whatever is asked of it."""

    name: ClassVar[str] = "leasing"
    capabilities: ClassVar[DHCPCapabilities] = DHCPCapabilities(publishes=True, leases=True)

    def __init__(self, book: Book) -> None:
        super().__init__(book, {})
        self.written: list[Lease] = []
        self.published: list[DHCPHost] = []
        self.failure: LeaseholdError | None = None

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Note the host."""
        self._answer()
        self.published.append(host)

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Forget the host."""
        self._answer()
        self.published = [other for other in self.published if other.mac != host.mac]

    def served(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """Those of the subnet."""
        self._answer()
        return (host for host in self.published if host.address in subnet.network)

    def health(self) -> Health:
        """As it answers."""
        return Health(self.failure is None, str(self.failure or "well"))

    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """Those of the subnet."""
        self._answer()
        return (lease for lease in self.written if lease.address in subnet.network)

    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """That of the address."""
        return next((lease for lease in self.leases(subnet) if lease.address == address), None)

    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """That of the MAC."""
        return next((lease for lease in self.leases(subnet) if lease.mac == mac), None)

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def server(book: Book) -> LeasingServer:
    """The DHCP server."""
    return LeasingServer(book)


@pytest.fixture
def address_book(book: Book, server: LeasingServer, clock: Clock) -> AddressBook:
    """An address book on the empty book, with the local IPAM and that server."""
    return AddressBook(book, LocalIPAM(book, {}), server, lifetimes=Lifetimes(), clock=clock)


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings without files and environment, with the given keys."""
    monkeypatch.chdir(tmp_path)

    def configured(**keys: Any) -> Settings:
        return load(environ={}, **keys)

    return configured


@pytest.fixture
def started(address_book: AddressBook, configured: Callable[..., Settings]) -> Callable[..., Flask]:
    """An application with the given settings."""
    return lambda **keys: create_app(address_book, configured(**keys))


@pytest.fixture
def client(started: Callable[..., Flask]) -> FlaskClient:
    """Whoever calls an application with the default settings."""
    return started().test_client()


@pytest.fixture
def dump(book: Book) -> Callable[[], dict[str, list[Any]]]:
    """Everything that is in the book: rows by table."""

    def dump() -> dict[str, list[Any]]:
        with book.read() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(table.select()))) for table in metadata.sorted_tables
            }

    return dump
