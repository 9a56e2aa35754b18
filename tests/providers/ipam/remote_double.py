"""An IPAM that lives elsewhere, in a dictionary: with rows of others, refusals and failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from netaddr import IPAddress

from providers.book.database import Book
from providers.errors import Conflict, NotFound, Unavailable
from providers.ipam.contract import IPAMCapabilities, IPAMProvider, Record
from providers.model import Subnet

Place = tuple[str, str]


@dataclass
class Upstream:
    """The server: it outlives every provider that talks to it.

    ``broken`` names the calls that fail; ``meanwhile`` runs once at the start of a call, before anything else, as
    another proxy or a person might. ``calls`` keeps (call, address) in order.
    """

    rows: dict[Place, Record] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    error: Exception = field(default_factory=lambda: Unavailable("The IPAM does not answer"))
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def add_foreign(self, subnet: Subnet, address: str, *, name: str | None = None, mac: str | None = None) -> None:
        """Somebody else takes an address."""
        self.rows[place(subnet, IPAddress(address))] = Record(IPAddress(address), name, mac)

    def has(self, subnet: Subnet, address: str) -> bool:
        """Whether the address is taken here."""
        return place(subnet, IPAddress(address)) in self.rows

    def enter(self, call: str, address: IPAddress) -> None:
        """What every call goes through."""
        self.calls.append((call, str(address)))
        happens = self.meanwhile.pop(call, None)
        if happens is not None:
            happens()
        if call in self.broken:
            raise self.error


def place(subnet: Subnet, address: IPAddress) -> Place:
    """The key of a row: networks may overlap between groups."""
    return subnet.group.name, str(address)


class RemoteIPAM(IPAMProvider):
    """Talks to an ``Upstream``; subnets are made in the book."""

    name: ClassVar[str] = "externalipam_double"
    capabilities: ClassVar[IPAMCapabilities] = IPAMCapabilities(remote=True, edits_subnets=True)

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        super().__init__(book, settings)
        self.upstream: Upstream = settings["upstream"]

    def record(self, subnet: Subnet, address: IPAddress) -> Record | None:
        """Look it up."""
        self.upstream.enter("record", address)
        return self.upstream.rows.get(place(subnet, address))

    def create(self, subnet: Subnet, record: Record) -> None:
        """Take it, if nobody else has it."""
        self.upstream.enter("create", record.address)
        there = self.upstream.rows.get(place(subnet, record.address), record)
        if not there.ours:
            raise Conflict(f"{record.address} is taken upstream by {there.name}")
        self.upstream.rows[place(subnet, record.address)] = record

    def amend(self, subnet: Subnet, record: Record) -> None:
        """Write over a row of ours what the record does not leave open."""
        self.upstream.enter("amend", record.address)
        there = self.upstream.rows.get(place(subnet, record.address))
        if there is None:
            raise NotFound(f"{record.address} is not taken upstream")
        if there.ours:
            given = {key.name: value for key in fields(record) if (value := getattr(record, key.name)) is not None}
            told: dict[str, Any] = {key: None if value == "" else value for key, value in given.items()}
            self.upstream.rows[place(subnet, record.address)] = replace(there, **told)

    def adopt(self, subnet: Subnet, record: Record) -> None:
        """Mark a row of others."""
        self.upstream.enter("adopt", record.address)
        where = place(subnet, record.address)
        self.upstream.rows[where] = replace(self.upstream.rows[where], ours=True)

    def delete(self, subnet: Subnet, address: IPAddress) -> None:
        """Remove a row of ours."""
        self.upstream.enter("delete", address)
        there = self.upstream.rows.get(place(subnet, address))
        if there is not None and there.ours:
            del self.upstream.rows[place(subnet, address)]


class BulkIPAM(RemoteIPAM):
    """One that can also read a whole subnet at once."""

    capabilities: ClassVar[IPAMCapabilities] = IPAMCapabilities(remote=True, edits_subnets=True, bulk=True)

    def records(self, subnet: Subnet) -> Iterator[Record]:
        """All of it."""
        self.upstream.enter("records", subnet.network.network)
        for (group, _), row in list(self.upstream.rows.items()):
            if group == subnet.group.name and row.address in subnet.network:
                yield row
