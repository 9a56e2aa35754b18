"""Large books, made quickly: rows go straight into the tables, the free space is measured by the book itself."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from netaddr import IPNetwork

from providers.address_book import AddressBook, Lifetimes, subnet_spec
from providers.addresses import parse_network
from providers.book import schema_version
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Caller, Subnet, SubnetSpec

CALLER = Caller("bench")

_MAPPED = b"\x00" * 10 + b"\xff\xff"
_SINCE = 1_700_000_000_000_000


@contextmanager
def new_book(file: Path) -> Iterator[AddressBook]:
    """An empty book in ``file``, without a service."""
    book = Book(f"sqlite:///{file}")
    schema_version.upgrade(book)
    address_book = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    try:
        yield address_book
    finally:
        address_book.close()


def add_subnet(address_book: AddressBook, network: str, *, group: str = "bench") -> Subnet:
    """An empty subnet."""
    return address_book.add_subnet(SubnetSpec(network=parse_network(network), group=group), CALLER)


def in_a_row(network: IPNetwork, number: int) -> range:
    """The first ``number`` host addresses."""
    return range(network.first + 1, network.first + 1 + number)


def scattered(network: IPNetwork, number: int) -> list[int]:
    """``number`` host addresses here and there, in order; the same at every call."""
    size = min(network.size - 2, 16 * number)
    offsets = random.Random(number).sample(range(1, size), number)
    return sorted(network.first + offset for offset in offsets)


def fill(address_book: AddressBook, subnet: Subnet, addresses: Iterable[int]) -> float:
    """Reserve addresses of an empty subnet for DHCP hosts, without any events.

    Returns how many seconds the book took to measure its free space anew.
    """
    file = address_book.book.url.database
    version, packed = subnet.network.version, _MAPPED if subnet.network.version == 4 else b""
    octets = 4 if version == 4 else 16
    stored = [packed + address.to_bytes(octets) for address in addresses]
    macs = [_mac(subnet, number) for number in range(len(stored))]
    names = [f"host-{n}.example.com" for n in range(len(stored))]
    with closing(sqlite3.connect(str(file), isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            f"INSERT INTO reservations (subnet_id, address, name, mac, created_at, changed_at) "
            f"VALUES ({subnet.id}, ?, ?, ?, {_SINCE}, {_SINCE})",
            zip(stored, names, macs, strict=True),
        )
        connection.executemany(
            f"INSERT INTO uses (subnet_id, address, use, since) VALUES ({subnet.id}, ?, 'dhcp', {_SINCE})",
            ((address,) for address in stored),
        )
        connection.executemany(
            f"INSERT INTO dhcp_hosts (subnet_id, mac, address, name, hostname, options) "
            f"VALUES ({subnet.id}, ?, ?, ?, ?, '{{}}')",
            zip(macs, stored, names, names, strict=True),
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # A change of the subnet, even to what it is already, lets the book measure its free space anew.
    began = time.perf_counter()
    address_book.change_subnet(subnet, subnet_spec(subnet), CALLER)
    return time.perf_counter() - began


def _mac(subnet: Subnet, number: int) -> str:
    digits = f"02{subnet.id:02x}{number:08x}"
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
