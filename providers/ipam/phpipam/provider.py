"""phpIPAM as the address book sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import Schema
from netaddr import IPAddress

from providers.book import upstream
from providers.book.database import Book
from providers.clock import Clock
from providers.errors import Refused
from providers.ipam.contract import IPAMCapabilities, IPAMProvider, Picture, Record
from providers.ipam.phpipam.addresses import Addresses
from providers.ipam.phpipam.api import Api
from providers.ipam.phpipam.fields import Fields
from providers.ipam.phpipam.login import AppCode, Credential, SharedLogin
from providers.ipam.phpipam.sections import ALWAYS, Sections
from providers.ipam.phpipam.settings import PhpIPAMSchema, columns, options
from providers.ipam.remote.client import Client
from providers.ipam.remote.settings import timeouts, transport_warnings, verification
from providers.model import Subnet


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is made when the first call is."""

    sections: Sections
    addresses: Addresses
    fields: Fields


class PhpIPAM(IPAMProvider):
    """Sections are groups, addresses are rows with our mark. Settings: ``PhpIPAMSchema``.

    ``clock`` tells how long a refused log-in stands, the book's own unless one is given; ``client`` counts the calls.
    """

    name: ClassVar[str] = "externalipam_phpipam"
    capabilities: ClassVar[IPAMCapabilities] = IPAMCapabilities(remote=True, edits_subnets=False, bulk=True)
    settings_schema: ClassVar[type[Schema]] = PhpIPAMSchema

    def __init__(self, book: Book, settings: Mapping[str, Any], *, clock: Clock | None = None) -> None:
        super().__init__(book, settings)
        self.picture_every = timedelta(minutes=settings["picture_minutes"])
        self.survey_every = timedelta(minutes=settings["survey_minutes"])
        self.pictured_options = ALWAYS | frozenset(options(settings))
        self.client = Client(
            settings["url"], name="phpIPAM", timeouts=timeouts(settings), verify=verification(settings)
        )
        self._app = settings["app"] or settings["user"]
        credential = _credential(book, settings, self.client, self._app, clock or book.clock)
        self._api = Api(self.client, credential, app=self._app, patience=settings["call_timeout"] / 2)
        self._made: _Parts | None = None

    @classmethod
    def warnings(cls, settings: Mapping[str, Any]) -> list[str]:
        """Plain http, certificates that are not looked at."""
        return transport_warnings(cls.name, settings)

    def picture(self) -> Picture:
        """All sections and subnets, without folders."""
        return self._parts.sections.picture()

    def record(self, subnet: Subnet, address: IPAddress) -> Record | None:
        """One call."""
        return self._parts.addresses.record(self._keys(subnet), address)

    def records(self, subnet: Subnet) -> Iterator[Record]:
        """One call; from some 40,000 rows on phpIPAM may not be able to answer."""
        yield from self._parts.addresses.all(self._key(subnet), subnet.network.version)

    def hint(self, subnet: Subnet) -> IPAddress | None:
        """What phpIPAM would hand out next; nothing for IPv6, where that is the network address."""
        if subnet.network.version != 4:
            return None
        return self._parts.addresses.first_free(self._key(subnet), 4)

    def create(self, subnet: Subnet, record: Record) -> None:
        """One call; one more in a subnet inside another, one or two more when it is taken or the answer was lost."""
        self._parts.addresses.create(self._keys(subnet), record)

    def amend(self, subnet: Subnet, record: Record) -> None:
        """Two calls."""
        self._parts.addresses.amend(self._keys(subnet), record)

    def delete(self, subnet: Subnet, address: IPAddress) -> None:
        """Two calls. Of a subnet that phpIPAM has no more nothing is left to delete."""
        keys = self._known_keys(subnet)
        if keys:
            self._parts.addresses.delete(keys, address)

    def adopt(self, subnet: Subnet, record: Record) -> None:
        """Two calls."""
        self._parts.addresses.adopt(self._keys(subnet), record)

    def as_kept(self, record: Record) -> Record:
        """Cut to the size of phpIPAM's fields."""
        return self._parts.fields.kept(record)

    def _key(self, subnet: Subnet) -> str:
        return self._keys(subnet)[0]

    def _keys(self, subnet: Subnet) -> list[str]:
        keys = self._known_keys(subnet)
        if not keys:
            raise Refused(f"{subnet.network} of {subnet.group.name} is in phpIPAM no more: run leasehold check")
        return keys

    def _known_keys(self, subnet: Subnet) -> list[str]:
        with self.book.read(snapshot=False) as connection:
            key = upstream.key_of(connection, subnet)
            return [] if key is None else [key, *upstream.keys_around(connection, subnet)]

    @property
    def _parts(self) -> _Parts:
        if self._made is None:
            known = self.settings
            mark = self.book.write(upstream.mark)
            fields = Fields(
                mark, columns(known), mark_column=known["mark_field"], tag=known["tag"], mac=known["field_mac"] == "mac"
            )
            sections = Sections(self._api, only=known["sections"], options=options(known))
            self._made = _Parts(sections, Addresses(self._api, fields), fields)
        return self._made


def _credential(book: Book, settings: Mapping[str, Any], client: Client, app: str, clock: Clock) -> Credential:
    if settings["token"]:
        return AppCode(settings["token"])
    return SharedLogin(
        book,
        client,
        path=f"/api/{app}/user/",
        user=settings["user"],
        password=settings["password"],
        backoff=timedelta(minutes=settings["login_backoff_minutes"]),
        clock=clock,
    )
