"""From revision 0001 to 0002: the tokens come, everything else stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from netaddr import IPAddress, IPNetwork
from sqlalchemy import inspect

from providers.address_book import AddressBook, Lifetimes
from providers.book import schema_version
from providers.book.database import Book
from providers.book.tables import metadata
from providers.dhcp.none import NoDHCP
from providers.errors import Misconfigured
from providers.ipam.local import LocalIPAM
from providers.model import Asker, Caller, DHCPHost, SubnetSpec, Use
from providers.tokens import Scope, Tokens

CALLER = Caller("test")
MAC = "52:54:00:aa:00:01"


@pytest.fixture
def old_book(tmp_path: Path, clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    """A book of revision 0001 with something in every table."""
    book = Book(f"sqlite:///{tmp_path}/old.db")
    with monkeypatch.context() as patch:
        patch.setattr(schema_version, "HEAD", "0001")
        schema_version.upgrade(book)
    desk = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock)
    subnet = desk.add_subnet(SubnetSpec(IPNetwork("10.0.1.0/24"), "Lab"), CALLER)
    desk.reserve(subnet, IPAddress("10.0.1.7"), Use.DHCP, CALLER, host=DHCPHost(mac=MAC, name="web1", hostname="web1"))
    desk.reserve(subnet, IPAddress("10.0.1.8"), Use.MANUAL, CALLER, name="old")
    desk.release(subnet, CALLER, address=IPAddress("10.0.1.8"))
    desk.suggest(subnet, Asker(mac="52:54:00:aa:00:02"), CALLER)
    yield book
    book.close()


def contents(book: Book) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but Alembic's own."""
    with book.read() as connection:
        names = set(inspect(connection).get_table_names()) - {"alembic_version"}
        return {
            name: [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}" ORDER BY 1, 2')]
            for name in names
        }


def test_every_old_table_has_something_in_it(old_book):
    assert {name for name, rows in contents(old_book).items() if not rows} == set()


def test_the_program_refuses_the_old_book_and_says_what_to_do(old_book):
    with pytest.raises(Misconfigured, match="leasehold database upgrade"):
        schema_version.check(old_book)


def test_the_upgrade_keeps_every_row(old_book):
    before = contents(old_book)

    assert schema_version.upgrade(old_book) == ("0001", schema_version.HEAD)

    after = contents(old_book)
    assert {name: after[name] for name in before} == before
    assert after["tokens"] == []
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
