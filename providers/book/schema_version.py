"""Which version of the tables a book has, and bringing an older one up to date."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.exc import DBAPIError

from providers.book.database import Book
from providers.errors import Misconfigured

HEAD = "0009"
"""The revision that this program works with; a test compares it with the newest migration."""

# Any number will do, as long as nobody else locks with it.
_UPGRADING = 0x1EA5E401D
_VERSION = select(table("alembic_version", column("version_num")).c.version_num)


def present(book: Book) -> str | None:
    """The revision of the book's tables, None when it has none yet; raises Unavailable, Misconfigured."""
    try:
        if book.is_sqlite and not Path(book.url.database or "").exists():
            return None
    except OSError as error:
        raise book.failure(error) from error
    with book.read() as connection:
        return _present(connection)


def check(book: Book) -> None:
    """Raise Misconfigured unless the book has the tables that this program works with; raises Unavailable."""
    found = present(book)
    if found == HEAD:
        return
    if found is None or found < HEAD:
        raise Misconfigured(f"The book {book} {_lacking(book, found)}")
    raise _too_new(book, found)


def upgrade(book: Book, *, to: str | None = None) -> tuple[str | None, str]:
    """Bring the tables up to date; returns the revisions before and after, which may be equal.

    ``to`` is an older revision for the copy of an older book.

    All or nothing on databases that can undo changes of tables (SQLite, PostgreSQL). Two at once take turns. Raises
    Misconfigured for a book that is newer than this program, Unavailable when it does not answer.
    """
    # Alembic takes a tenth of a second to import; only upgrades need it.
    from alembic import command
    from alembic.config import Config

    to = to or HEAD
    before = present(book)
    if before == to:
        return before, to
    try:
        with _alone(book), book.engine.connect() as connection:
            if book.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADING})")
            before = _present(connection)
            if before is not None and before > HEAD:
                raise _too_new(book, before)
            if before != to:
                config = Config()
                config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
                config.set_main_option("path_separator", "os")
                config.attributes["connection"] = connection
                command.upgrade(config, to)
            if book.is_sqlite:
                connection.exec_driver_sql("COMMIT")
            else:
                connection.commit()
    except (DBAPIError, OSError) as error:
        raise book.failure(error) from error
    return before, to


def _lacking(book: Book, found: str | None) -> str:
    """What is the matter with a book that is not of this revision, and what to do."""
    if found is not None:
        return f"has tables of revision {found}, this program needs {HEAD}: run leasehold database upgrade"
    if book.is_sqlite and not Path(book.url.database or "").exists():
        return "does not exist: put its file back if there was one, or make a new one by leasehold database upgrade"
    return "has no tables yet: run leasehold database upgrade"


def _present(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(_VERSION).scalar_one_or_none()
    return None if found is None else str(found)


@contextmanager
def _alone(book: Book) -> Iterator[None]:
    """Keep other upgrades of an SQLite book out: two would both begin on an empty file."""
    if not book.is_sqlite:
        yield
        return
    directory = Path(book.url.database or "").parent
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f":database: the directory {directory} cannot be made: {error.strerror}") from error
    # Who is where in a network is not for everybody on the machine; SQLite's files beside it get the same mode.
    os.close(os.open(book.url.database or "", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
    lock = os.open(f"{book.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _too_new(book: Book, found: str) -> Misconfigured:
    return Misconfigured(
        f"The book {book} has tables of revision {found}, which this program does not know (it knows {HEAD}): "
        "use the Leasehold that wrote them, or a newer one"
    )
