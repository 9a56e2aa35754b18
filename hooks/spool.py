"""What could not be delivered, kept on disk in order until it can.

One file an entry, named by a number that grows. An entry is the request as it will be sent, with the moment of the
event in it, so that the service can tell a late one (rule 16). Whoever delivers holds the lock; entries are removed
only after the service has answered. What it fails on again and again is put aside, into a directory of its own.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hooks.errors import HookError
from hooks.service import Call
from hooks.shared_file import open_shared

_SUFFIX = ".json"
_LOCK = ".lock"
_ASIDE = "aside"
_MOST_AT_ONCE = 1000


class Entry(NamedTuple):
    """A request that waits. ``guest`` is ``cluster/name``; those of one guest supersede each other."""

    number: int
    guest: str
    call: Call


class SpoolFailure(HookError):
    """The spool directory cannot be read or written."""


class Spool:
    """The entries in a directory that root and user ``cbsd`` share."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def add(self, guest: str, call: Call) -> None:
        """Keep a request; earlier ones of the guest that it makes pointless are dropped. Raises SpoolFailure.

        It is on the disk when this returns.
        """
        try:
            os.makedirs(self.directory, mode=0o770, exist_ok=True)
            before = list(self._read())
            self._write(Entry(_next_number(before), guest, call))
            for each in before:
                if each.guest == guest and supersedes(call, each.call):
                    self._unlink(self._path(each.number))
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

    def lock(self) -> int | None:
        """The right to deliver, as a descriptor that ends it when it is closed; None while another process has it.

        Raises SpoolFailure.
        """
        try:
            lock = open_shared(os.path.join(self.directory, _LOCK), os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return None
        except OSError as error:
            raise self._failure(error) from error
        return lock

    def remove(self, entry: Entry) -> None:
        """Forget an entry; one that is not there any more is no error. Raises SpoolFailure."""
        try:
            self._unlink(self._path(entry.number))
        except OSError as error:
            raise self._failure(error) from error

    def put_aside(self, entry: Entry) -> str:
        """Let an entry wait no more, and keep it all the same; returns its file. Raises SpoolFailure."""
        directory = os.path.join(self.directory, _ASIDE)
        # Numbers begin again once nothing waits.
        path = os.path.join(directory, f"{int(time.time())}-{entry.number:012}{_SUFFIX}")
        try:
            os.makedirs(directory, mode=0o770, exist_ok=True)
            os.rename(self._path(entry.number), path)
        except FileNotFoundError:
            # A later report has made it pointless meanwhile.
            return path
        except OSError as error:
            raise self._failure(error) from error
        return path

    def aside(self) -> list[str]:
        """The files of what was put aside, the oldest first. Raises SpoolFailure."""
        directory = os.path.join(self.directory, _ASIDE)
        try:
            return [os.path.join(directory, name) for name in sorted(os.listdir(directory)) if name.endswith(_SUFFIX)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failure(error) from error

    def take_back(self) -> None:
        """Let what was put aside wait again, behind what waits already. Raises SpoolFailure."""
        for path in self.aside():
            try:
                entry = self._entry(_next_number(self._read()), path)
                if entry is not None:
                    self._write(entry)
                    self._unlink(path)
            except OSError as error:
                raise self._failure(error) from error

    def _read(self) -> Iterator[Entry]:
        for name in sorted(os.listdir(self.directory)):
            stem, dot, suffix = name.rpartition(".")
            if f"{dot}{suffix}" != _SUFFIX or not (stem.isascii() and stem.isdigit()):
                continue
            entry = self._entry(int(stem), os.path.join(self.directory, name))
            if entry is not None:
                yield entry

    def _entry(self, number: int, path: str) -> Entry | None:
        """What is in a file; None when it is gone, was cut off, or is no file but something that bears its name."""
        try:
            with open(path, "rb", opener=_open_at_once) as file:
                kept = json.load(file)
            return Entry(number, kept["guest"], Call(*kept["call"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, IsADirectoryError):
            # Nobody was told that this was kept: a file gets its name only when all of it is there.
            os.replace(path, f"{path}.broken")
            return None

    def _write(self, entry: Entry) -> None:
        coming = os.path.join(self.directory, f".{os.getpid()}")
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
        directory = os.open(self.directory, os.O_RDONLY)
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

    def _unlink(self, path: str) -> None:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return

    def _path(self, number: int) -> str:
        return os.path.join(self.directory, f"{number:012}{_SUFFIX}")

    def _failure(self, error: OSError) -> SpoolFailure:
        return SpoolFailure(f"spool_dir {self.directory} cannot be used: {error.strerror}")


def _open_at_once(path: str, flags: int) -> int:
    """For ``open``: a pipe that somebody left there is not waited for, and is empty."""
    return os.open(path, flags | os.O_NONBLOCK)


def _next_number(entries: Iterable[Entry]) -> int:
    return max((each.number for each in entries), default=0) + 1


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
