"""What could not be delivered, kept on disk in order until it can.

One file an entry, named by a number that grows. An entry is the request as it will be sent, with the moment of the
event in it, so that the service can tell a late one (rule 16). Whoever delivers holds the lock; entries are removed
only after the service has answered.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hooks.errors import HookError, NotAllowed, Refused, Unreachable
from hooks.service import Call
from hooks.shared_file import open_shared

_SUFFIX = ".json"
_LOCK = ".lock"
_MOST_AT_ONCE = 1000


class Entry(NamedTuple):
    """A request that waits. ``guest`` is ``cluster/name``; those of one guest supersede each other."""

    number: int
    guest: str
    call: Call


class Delivery(NamedTuple):
    """What became of the spool: how many entries were delivered, which were refused and why, how many still wait.

    ``hindrance`` stopped it; ``forbidden`` are entries that wait for other rights, and hold up their guests alone.
    """

    delivered: int
    refused: tuple[tuple[Entry, Refused], ...]
    waiting: int
    hindrance: HookError | None = None
    forbidden: tuple[tuple[Entry, NotAllowed], ...] = ()

    def holds_up(self, guest: str) -> bool:
        """Whether a report of ``guest`` has to go behind what waits."""
        return self.hindrance is not None or any(entry.guest == guest for entry, _ in self.forbidden)


class SpoolFailure(HookError):
    """The spool directory cannot be read or written."""


class Spool:
    """The entries in a directory that root and user ``cbsd`` share."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def add(self, guest: str, call: Call) -> None:
        """Keep a request; earlier ones of the guest that it makes pointless are dropped. Raises SpoolFailure.

        It is on the disk when this returns.
        """
        try:
            os.makedirs(self._directory, mode=0o770, exist_ok=True)
            before = list(self._read())
            self._write(Entry(before[-1].number + 1 if before else 1, guest, call))
            for each in before:
                if each.guest == guest and supersedes(call, each.call):
                    self._remove(each)
        except OSError as error:
            raise self._failure(error) from error

    def entries(self) -> list[Entry]:
        """What waits, in order. Raises SpoolFailure."""
        try:
            return list(self._read())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failure(error) from error

    def deliver(self, send: Callable[[Call], Any]) -> Delivery:
        """Send what waits, in order, until the service cannot be reached. Raises SpoolFailure.

        What the service refuses is dropped and returned: it would be refused for ever. What it forbids stays, and what
        came later of the same guest. One process delivers at a time; nobody waits for it, because it may take as long
        as the service lets it.
        """
        entries = self.entries()
        if not entries:
            return Delivery(0, (), 0)
        try:
            lock = open_shared(os.path.join(self._directory, _LOCK), os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self._deliver(send)
            except BlockingIOError:
                return Delivery(0, (), len(entries), Unreachable("another process delivers what waits"))
            finally:
                os.close(lock)
        except OSError as error:
            raise self._failure(error) from error

    def _deliver(self, send: Callable[[Call], Any]) -> Delivery:
        delivered = 0
        refused: list[tuple[Entry, Refused]] = []
        forbidden: list[tuple[Entry, NotAllowed]] = []
        behind = 0
        # Read again: whoever had the lock before has delivered some of it.
        entries = list(self._read())
        for place, entry in enumerate(entries):
            if any(earlier.guest == entry.guest for earlier, _ in forbidden):
                behind += 1
                continue
            try:
                send(entry.call)
            except (NotAllowed, Unreachable) as hindrance:
                if isinstance(hindrance, NotAllowed) and hindrance.for_this_alone:
                    forbidden.append((entry, hindrance))
                    continue
                waiting = len(forbidden) + behind + len(entries) - place
                return Delivery(delivered, tuple(refused), waiting, hindrance, tuple(forbidden))
            except Refused as refusal:
                refused.append((entry, refusal))
            else:
                delivered += 1
            self._remove(entry)
        return Delivery(delivered, tuple(refused), len(forbidden) + behind, None, tuple(forbidden))

    def _read(self) -> Iterator[Entry]:
        for name in sorted(os.listdir(self._directory)):
            stem, dot, suffix = name.rpartition(".")
            if f"{dot}{suffix}" != _SUFFIX or not stem.isdigit():
                continue
            path = os.path.join(self._directory, name)
            try:
                with open(path, "rb") as file:
                    kept = json.load(file)
                yield Entry(int(stem), kept["guest"], Call(*kept["call"]))
            except FileNotFoundError:
                continue
            except (ValueError, KeyError, TypeError):
                # Nobody was told that this was kept: a file gets its name only when all of it is there.
                os.replace(path, f"{path}.broken")

    def _write(self, entry: Entry) -> None:
        coming = os.path.join(self._directory, f".{os.getpid()}")
        # Left by a process that was killed, it may be the other name of an entry that waits.
        self._unlink(coming)
        try:
            self._fill(coming, json.dumps({"guest": entry.guest, "call": entry.call}).encode())
            for number in range(entry.number, entry.number + _MOST_AT_ONCE):
                try:
                    os.link(coming, self._path(number))
                except FileExistsError:
                    continue
                break
        finally:
            self._unlink(coming)
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _fill(self, path: str, text: bytes) -> None:
        descriptor = open_shared(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            # A disk that is nearly full takes a part, and says no more than how much.
            if os.write(descriptor, text) != len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _remove(self, entry: Entry) -> None:
        self._unlink(self._path(entry.number))

    def _unlink(self, path: str) -> None:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return

    def _path(self, number: int) -> str:
        return os.path.join(self._directory, f"{number:012}{_SUFFIX}")

    def _failure(self, error: OSError) -> SpoolFailure:
        return SpoolFailure(f"spool_dir {self._directory} cannot be used: {error.strerror}")


def supersedes(newer: Call, older: Call) -> bool:
    """Whether ``older``, of the same guest, need not be delivered once ``newer`` is.

    A state supersedes an earlier state, a report one that says no more than it does, and the end of a guest everything
    before it. Only another end supersedes an end: what came before it has to be released.
    """
    if older.path != newer.path:
        return False
    if newer.method == "DELETE":
        return True
    if newer.method == "PATCH":
        return older.method == "PATCH"
    if newer.method == "PUT" and older.method in ("PUT", "PATCH"):
        return _said(older) <= _said(newer)
    return False


def _said(call: Call) -> frozenset[str]:
    body = call.body if isinstance(call.body, dict) else {}
    return frozenset(key for key, value in body.items() if value is not None)
