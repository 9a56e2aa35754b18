"""Opening the book, reading it, and changing it all or nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from providers.book.file_trouble import trouble
from providers.book.server_clock import ServerClock
from providers.book.turns import Turns
from providers.clock import Clock, utc_now
from providers.errors import Misconfigured, Unavailable

T = TypeVar("T")

_ATTEMPTS = 5
_POSTGRESQL_TRY_AGAIN = {"23505", "40001", "40P01"}
_TELLING = ("password", "passwd", "secret", "token")
_MARIADB_TRY_AGAIN = {1062, 1205, 1213}
_DRIVERS = {"psycopg": "postgresql", "pymysql": "mariadb"}
"""What is installed with the program to use a driver, by its module."""


class Book:
    """One SQL database: SQLite, PostgreSQL or MariaDB, told apart by its URL."""

    def __init__(self, url: str | URL) -> None:
        """Prepare to use the database at ``url``; nothing is read before the first call.

        Raises Misconfigured for a URL that is none, or one without a driver here.
        """
        try:
            self.url = make_url(url)
            self.engine = _sqlite(self.url) if self.is_sqlite else create_engine(self.url, pool_pre_ping=True)
        except (SQLAlchemyError, ImportError) as error:
            driver = _DRIVERS.get(getattr(error, "name", None) or "")
            advice = f": install its driver, pip install '.[{driver}]' in the sources of Leasehold" if driver else ""
            raise Misconfigured(f":database: cannot be used: {error}{advice}") from error
        self._file: tuple[int, int] | None = None
        self._turns = Turns(self.engine, Path(self.url.database or "")) if self.is_sqlite else None
        self.server_clock = ServerClock() if self.url.get_backend_name() == "postgresql" else None

    @property
    def clock(self) -> Clock:
        """The clock by which all who share the book live: that of PostgreSQL's server, else of this machine."""
        return self.server_clock or utc_now

    @property
    def is_sqlite(self) -> bool:
        """Whether the book is an embedded file."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self, *, snapshot: bool = True) -> Iterator[Connection]:
        """A connection that sees one state of the book throughout (SQLite) or per statement (the others).

        Without ``snapshot`` per statement on SQLite too, which is cheaper where there is only one.

        Raises Unavailable when the database does not answer.
        """
        try:
            self._refuse_another_file()
            with self.engine.connect() as connection:
                if snapshot and self.is_sqlite:
                    connection.exec_driver_sql("BEGIN")
                if self.server_clock is not None:
                    self.server_clock.hear(connection)
                yield connection
        except (DBAPIError, PoolTimeoutError) as error:
            raise self.failure(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Like ``read``, but on every database with one state of the book throughout, however long it takes."""
        if self.is_sqlite:
            with self.read() as connection:
                yield connection
            return
        try:
            with self.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
                yield connection
        except (DBAPIError, PoolTimeoutError) as error:
            raise self.failure(error) from error

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction and return what it returned, once that survives a power cut.

        ``work`` may be run more than once (never kept more than once), so it must not touch anything but the
        connection. What it raises is raised here, and nothing of it is kept. Raises Unavailable when the database
        does not answer.
        """
        try:
            self._refuse_another_file()
            return self._transact(work) if self._turns is None else self._turns.run(work)
        except (DBAPIError, PoolTimeoutError, sqlite3.Error, OSError) as error:
            raise self.failure(error) from error

    def close(self) -> None:
        """Let go of all connections."""
        if self._turns is not None:
            self._turns.close()
        self.engine.dispose()
        self._file = None

    def _refuse_another_file(self) -> None:
        """Raise Unavailable when the file of the book was removed or replaced since it was opened.

        SQLite would go on with the file that has no name any more, and what is written there is lost.
        """
        if not self.is_sqlite:
            return
        try:
            found = os.stat(self.url.database or "")
        except FileNotFoundError:
            raise Unavailable(f"The book {self} is not there: put its file back where it was") from None
        except OSError as error:
            raise self.failure(error) from error
        identity = (found.st_dev, found.st_ino)
        if self._file is None:
            self._file = identity
        elif self._file != identity:
            raise Unavailable(
                f"The file of the book {self} was replaced while it was open: stop every Leasehold on this machine, "
                "remove the files beside it that end in -wal and -shm if they belong to the old one, and start again"
            )

    def _transact(self, work: Callable[[Connection], T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.engine.begin() as connection:
                    if self.server_clock is not None:
                        self.server_clock.hear(connection)
                    return work(connection)
            except (IntegrityError, OperationalError) as error:
                if attempt == _ATTEMPTS or not _lost_a_race(error.orig):
                    raise
        raise AssertionError("unreachable")

    def failure(self, error: Exception) -> Unavailable | Misconfigured:
        """What to raise after ``error`` of the database or of the file below it; names the book, not its password."""
        reason = error.orig if isinstance(error, DBAPIError) else error
        if getattr(reason, "sqlite_errorname", None) == "SQLITE_NOTADB":
            return Misconfigured(f"{self} is no SQLite database: name another file in :database:, or restore a backup")
        known = trouble(Path(self.url.database or ""), reason) if self.is_sqlite else None
        return Unavailable(f"The book at {self} cannot be used: {known or f'{reason}. Try again later.'}")

    def __str__(self) -> str:
        """The URL without its password."""
        return without_password(self.url)


def without_password(url: URL) -> str:
    """The URL as anybody may see it: the password, also one among the parameters, is ``***``."""
    telling = {name: "***" for name in url.query if any(word in name.casefold() for word in _TELLING)}
    return url.update_query_dict(telling).render_as_string(hide_password=True)


def _lost_a_race(error: BaseException | None) -> bool:
    """Whether the database gave up this transaction in favour of another one."""
    if getattr(error, "sqlstate", None) in _POSTGRESQL_TRY_AGAIN:
        return True
    arguments: tuple[Any, ...] = getattr(error, "args", ())
    return bool(arguments) and arguments[0] in _MARIADB_TRY_AGAIN


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise Misconfigured(":database: an SQLite book needs a file: all workers share it")
    # Transactions are begun and ended in turns.py, so the driver must not begin any by itself.
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", pool_size=32, max_overflow=-1, connect_args={"timeout": 30}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: the log is on the disk before a commit returns. NORMAL would lose the last ones in a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")
        cursor.close()

    return engine
