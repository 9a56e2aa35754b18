"""From every older revision to the newest: what comes is empty, everything else stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from netaddr import IPAddress, IPNetwork
from sqlalchemy import Column, Connection, insert, inspect, select, text

from providers.address_book import AddressBook, Lifetimes
from providers.book import schema_version
from providers.book.columns import Address, Moment
from providers.book.database import Book
from providers.book.migrations import versions
from providers.book.tables import metadata
from providers.dhcp.none import NoDHCP
from providers.errors import Misconfigured
from providers.guests import NIC, GuestReport, WantedAddress
from providers.ipam.local import LocalIPAM
from providers.model import Asker, Caller, DHCPHost, SubnetSpec, Use
from providers.tokens import Scope, Tokens

CALLER = Caller("test")
MAC = "52:54:00:aa:00:01"
OLDER = sorted({path.name[:4] for path in Path(versions.__path__[0]).glob("0*.py")} - {schema_version.HEAD})


@pytest.fixture(params=OLDER)
def old_book(request: pytest.FixtureRequest, tmp_path: Path, book: Book, clock) -> Iterator[Book]:
    """A book of an older revision with something in every table, as far as it could be kept then."""
    _fill(book, clock)
    old = Book(f"sqlite:///{tmp_path}/old.db")
    schema_version.upgrade(old, to=request.param)
    with book.read() as new, old.engine.begin() as connection:
        names = _columns(connection)
        for table in metadata.sorted_tables:
            kept = names.get(table.name)
            if kept is None:
                continue
            listed = ", ".join(f'"{each}"' for each in kept)
            values = ", ".join(f":{each}" for each in kept)
            connection.execute(text(f'DELETE FROM "{table.name}"'))
            for row in new.execute(text(f'SELECT {listed} FROM "{table.name}"')):
                connection.execute(text(f'INSERT INTO "{table.name}" ({listed}) VALUES ({values})'), row._asdict())
    yield old
    old.close()


def _fill(book: Book, clock) -> None:
    desk = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock)
    subnet = desk.add_subnet(SubnetSpec(IPNetwork("10.0.1.0/24"), "Lab"), CALLER)
    desk.reserve(subnet, IPAddress("10.0.1.7"), Use.DHCP, CALLER, host=DHCPHost(mac=MAC, name="web1", hostname="web1"))
    desk.label(subnet, IPAddress("10.0.1.7"), CALLER, owner="alice", tag=2)
    desk.reserve(subnet, IPAddress("10.0.1.8"), Use.MANUAL, CALLER, name="old")
    desk.release(subnet, CALLER, address=IPAddress("10.0.1.8"))
    desk.suggest(subnet, Asker(mac="52:54:00:aa:00:02"), CALLER)
    address = WantedAddress(IPAddress("10.0.1.9"))
    desk.report_guest(GuestReport("east", "web2", "a", clock(), addresses=(address,), nics=(NIC(MAC),)), CALLER)
    desk.rename_guest("east", "web2", "web3", CALLER)
    desk.claim("east", "web3", "a", CALLER)
    Tokens(book, clock).create("monitoring", {Scope.READ}, CALLER)
    with book.engine.begin() as connection:
        for table in metadata.sorted_tables:
            if connection.execute(select(table).limit(1)).first() is None:
                # What only a remote IPAM writes.
                connection.execute(insert(table).values({each.name: _anything(each, clock) for each in table.columns}))


def _anything(column: Column[Any], clock) -> object:
    """A value that fits a column; what it refers to has the id 1."""
    if isinstance(column.type, Moment):
        return clock()
    if isinstance(column.type, Address):
        return IPAddress("10.0.1.7")
    return {int: 1, str: "x", bool: True}[column.type.python_type]


def _columns(connection: Connection) -> dict[str, list[str]]:
    found = inspect(connection)
    names = set(found.get_table_names()) - {"alembic_version"}
    return {name: [column["name"] for column in found.get_columns(name)] for name in names}


def _contents(book: Book, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of those columns."""
    with book.read() as connection:
        listed = {name: ", ".join(f'"{each}"' for each in every) for name, every in columns.items()}
        return {
            name: [tuple(row) for row in connection.execute(text(f'SELECT {every} FROM "{name}" ORDER BY 1, 2'))]
            for name, every in listed.items()
        }


def test_every_old_table_has_something_in_it(old_book):
    with old_book.read() as connection:
        columns = _columns(connection)
    assert {name for name, rows in _contents(old_book, columns).items() if not rows} == set()


def test_the_program_refuses_the_old_book_and_says_what_to_do(old_book):
    with pytest.raises(Misconfigured, match="leasehold database upgrade"):
        schema_version.check(old_book)


def test_the_upgrade_keeps_every_row(old_book):
    with old_book.read() as connection:
        columns = _columns(connection)
    before = _contents(old_book, columns)

    assert schema_version.upgrade(old_book)[1] == schema_version.HEAD

    assert _contents(old_book, columns) == before
    schema_version.check(old_book)


def test_tokens_work_after_the_upgrade(old_book, clock):
    schema_version.upgrade(old_book)
    tokens = Tokens(old_book, clock)

    made, secret = tokens.create("hooks", {Scope.READ}, CALLER)

    assert tokens.check(secret) == made


def test_the_tables_are_as_the_program_describes_them(old_book):
    schema_version.upgrade(old_book)

    with old_book.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
