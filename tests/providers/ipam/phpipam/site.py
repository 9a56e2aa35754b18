"""How tests set up the provider."""

from __future__ import annotations

from typing import Any

from netaddr import IPNetwork

from providers.book.database import Book
from providers.clock import Clock
from providers.ipam.phpipam.provider import PhpIPAM
from providers.ipam.phpipam.settings import PhpIPAMSchema
from providers.model import Subnet
from tests.providers.desk import Desk

PASSWORD = "leasehold-pass"


def settings(url: str, **more: Any) -> dict[str, Any]:
    """The settings of the Ruby proxy's file, and ``more``."""
    given = {"url": url, "user": "leasehold", "password": PASSWORD, "call_timeout": 2, "read_timeout": 1} | more
    return PhpIPAMSchema().load({name: value for name, value in given.items() if value is not None})


def provider(book: Book, url: str, clock: Clock, **more: Any) -> PhpIPAM:
    """The provider as it is after a start."""
    return PhpIPAM(book, settings(url, **more), clock=clock)


def subnet_of(desk: Desk, cidr: str, group: str = "Lab") -> Subnet:
    """A subnet that was just made upstream."""
    desk.clock.pass_(minutes=5)
    return desk.address_book.subnet(IPNetwork(cidr), group)
