"""One reload of a DHCP server for everybody who waits for one, in all threads and processes of a machine."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from providers.errors import LeaseholdError, Unavailable, Unreached

K = TypeVar("K", bound=Hashable)

PATIENCE_SECONDS = 30.0
"""How long a caller waits for its turn, and whoever has the turn for other processes."""

_POLL_SECONDS = 0.005
_NUMBER_SIZE = 8


@dataclass(eq=False, slots=True)
class _Ticket(Generic[K]):
    """One caller: what it wants written, and the number of the last reload that had begun when it asked."""

    key: K
    seen: int
    finished: bool = False
    error: LeaseholdError | None = field(default=None)


class SharedReload(Generic[K]):
    """Writes and reloads, with callers that wait at the same time sharing one.

    ``work`` gets the keys (such as ids of subnets) that changed, reads from the book what is to be written for them,
    writes it and lets the server reload. A caller returns when a ``work`` that began after it called has succeeded for
    its key, whoever ran it. The file ``lock`` keeps processes apart; it holds how many works have begun, and which
    was the last that succeeded for each key.
    """

    def __init__(
        self, lock: Path, work: Callable[[frozenset[K]], None], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._lock = lock
        self._work = work
        self._patience = patience
        self._gate = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[_Ticket[K]] = []

    def run(self, key: K) -> None:
        """Return once what the book says now about ``key`` was written and loaded.

        Raises what ``work`` raises, and Unavailable when the turn does not come.
        """
        ticket = _Ticket(key, self._begun())
        with self._gate:
            self._waiting.append(ticket)
        if not self._turn.acquire(timeout=self._patience):
            with self._gate:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
            raise Unavailable(f"The DHCP server has not taken what others changed for {self._patience:g} s")
        try:
            if not ticket.finished:
                with self._gate:
                    batch, self._waiting = self._waiting, []
                self._serve(batch)
        finally:
            self._turn.release()
        if ticket.error is not None:
            # Each caller gets an error of its own: threads must not share a traceback.
            raise type(ticket.error)(str(ticket.error)) from ticket.error

    def brings_in(self, key: K, is_there: Callable[[], bool], is_wanted: Callable[[], bool]) -> bool:
        """Run until something is there; False when it is wanted and not there after two runs.

        Twice: somebody may have deleted it, and others reserved the same, in the moment of the first. What is not
        wanted any more was deleted or changed meanwhile, and whoever did that has it written.

        Raises as ``run``, but Unavailable instead of Unreached when the run of somebody else has brought it in.
        """
        for _ in range(2):
            try:
                self.run(key)
            except Unreached as error:
                if is_there():
                    raise Unavailable(str(error)) from error
                raise
            if is_there() or not is_wanted():
                return True
        return False

    def _serve(self, batch: list[_Ticket[K]]) -> None:
        failure: LeaseholdError | None = Unavailable("The reload of the DHCP server was given up")
        try:
            with self._alone() as descriptor:
                done = _done(descriptor)
                keys = frozenset(ticket.key for ticket in batch if done.get(str(ticket.key), 0) <= ticket.seen)
                if keys:
                    number = _number(descriptor) + 1
                    os.pwrite(descriptor, number.to_bytes(_NUMBER_SIZE), 0)
                    self._work(keys)
                    _write_done(descriptor, done | {str(key): number for key in keys})
            failure = None
        except LeaseholdError as error:
            failure = error
        except OSError as error:
            failure = Unavailable(f"{self._lock} cannot be used: {error.strerror}")
        finally:
            for ticket in batch:
                ticket.finished, ticket.error = True, failure

    def _begun(self) -> int:
        try:
            descriptor = os.open(self._lock, os.O_RDONLY)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise Unavailable(f"{self._lock} cannot be used: {error.strerror}") from error
        try:
            return _number(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            _give_to_owner(descriptor, self._lock.parent)
            deadline = time.monotonic() + self._patience
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise Unavailable(
                            f"Another process has kept {self._lock} for {self._patience:g} s: it may hang"
                        ) from None
                    time.sleep(_POLL_SECONDS)
            yield descriptor
        finally:
            os.close(descriptor)


def _give_to_owner(descriptor: int, directory: Path) -> None:
    """Let a lock that root made, by a command, be that of whoever has the directory: the service must have it too."""
    ours, theirs = os.fstat(descriptor), directory.stat()
    if os.geteuid() == 0 and (ours.st_uid, ours.st_gid) != (theirs.st_uid, theirs.st_gid):
        os.fchown(descriptor, theirs.st_uid, theirs.st_gid)


def _number(descriptor: int) -> int:
    return int.from_bytes(os.pread(descriptor, _NUMBER_SIZE, 0))


def _done(descriptor: int) -> dict[str, int]:
    """The last work that succeeded, by key; nothing when the file is new or was cut off."""
    text = os.pread(descriptor, os.fstat(descriptor).st_size, _NUMBER_SIZE)
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {str(key): int(number) for key, number in found.items()} if isinstance(found, dict) else {}


def _write_done(descriptor: int, done: dict[str, int]) -> None:
    text = json.dumps(done).encode()
    os.pwrite(descriptor, text, _NUMBER_SIZE)
    os.ftruncate(descriptor, _NUMBER_SIZE + len(text))
