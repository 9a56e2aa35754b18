"""What every IPAM provider does for the address book."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import Schema
from netaddr import IPAddress

from providers.book.database import Book
from providers.errors import Forbidden
from providers.model import Reservation, Subnet, SubnetSpec, Use


@dataclass(frozen=True, slots=True)
class IPAMCapabilities:
    """What a provider can do.

    ``remote``: the truth lives elsewhere, so its calls may fail and cost time.
    ``edits_subnets``: subnets and groups are made and changed through us; otherwise ``picture`` says what there is.
    ``bulk``: ``records`` reads a whole subnet at once.
    """

    remote: bool
    edits_subnets: bool
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class PicturedGroup:
    """A group as upstream has it; ``key`` is its name for ever, ``name`` may change."""

    key: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class PicturedSubnet:
    """A subnet as upstream has it. ``spec.group`` is the key of its group.

    Of ``spec`` only network, description and the provider's ``pictured_options`` count: pool, dynamic range,
    exclusions, strategy and whether ``/dhcp`` serves it are the book's. ``full``: somebody said so upstream, so
    nothing is suggested from it, whatever is free.
    """

    key: str
    spec: SubnetSpec
    full: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """All groups and subnets that upstream has."""

    groups: tuple[PicturedGroup, ...]
    subnets: tuple[PicturedSubnet, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """An address as the IPAM keeps it; ``ours`` is whether it bears our mark (rule 12).

    ``description`` and ``note`` are as the book has them. In what is written, None leaves a value as upstream has it,
    and an empty text takes it away. Of a guest's address also: ``owner`` is the guest, ``node`` the host that it is on,
    ``emulator`` what runs it, ``online`` whether it runs. A provider puts them where the settings say. ``counts_as`` is
    the use that a row stands for which the book does not know.
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
    counts_as: Use = Use.UPSTREAM


def our_record(reservation: Reservation) -> Record:
    """A reservation of the book as the IPAM is to keep it."""
    described = (reservation.name, reservation.mac, reservation.description, reservation.note)
    return Record(reservation.address, *described, ours=True)


_TEXTS = ("name", "mac", "description", "note", "owner", "node", "emulator")


def amendment(old: Record, new: Record) -> Record:
    """What turns ``old`` into ``new`` upstream: what only ``old`` says is taken away."""
    gone = [each for each in _TEXTS if getattr(old, each) is not None and getattr(new, each) is None]
    empty: dict[str, Any] = dict.fromkeys(gone, "")
    return replace(new, **empty)


class IPAMProvider(ABC):
    """Keeps the truth about which addresses are taken.

    How the address book uses one:

    1. ``picture`` now and then, where subnets are made upstream, so that the book's picture of them is fresh enough,
       and ``records`` now and then, so that it knows what others have taken;
    2. ``record`` after it took a hold on a candidate: an address that upstream has is passed over;
    3. ``create`` when an address gets its first use, ``amend`` when name, MAC, description or note become known;
    4. ``delete`` when its last use goes;
    5. ``hint`` when several candidates in a row were taken upstream.

    None of these is ever called inside a transaction of the book, so they may take time, but each must end within
    a bounded one. Every method raises Unavailable when upstream does not answer, Refused (one of those) when it will
    say the same until somebody acts. ``book`` is the SQL database that all proxies share, for what the provider has to
    remember.
    """

    name: ClassVar[str]
    capabilities: ClassVar[IPAMCapabilities]
    settings_schema: ClassVar[type[Schema]] = Schema
    picture_every: timedelta = timedelta(minutes=5)
    """How old the book's picture of groups and subnets may be."""
    pictured_options: frozenset[str] = frozenset()
    """The names of those options of a subnet that upstream keeps."""
    survey_every: timedelta = timedelta(minutes=15)
    """How old what the book knows about the rows of others may be."""

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        """``settings`` went through ``settings_schema``."""
        self.book = book
        self.settings = settings

    @classmethod
    def warnings(cls, settings: Mapping[str, Any]) -> list[str]:
        """What the operator is to hear at every start about these settings."""
        return []

    def picture(self) -> Picture:
        """All groups and subnets that upstream has; only where it ``edits_subnets`` itself."""
        raise NotImplementedError

    @abstractmethod
    def record(self, subnet: Subnet, address: IPAddress) -> Record | None:
        """What upstream says about ``address`` beyond what the book knows; None when it is free there."""

    @abstractmethod
    def create(self, subnet: Subnet, record: Record) -> None:
        """Take the address upstream. Raises Conflict when someone was faster: upstream has the last word (rule 11).

        A row of ours that is there already becomes this one. Raises Uncertain when it may have been taken all the same.
        """

    @abstractmethod
    def amend(self, subnet: Subnet, record: Record) -> None:
        """Write what ``record`` says of an address that is ours.

        What it leaves open (None) stays as upstream has it: whoever changes a name need not know the guest. An empty
        text takes a value away.
        May raise NotFound when upstream has no row of the address: the caller makes it anew.
        """

    @abstractmethod
    def delete(self, subnet: Subnet, address: IPAddress) -> None:
        """Give the address back upstream. An address that is absent, or not ours, is left alone: no error."""

    def records(self, subnet: Subnet) -> Iterator[Record]:
        """What upstream says about every address of ``subnet``, in any order; for providers that can ``bulk``."""
        raise NotImplementedError

    def hint(self, subnet: Subnet) -> IPAddress | None:
        """The lowest address that upstream thinks is free, if it can say so at less cost than being asked one by one.

        It knows no pool and no holds, so it only tells that everything below is taken.
        """
        return None

    def as_kept(self, record: Record) -> Record:
        """``record`` as it would be read back after it was written: cut and without what upstream has no place for."""
        return record

    def adopt(self, subnet: Subnet, record: Record) -> None:
        """Put our mark on the row of others that ``record`` is (rule 12)."""
        raise Forbidden(f"{record.address}: the rows of {self.name} cannot be adopted")
