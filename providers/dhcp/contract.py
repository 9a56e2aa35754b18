"""What every DHCP provider does for the address book."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import Schema
from netaddr import IPAddress

from providers.book.database import Book
from providers.model import DHCPHost, Lease, Subnet


@dataclass(frozen=True, slots=True)
class DHCPCapabilities:
    """What a provider can do.

    ``publishes``: there is a server that has to be told. ``leases``: it hands out addresses on its own and we see
    them. ``features`` are the capabilities that Foreman reads in ``/v2/features``: ``dhcp_filename_hostname`` says
    that next-server may be a host name, ``dhcp_filename_ipv4`` that it may be an address.
    """

    publishes: bool
    leases: bool
    features: tuple[str, ...] = ("dhcp_filename_hostname", "dhcp_filename_ipv4")


class DHCPProvider(ABC):
    """Serves what the book says.

    How the address book uses one:

    1. ``publish`` after the IPAM said yes; a failure undoes the reservation and reaches the caller (rule 13);
    2. ``withdraw`` before anything else when a host goes (rule 10);
    3. ``lease_of``, ``lease_at`` and ``leases`` to see what the server gave out on its own: such an address is never
       suggested to another, and its owner gets it back.

    ``publish`` and ``withdraw`` are never called inside a transaction of the book. Each ends within a bounded time and
    raises Unavailable when the server does not answer, InvalidValue when a value can never be served. ``lease_at`` and
    ``lease_of`` are called inside one, so they answer from memory.
    """

    name: ClassVar[str]
    capabilities: ClassVar[DHCPCapabilities]
    settings_schema: ClassVar[type[Schema]] = Schema

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        """``settings`` went through ``settings_schema``."""
        self.book = book
        self.settings = settings

    @abstractmethod
    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve ``host`` (its ``address`` is set) and confirm that it is served. Publishing twice is no error."""

    @abstractmethod
    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve ``host`` no longer. One that is not served is no error."""

    @abstractmethod
    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """The active leases of ``subnet``, by address."""

    @abstractmethod
    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """The active lease on ``address``, from memory: every suggestion asks."""

    @abstractmethod
    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """The active lease of ``mac`` in ``subnet``, from memory: every suggestion asks."""
