"""Putting a backup into a book: all of it, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text, update

from providers.book import backup, event_log, schema_version, upstream
from providers.book.backup import Manifest, Row, from_stored, stored_rows, tables_of
from providers.book.database import Book
from providers.book.directory import lock_all
from providers.book.tables import directory
from providers.errors import Conflict, InvalidValue
from providers.model import Caller

_BATCH = 1000


def restore(
    book: Book, file: Path, now: datetime, caller: Caller, *, force: bool = False, copy: bool = False
) -> Manifest:
    """Let ``book`` be as it was when the backup ``file`` was written; an event says so.

    A ``copy`` gets a mark of its own, so that the rows upstream of the book that was saved are not its own.

    A book without tables gets them. Raises InvalidValue for a file that is no backup or is damaged, Misconfigured for
    one of a newer program or a book with tables of another revision, Conflict for a book that is not empty, unless
    ``force``, Unavailable when the database does not answer: then the book is as before.
    """
    manifest = backup.verified(file)
    if schema_version.present(book) is None:
        schema_version.upgrade(book)
    schema_version.check(book)

    def work(connection: Connection) -> None:
        tables = tables_of(connection)
        _alone(connection, tables)
        if not force:
            _refuse_occupied(connection, tables, book)
        revision = connection.execute(select(directory.c.revision).limit(1)).scalar_one_or_none() or 0
        for table in reversed(tables):
            connection.execute(delete(table))
        for table in tables:
            _fill(connection, table, source)
        if copy:
            upstream.forget_mark(connection)
        # Every process compares: it must be none that one of them has seen, of this book or of that in the backup.
        newer = select(func.max(directory.c.revision)).scalar_subquery()
        highest = max(revision, connection.execute(select(newer)).scalar_one() or 0)
        connection.execute(update(directory).values(revision=highest + 1))
        detail = {"written_at": manifest.written_at, "rows": manifest.rows} | ({"copy": True} if copy else {})
        event_log.record(connection, now, caller, "database.restore", None, **detail)

    try:
        with backup.at_present_revision(file, manifest) as present, closing(_reading(present)) as source:
            book.write(work)
    except sqlite3.DatabaseError as error:
        raise InvalidValue(f"{file} cannot be read: {error}. Nothing was changed") from error
    return manifest


def _reading(file: Path) -> sqlite3.Connection:
    # A job may run in the thread of another one that shares its commit, one after the other.
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def _alone(connection: Connection, tables: list[Table]) -> None:
    """Keep other writers out; readers see what was there until all of it is replaced."""
    lock_all(connection)
    if connection.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in tables)
        connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _refuse_occupied(connection: Connection, tables: list[Table], book: Book) -> None:
    counts = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables
        if table.name != directory.name
    }
    there = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    if there:
        raise Conflict(f"The book {book} is not empty: {there}. Back it up, then replace all of it with --force")


def _fill(connection: Connection, table: Table, source: sqlite3.Connection) -> None:
    columns = list(table.columns)
    rows = stored_rows(source, table.name, [column.name for column in columns])
    for batch in _batches(rows):
        values = [
            {column.name: from_stored(column, value) for column, value in zip(columns, row, strict=True)}
            for row in batch
        ]
        connection.execute(insert(table), values)
    if connection.dialect.name == "postgresql" and "id" in table.c:
        _go_on_counting(connection, table)


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let the next row get a number above all that were restored."""
    sequence = connection.execute(select(func.pg_get_serial_sequence(f'"{table.name}"', "id"))).scalar_one()
    highest: Any = connection.execute(select(func.max(table.c.id))).scalar_one()
    if sequence is not None and highest is not None:
        connection.execute(select(func.setval(sequence, highest)))


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch
