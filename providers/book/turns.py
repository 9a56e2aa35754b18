"""Taking turns at an SQLite file: one writer at a time, nobody starves, waiting writers share a commit.

SQLite lets one connection write and makes the others poll for their turn, so under load some wait for seconds while
others overtake them. Here a lock on a file beside the database decides between processes: the kernel wakes the next
one as soon as the lock is free. Within a process, the thread that gets its turn first runs the jobs of all threads
that wait and commits once for all of them. The turn ends there; the answers leave only after that commit is on the
disk, and while they wait for it the next ones are at work.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

T = TypeVar("T")

PATIENCE_SECONDS = 15
"""How long a job waits for its turn. Whoever brought it has given up by then, so it must not be done later."""

_JOBS_PER_COMMIT = 64
_CACHE_KIB = 16 * 1024


class _Job:
    """A unit of work of one thread, and what became of it."""

    __slots__ = ("deadline", "error", "finished", "leads", "result", "turn", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.deadline = time.monotonic() + PATIENCE_SECONDS
        self.leads = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.finished = False
        self.turn = threading.Lock()
        self.turn.acquire()


class Turns:
    """Runs jobs that write, one after the other, each all or nothing."""

    def __init__(self, engine: Engine, database: Path) -> None:
        """``engine`` leaves transactions to us (autocommit); the lock file is beside the file ``database``."""
        self._engine = engine
        self._lock_file = Path(f"{database}.lock")
        self._log_file = Path(f"{database}-wal")
        self._lock: int | None = None
        self._queue: deque[_Job] = deque()
        self._gate = threading.Lock()
        self._taken = False
        self._serving = threading.Lock()
        self._waiting_since: float | None = None
        self._connection: Connection | None = None
        self._log: tuple[int, int] | None = None
        """Which file the log is that the connection writes, whatever has its name by now."""

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction and return what it returned, once that is safe on disk.

        What ``work`` raises is raised here, and nothing of it is kept. Raises TimeoutError, and does nothing, when
        somebody else keeps the turn for too long.
        """
        job = _Job(work)
        with self._gate:
            self._refuse_to_pile_up()
            self._queue.append(job)
            job.leads = not self._taken
            self._taken = True
        if not job.leads:
            self._wait_for_turn(job)
        if not job.finished:
            self._serve(job)
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let go of the connection and the lock file as soon as no job runs; a later job opens them again."""
        with self._serving:
            if self._connection is not None:
                self._connection.close()
                self._connection = self._log = None
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _wait_for_turn(self, job: _Job) -> None:
        if job.turn.acquire(timeout=PATIENCE_SECONDS):
            return
        with self._gate:
            if job in self._queue and not job.leads:
                self._queue.remove(job)
                raise self._too_long()
        if not job.leads:
            job.turn.acquire()

    def _refuse_to_pile_up(self) -> None:
        """While one has waited in vain for the lock, the others need not: they would take up all threads."""
        since = self._waiting_since
        if since is not None and time.monotonic() - since > PATIENCE_SECONDS:
            raise self._too_long()

    def _too_long(self) -> TimeoutError:
        return TimeoutError(f"somebody else has held {self._lock_file} for more than {PATIENCE_SECONDS} s")

    def _serve(self, own: _Job) -> None:
        batch: list[_Job] = []
        try:
            try:
                with self._serving, self._alone():
                    # Only now: whoever came while this process waited for its turn shares the commit.
                    with self._gate:
                        batch += [self._queue.popleft() for _ in range(min(len(self._queue), _JOBS_PER_COMMIT))]
                    self._commit([job for job in batch if self._in_time(job)])
            finally:
                self._hand_over(own)
            self._settle()
        except BaseException as error:
            for job in batch:
                job.result, job.error = None, error
            raise
        finally:
            for job in batch:
                job.finished = True
                job.turn.release()

    def _in_time(self, job: _Job) -> bool:
        if time.monotonic() <= job.deadline:
            return True
        job.error = self._too_long()
        return False

    def _hand_over(self, own: _Job) -> None:
        """Let the next one have its turn, while this one waits for the disk."""
        with self._gate:
            if own in self._queue:
                self._queue.remove(own)
            successor = self._queue[0] if self._queue else None
            self._taken = successor is not None
            if successor is not None:
                successor.leads = True
        if successor is not None:
            successor.turn.release()

    def _settle(self) -> None:
        """Return when everything that was committed until now is on the disk.

        SQLite would do the same within each commit, and nobody else could have a turn meanwhile. The log is written in
        order and read back up to the first record that is not whole, so what is on the disk of it, in full, cannot be
        lost (sqlite.org/wal.html); a checkpoint brings the log to the disk before it copies from it.
        """
        try:
            handle = os.open(self._log_file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._refuse_another_log(None)
            # The last connection was closed meanwhile: SQLite brought all of the log into the database first.
            return
        try:
            self._refuse_another_log(_identity(os.fstat(handle)))
            os.fdatasync(handle)
        finally:
            os.close(handle)

    def _refuse_another_log(self, found: tuple[int, int] | None) -> None:
        """Raise OSError when the log was removed, or replaced, under the connection that writes it.

        SQLite goes on with the file that has no name any more: nobody else sees what is in it, and it ends with us.
        """
        if found == self._log:
            return
        with self._serving:
            # Closed meanwhile, the connection has taken the log along.
            if self._log is not None and found != self._log:
                raise OSError(
                    f"{self._log_file} was removed while it was open: stop every Leasehold on this machine, then run "
                    "leasehold check, or restore a backup"
                )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out."""
        if self._lock is None:
            self._lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        self._waiting_since = time.monotonic()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            self._waiting_since = None
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _commit(self, batch: list[_Job]) -> None:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
            # Not FULL, on this connection alone: see _settle.
            self._connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
        try:
            self._transact(self._connection, batch)
            if self._log is None:
                with suppress(FileNotFoundError):
                    self._log = _identity(os.stat(self._log_file))
        except (SQLAlchemyError, sqlite3.Error) as error:
            self._abandon()
            for job in batch:
                job.result, job.error = None, error
        except BaseException:
            self._abandon()
            raise

    def _transact(self, connection: Connection, batch: list[_Job]) -> None:
        # These go past SQLAlchemy, which would spend more time on them than SQLite does.
        control = connection.connection.cursor()
        control.execute("BEGIN IMMEDIATE")
        for job in batch:
            control.execute("SAVEPOINT job")
            try:
                job.result = job.work(connection)
            except Exception as error:  # noqa: BLE001 - it belongs to the thread that brought the job
                job.error = error
                control.execute("ROLLBACK TO job")
            control.execute("RELEASE job")
        control.execute("COMMIT")
        control.close()

    def _abandon(self) -> None:
        """After a failed transaction nothing is known about the connection: start over with another."""
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.invalidate()
            with suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = self._log = None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
