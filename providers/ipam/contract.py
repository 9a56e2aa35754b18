"""What every IPAM provider does for the address book."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import Schema
from netaddr import IPAddress

from providers.book.database import Book
from providers.model import Reservation, Subnet


@dataclass(frozen=True, slots=True)
class IPAMCapabilities:
    """What a provider can do.

    ``remote``: the truth lives elsewhere, so its calls may fail and cost time.
    ``edits_subnets``: subnets and groups are made and changed through us; otherwise upstream has them.
    """

    remote: bool
    edits_subnets: bool


@dataclass(frozen=True, slots=True)
class Record:
    """An address as the IPAM keeps it; ``ours`` is whether it bears our mark (rule 12).

    ``description`` and ``note`` are as the book has them. Of a guest's address also: ``owner`` is the guest, ``node``
    the host that it is on, ``emulator`` what runs it, ``online`` whether it runs. A provider puts them where the
    settings say.
    """

    address: IPAddress
    name: str | None = None
    mac: str | None = None
    description: str | None = None
    note: str | None = None
    ours: bool = False
    owner: str | None = None
    node: str | None = None
    emulator: str | None = None
    online: bool | None = None


def our_record(reservation: Reservation) -> Record:
    """A reservation of the book as the IPAM is to keep it."""
    described = (reservation.name, reservation.mac, reservation.description, reservation.note)
    return Record(reservation.address, *described, ours=True)


class IPAMProvider(ABC):
    """Keeps the truth about which addresses are taken.

    How the address book uses one:

    1. ``refresh`` before it looks for subnets, so that the book's picture of them is fresh enough;
    2. ``record`` after it took a hold on a candidate: an address that upstream has is passed over;
    3. ``create`` when an address gets its first use, ``amend`` when name, MAC, description or note become known;
    4. ``delete`` when its last use goes.

    None of these is ever called inside a transaction of the book, so they may take time, but each must end within
    a bounded one. Every method raises Unavailable when upstream does not answer. ``book`` is the SQL database that
    all proxies share, for what the provider has to remember.
    """

    name: ClassVar[str]
    capabilities: ClassVar[IPAMCapabilities]
    settings_schema: ClassVar[type[Schema]] = Schema

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        """``settings`` went through ``settings_schema``."""
        self.book = book
        self.settings = settings

    @abstractmethod
    def refresh(self) -> None:
        """Bring groups and subnets of the book up to what upstream has, sparingly."""

    @abstractmethod
    def record(self, subnet: Subnet, address: IPAddress) -> Record | None:
        """What upstream says about ``address`` beyond what the book knows; None when it is free there."""

    @abstractmethod
    def create(self, subnet: Subnet, record: Record) -> None:
        """Take the address upstream. Raises Conflict when someone was faster: upstream has the last word (rule 11)."""

    @abstractmethod
    def amend(self, subnet: Subnet, record: Record) -> None:
        """Write name, MAC, description and note of an address that is ours."""

    @abstractmethod
    def delete(self, subnet: Subnet, address: IPAddress) -> None:
        """Give the address back upstream. An address that is absent, or not ours, is left alone: no error."""
