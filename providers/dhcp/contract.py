"""What every DHCP provider does for the address book."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import Schema
from netaddr import IPAddress

from providers.addresses import Range
from providers.book.database import Book
from providers.errors import Unavailable, Unreached
from providers.model import DHCPHost, Lease, Subnet


@dataclass(frozen=True, slots=True)
class DHCPCapabilities:
    """What a provider can do.

    ``publishes``: there is a server that has to be told. ``leases``: it hands out addresses on its own and we see
    them. ``features`` are the capabilities that Foreman reads in ``/v2/features``: ``dhcp_filename_hostname`` says
    that next-server may be a host name, ``dhcp_filename_ipv4`` that it may be an address. ``in_one_step``: ``replace``
    reads the book itself and writes everything at once, whatever changes meanwhile; without it hosts that differ are
    published and withdrawn one by one when book and server are brought together.
    """

    publishes: bool
    leases: bool
    features: tuple[str, ...] = ("dhcp_filename_hostname", "dhcp_filename_ipv4")
    in_one_step: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a server does what it is there for; ``detail`` says in one sentence what it is or what is wrong."""

    ok: bool
    detail: str


@contextmanager
def once_told() -> Iterator[None]:
    """From here on the server may have done something of it: Unreached is raised as Unavailable."""
    try:
        yield
    except Unreached as error:
        raise Unavailable(str(error)) from error


class DHCPProvider(ABC):
    """Serves what the book says.

    How the address book uses one:

    1. ``refuse_unfit`` before anything is written;
    2. ``publish`` after the host was written into the book, with a mark that it is pending, and the IPAM said yes; a
       failure undoes the reservation and reaches the caller (rule 13), success takes the mark away;
    3. ``withdraw`` before anything else when a host goes, after it was marked as going (rule 10);
    4. ``served`` and ``replace`` when the book and the server are compared and brought together;
    5. ``lease_of``, ``lease_at`` and ``leases`` to see what the server gave out on its own: such an address is never
       suggested to another, and its owner gets it back.

    A provider that writes whole files reads the hosts of a subnet from the book with ``providers.book.pending
    .host_page``, which leaves out those that are going: so one write carries everybody's changes.

    What changes the server is never called inside a transaction of the book. Each call ends within a bounded time and
    raises Unavailable when the server does not answer or does not do it (Unreached only when it has done nothing of
    it), InvalidValue when a value can never be
    served, Conflict when the server has somebody else there. ``lease_at`` and ``lease_of`` are called inside one, so
    they answer from memory, looking at most once a second whether that is still right.
    """

    name: ClassVar[str]
    capabilities: ClassVar[DHCPCapabilities]
    settings_schema: ClassVar[type[Schema]] = Schema

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        """``settings`` went through ``settings_schema``. The server need not be there yet."""
        self.book = book
        self.settings = settings

    def refuse_unfit(self, subnet: Subnet, host: DHCPHost) -> None:  # noqa: B027 - most have no limits of their own
        """Raise InvalidValue for what this server can never serve, whatever state it is in."""

    @abstractmethod
    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve ``host`` (its ``address`` is set) and confirm that it is served. Publishing twice is no error."""

    @abstractmethod
    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve ``host`` no longer. One that is not served is no error."""

    @abstractmethod
    def served(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """The hosts of ours that the server has for ``subnet``, read back from it, by address."""

    def as_served(self, subnet: Subnet, host: DHCPHost) -> DHCPHost:
        """``host`` as ``served`` gives it back once it is published; for a server that cannot keep every value."""
        return host

    def replace(self, subnet: Subnet, hosts: Sequence[DHCPHost]) -> None:
        """Let the server serve exactly ``hosts`` of ours in ``subnet``. What is right already is left alone."""
        wanted = {host.mac: host for host in hosts}
        there = {host.mac: host for host in self.served(subnet)}
        for mac, host in there.items():
            if mac not in wanted or self.as_served(subnet, wanted[mac]) != host:
                self.withdraw(subnet, host)
        for mac, host in wanted.items():
            if there.get(mac) != self.as_served(subnet, host):
                self.publish(subnet, host)

    def refresh(self) -> None:  # noqa: B027 - most read files, which is quick enough where it is needed
        """Look what the server leased meanwhile, at most once a second: called before ``lease_at`` and ``lease_of``.

        Outside a transaction, so this may ask the server. Raises Unavailable when nothing is known yet; what is known
        and cannot be refreshed is good enough.
        """

    @abstractmethod
    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """The active leases of ``subnet``, by address."""

    @abstractmethod
    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """The active lease on ``address``, from memory: every suggestion asks."""

    @abstractmethod
    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """The active lease of ``mac`` in ``subnet``, from memory: every suggestion asks."""

    def first_unleased(self, subnet: Subnet, within: Range) -> IPAddress | None:
        """The first address of ``within`` without an active lease, from memory; None when all have one."""
        for number in range(int(within.first), int(within.last) + 1):
            address = IPAddress(number, within.first.version)
            if self.lease_at(subnet, address) is None:
                return address
        return None

    @abstractmethod
    def health(self) -> Health:
        """How the server is. Never raises."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of connections and files."""
