"""How tests set up the provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from netaddr import IPNetwork

from providers.book.database import Book
from providers.clock import Clock
from providers.ipam.phpipam.provider import PhpIPAM
from providers.ipam.phpipam.settings import PhpIPAMSchema
from providers.ipam.remote.client import Timeouts
from providers.model import Subnet
from tests.providers.desk import Desk

PASSWORD = "leasehold-pass"


def settings(url: str, **more: Any) -> dict[str, Any]:
    """The settings of the Ruby proxy's file, and ``more``."""
    given = {"url": url, "user": "leasehold", "password": PASSWORD, "call_timeout": 60, "read_timeout": 60} | more
    return PhpIPAMSchema().load({name: value for name, value in given.items() if value is not None})


@contextmanager
def hasty(ipam: PhpIPAM, *, read: float = 1, call: float = 2) -> Iterator[None]:
    """Meanwhile it waits a second for an answer to a question, and two for a whole call: for what never answers."""
    client = ipam.client
    patient, client._timeouts = client._timeouts, Timeouts(connect=60, read=read, call=call)
    try:
        yield
    finally:
        client._timeouts = patient


def provider(book: Book, url: str, clock: Clock, **more: Any) -> PhpIPAM:
    """The provider as it is after a start."""
    return PhpIPAM(book, settings(url, **more), clock=clock)


def subnet_of(desk: Desk, cidr: str, group: str = "Lab") -> Subnet:
    """A subnet that was just made upstream."""
    desk.clock.pass_(minutes=5)
    return desk.address_book.subnet(IPNetwork(cidr), group)
