"""Backups: one portable SQLite file with the tables of the book, and what is needed to know that it is whole.

Whatever database the book is in, rows are copied as they are stored, so a backup of one restores into any other. The
table ``backup`` names the format, the revision of the tables, and for each table its columns, how many rows it has and
a checksum over them that does not depend on their order.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, MetaData, Table, Text, select

from providers.book import schema_version
from providers.book.database import Book
from providers.errors import Conflict, InvalidValue, Misconfigured, Unavailable

FORMAT = 1
_BATCH = 1000
_OUTSIDE = ("alembic_version", "backup")
_MANIFEST = "CREATE TABLE backup (format INTEGER, revision TEXT, written_at TEXT, tables TEXT, checksum TEXT)"
_ALL = 1 << 256

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table has: its columns in order, its number of rows, and their checksum."""

    columns: tuple[str, ...]
    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself; ``written_at`` is ISO 8601 in UTC, ``tables`` go parents first."""

    revision: str
    written_at: str
    tables: Mapping[str, Contents]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(each.rows for each in self.tables.values())


def write(book: Book, file: Path, now: datetime, *, force: bool = False) -> Manifest:
    """Write a backup of ``book``, of one state of it, while others go on changing it; read it back; name it ``file``.

    The file can be read by its owner alone. Until it is whole there is none of that name, or the one that was there.
    Raises Conflict when there is one, unless ``force``; InvalidValue for a name that cannot be written to;
    Misconfigured when the book has no tables or some of a newer program; Unavailable when the database does not
    answer, or what was read back is not what was written.
    """
    _refuse_unfit_name(book, file, force=force)
    revision = schema_version.present(book)
    if revision is None or revision > schema_version.HEAD:
        schema_version.check(book)
    try:
        with tempfile.TemporaryDirectory(prefix=".leasehold-backup-", dir=file.parent) as directory:
            draft = Path(directory) / file.name
            written = _write(book, draft, str(revision), now)
            if verified(draft) != written:
                raise Unavailable(f"{file}: what was read back is not what was written; the disk may be failing")
            os.replace(draft, file)
        _sync(file.parent)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"{file} cannot be written: {error}") from error
    return written


def verified(file: Path) -> Manifest:
    """What the backup ``file`` says about itself, after all of it was read and found to be so.

    Raises InvalidValue when it is no backup or is damaged, Misconfigured when a newer program wrote it.
    """
    try:
        with closing(_open(file)) as connection:
            manifest = _manifest(connection, file)
            fine = [row[0] for row in connection.execute("PRAGMA integrity_check")] == ["ok"]
            for name, expected in manifest.tables.items():
                found = _sum(expected.columns, stored_rows(connection, name, expected.columns))
                if found != expected:
                    raise _damaged(file, f"the table {name} is not as it was written")
            if not fine:
                raise _damaged(file, "SQLite finds errors in it")
    except (sqlite3.Error, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
        raise _damaged(file, str(error)) from error
    return manifest


@contextmanager
def at_present_revision(file: Path, manifest: Manifest) -> Iterator[Path]:
    """A file with the rows of the backup ``file`` in tables as this program knows them; it may be the same."""
    if manifest.revision == schema_version.HEAD:
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="leasehold-restore-") as directory:
        copy = Path(directory) / "book.db"
        shutil.copyfile(file, copy)
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("DROP TABLE backup")
        upgraded = Book(f"sqlite:///{copy}")
        try:
            schema_version.upgrade(upgraded)
        finally:
            upgraded.close()
        yield copy


def stored_rows(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table as SQLite has them."""
    names = ", ".join(f'"{name}"' for name in columns)
    yield from connection.execute(f'SELECT {names} FROM "{table}"')  # noqa: S608 - the file cannot be written to


def tables_of(connection: Connection) -> list[Table]:
    """The tables of the book as the database has them, parents first, with the types that it stores."""
    metadata = MetaData()
    metadata.reflect(connection)
    tables = [table for table in metadata.sorted_tables if table.name not in _OUTSIDE]
    if connection.dialect.name == "sqlite":
        for column in [column for table in tables for column in table.columns if isinstance(column.type, JSON)]:
            # As text, because a value that cannot be read has to be saved too.
            column.type = Text()
    return tables


def to_stored(column: Column[Any], value: Any) -> Any:  # noqa: ANN401 - whatever the column has
    """A value from any database as a backup stores it."""
    if isinstance(column.type, JSON):
        return json.dumps(value)
    if isinstance(value, bool):
        return int(value)
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


def from_stored(column: Column[Any], value: Any) -> Any:  # noqa: ANN401 - whatever the column has
    """A value of a backup as the database of ``column`` takes it."""
    if isinstance(column.type, JSON):
        return json.loads(value)
    return bool(value) if isinstance(column.type, Boolean) and value is not None else value


def _write(book: Book, draft: Path, revision: str, now: datetime) -> Manifest:
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    empty = Book(f"sqlite:///{draft}")
    try:
        schema_version.upgrade(empty, to=revision)
    finally:
        empty.close()
    tables: dict[str, Contents] = {}
    with closing(sqlite3.connect(draft, isolation_level=None)) as target, book.snapshot() as source:
        # The draft is thrown away after a crash, so nothing has to be safe before the end.
        target.execute("PRAGMA journal_mode = DELETE")
        target.execute("PRAGMA synchronous = OFF")
        target.execute("BEGIN")
        for table in tables_of(source):
            target.execute(f'DELETE FROM "{table.name}"')  # noqa: S608 - our own table
            columns = tuple(column.name for column in table.columns)
            names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
            add = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - our own table
            rows = _Counted(_read(source, table))
            target.executemany(add, rows)
            tables[table.name] = Contents(columns, rows.count, rows.checksum)
        manifest = Manifest(revision, now.isoformat(), tables)
        target.execute(_MANIFEST)
        target.execute("INSERT INTO backup VALUES (?, ?, ?, ?, ?)", _signed(manifest))
        target.execute("COMMIT")
    _sync(draft)
    return manifest


def _read(source: Connection, table: Table) -> Iterator[Row]:
    columns = list(table.columns)
    for row in source.execution_options(yield_per=_BATCH).execute(select(table)):
        yield tuple(to_stored(column, value) for column, value in zip(columns, row, strict=True))


class _Counted:
    """Rows on their way through, counted and summed up."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self._sum = 0
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            self._sum += int.from_bytes(hashlib.sha256(repr(row).encode("utf-8", "surrogatepass")).digest())
            yield row

    @property
    def checksum(self) -> str:
        """The sum of the digests of all rows: the same in any order."""
        return f"{self._sum % _ALL:064x}"


def _sum(columns: Sequence[str], rows: Iterable[Row]) -> Contents:
    counted = _Counted(rows)
    for _ in counted:
        pass
    return Contents(tuple(columns), counted.count, counted.checksum)


def _signed(manifest: Manifest) -> tuple[int, str, str, str, str]:
    tables = json.dumps({name: asdict(each) for name, each in manifest.tables.items()})
    said = f"{FORMAT}\n{manifest.revision}\n{manifest.written_at}\n{tables}"
    return FORMAT, manifest.revision, manifest.written_at, tables, hashlib.sha256(said.encode()).hexdigest()


def _open(file: Path) -> sqlite3.Connection:
    if not file.is_file():
        raise InvalidValue(f"{file}: there is no such file")
    try:
        file.open("rb").close()
    except OSError as error:
        raise InvalidValue(f"{file} cannot be read: {error.strerror}") from error
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)


def _manifest(connection: sqlite3.Connection, file: Path) -> Manifest:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'backup'").fetchone() is None:
        raise InvalidValue(f"{file} is no backup of Leasehold: leasehold database backup writes one")
    row = connection.execute("SELECT format, revision, written_at, tables, checksum FROM backup").fetchone()
    if row is None:
        raise _damaged(file, "it does not say what is in it")
    form, revision, written_at, text, _ = row
    if form > FORMAT or revision > schema_version.HEAD:
        raise Misconfigured(
            f"{file} was written by a newer Leasehold (tables of revision {revision}; this program knows "
            f"{schema_version.HEAD}): restore it with that one"
        )
    tables = {
        name: Contents(tuple(each["columns"]), each["rows"], each["checksum"])
        for name, each in json.loads(text).items()
    }
    manifest = Manifest(revision, written_at, tables)
    (present,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or (None,)
    if _signed(manifest) != row or present != revision:
        raise _damaged(file, "what it says about itself was changed")
    return manifest


def _damaged(file: Path, reason: str) -> InvalidValue:
    return InvalidValue(f"{file} is damaged: {reason}. Nothing was changed; take another backup")


def _refuse_unfit_name(book: Book, file: Path, *, force: bool) -> None:
    if not file.parent.is_dir():
        raise InvalidValue(f"{file}: there is no directory {file.parent}")
    if not file.exists():
        return
    own = Path(book.url.database or "") if book.is_sqlite else None
    if own is not None and own.exists() and own.samefile(file):
        raise InvalidValue(f"{file} is the book itself: choose another name")
    if not file.is_file():
        raise InvalidValue(f"{file} is no file")
    if not force:
        raise Conflict(f"{file} exists already: choose another name, or replace it with --force")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
