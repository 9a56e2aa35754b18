"""Which tables a book has: absent, older, newer, and brought up to date by one or by several at once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from providers.book import schema_version
from providers.book.database import Book
from providers.book.tables import metadata
from providers.errors import LeaseholdError, Misconfigured
from tests.postgresql import need_driver
from tests.providers.processes import together


@pytest.fixture
def new_book(tmp_path: Path) -> Book:
    """A book whose file does not exist yet."""
    return Book(f"sqlite:///{tmp_path}/new.db")


def give_version(book: Book, version: str) -> None:
    with sqlite3.connect(str(book.url.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))


def statements(book: Book) -> dict[str, list[str]]:
    """Every table and index as SQLite remembers it, without commas, spaces and the order of the parts."""
    with sqlite3.connect(str(book.url.database)) as connection:
        ours = "sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        rows = connection.execute(f"SELECT name, sql FROM sqlite_master WHERE {ours}").fetchall()
    return {name: sorted(sql.replace(",", " ").split()) for name, sql in rows}


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(Path(schema_version.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [schema_version.HEAD]


def test_the_migrations_make_the_tables_that_the_program_knows(book: Book):
    with book.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_them_word_for_word(book: Book, tmp_path: Path):
    """Also what Alembic does not compare: foreign keys with their actions, tables without row ids."""
    known = Book(f"sqlite:///{tmp_path}/known.db")
    metadata.create_all(known.engine)
    made = statements(book)
    del made["alembic_version"]
    expected = statements(known)
    known.close()
    assert made == expected


def test_a_new_book_is_upgraded(new_book: Book):
    assert schema_version.present(new_book) is None
    assert schema_version.upgrade(new_book) == (None, schema_version.HEAD)
    assert schema_version.present(new_book) == schema_version.HEAD
    schema_version.check(new_book)


def test_an_upgraded_book_can_be_used(new_book: Book):
    schema_version.upgrade(new_book)
    with new_book.read() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.select()).all()


def test_upgrading_twice_is_nothing(book: Book):
    assert schema_version.upgrade(book) == (schema_version.HEAD, schema_version.HEAD)


def test_a_book_without_tables_is_refused_with_what_to_do(new_book: Book):
    with pytest.raises(Misconfigured, match=r"new\.db does not exist: .*leasehold database upgrade"):
        schema_version.check(new_book)


def test_an_older_book_is_refused_with_what_to_do(book: Book):
    give_version(book, "0000")
    with pytest.raises(Misconfigured, match=r"has tables of revision 0000, .* run leasehold database upgrade"):
        schema_version.check(book)


def test_a_newer_book_is_refused(book: Book):
    give_version(book, "9999")
    with pytest.raises(Misconfigured, match="revision 9999, which this program does not know"):
        schema_version.check(book)


def test_a_newer_book_is_not_upgraded(book: Book):
    give_version(book, "9999")
    with pytest.raises(Misconfigured, match="revision 9999, which this program does not know"):
        schema_version.upgrade(book)
    assert schema_version.present(book) == "9999"


def test_a_failing_upgrade_leaves_nothing_half_done(new_book: Book):
    with sqlite3.connect(str(new_book.url.database)) as connection:
        connection.execute("CREATE TABLE events (somebody TEXT)")
    with pytest.raises(LeaseholdError, match="events"):
        schema_version.upgrade(new_book)
    with new_book.read() as connection:
        assert inspect(connection).get_table_names() == ["events"]


def test_the_password_of_a_refused_book_is_a_secret():
    need_driver()
    book = Book("postgresql+psycopg://leasehold:hush@127.0.0.1:1/leasehold")
    assert "hush" not in str(schema_version._too_new(book, "9999"))


def upgrade(_number: int, url: str) -> list[tuple[str | None, str]]:
    """What each process of the next test does."""
    book = Book(url)
    upgraded = schema_version.upgrade(book)
    book.close()
    return [upgraded]


@pytest.mark.race
def test_several_processes_upgrade_at_once(new_book: Book):
    reports = together(4, upgrade, str(new_book.url))
    assert {after for _, after in reports} == {schema_version.HEAD}
    assert [before for before, _ in reports].count(None) == 1
    schema_version.check(new_book)
