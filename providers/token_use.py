"""When a token was last used: noted in the book, once a minute at most, while nobody waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, bindparam, or_, update
from sqlalchemy.exc import SQLAlchemyError

from providers.book.database import Book
from providers.book.tables import tokens
from providers.errors import LeaseholdError

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
THREAD_NAME = "token-use"

# The condition is for the other processes, which may have been a little faster.
_USED = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("token"),
        or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at <= bindparam("before")),
    )
    .values(last_used_at=bindparam("now"))
)


def in_a_thread(work: Callable[[], None]) -> None:
    """Do ``work`` while the caller goes on; raises RuntimeError when the machine has no thread left.

    No daemon: a process that ends in the middle of a call into the database's driver can crash.
    """
    threading.Thread(target=work, name=THREAD_NAME).start()


class LastUse:
    """Takes notes of uses and writes them in its own time, those of several tokens together.

    A note that cannot be written is passed over: the next use, a minute later, makes another one.
    """

    def __init__(self, book: Book, start: Callable[[Callable[[], None]], None] = in_a_thread) -> None:
        """``start`` sees to it that what it is given gets done; one at a time is started."""
        self._url = book.url
        self._start = start
        self._gate = threading.Lock()
        self._tried: dict[int, datetime] = {}
        self._due: dict[int, datetime] = {}
        self._writing = False

    def note(self, token_id: int, known: datetime | None, now: datetime) -> None:
        """Let the book know that a token was used ``now``, unless it knows of a use less than a minute ago.

        ``known`` is what the book has. Never waits for the book, and never fails.
        """
        if known is not None and now - known < EVERY:
            return
        with self._gate:
            tried = self._tried.get(token_id)
            if tried is not None and now - tried < EVERY:
                return
            self._tried[token_id] = self._due[token_id] = now
            if self._writing:
                return
            self._writing = True
        try:
            self._start(self._write_all)
        except RuntimeError as error:
            log.debug("The last use of a token is not noted: %s", error)
            with self._gate:
                self._writing = False

    def _write_all(self) -> None:
        while due := self._take():
            try:
                self._write(due)
            except (LeaseholdError, SQLAlchemyError, OSError) as error:
                log.debug("The last use of %d tokens is not noted: %s", len(due), error)

    def _take(self) -> dict[int, datetime]:
        with self._gate:
            due, self._due = self._due, {}
            self._writing = bool(due)
        return due

    def _write(self, due: Mapping[int, datetime]) -> None:
        # Connections of its own: whoever closes the book does not know that somebody else is still writing.
        book = Book(self._url)
        try:
            book.write(partial(_update, due))
        finally:
            book.close()


def _update(due: Mapping[int, datetime], connection: Connection) -> None:
    connection.execute(_USED, [{"token": key, "now": now, "before": now - EVERY} for key, now in due.items()])
