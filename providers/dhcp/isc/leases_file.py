"""Following dhcpd's leases file: dhcpd appends to it, and now and then puts a new one in its place."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from providers.dhcp.isc.leases_state import LeasesState
from providers.errors import Unavailable

_Answer = TypeVar("_Answer")

LOOK_EVERY_SECONDS = 1.0
_CHUNK = 1 << 20


class LeasesFile:
    """The file as it was at most a second ago, in memory.

    Any thread may ask. Whoever comes while another reads what was added gets the answer from before, unless it has to
    be ``now``. A file that is away for a moment, while dhcpd renames, changes nothing.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._monotonic = monotonic
        self._following = threading.Lock()
        self._answering = threading.Lock()
        self._state: LeasesState | None = None
        self._descriptor: int | None = None
        self._offset = 0
        self._torn = b""
        self._looked = float("-inf")
        self._problem: OSError | None = None

    def ask(self, question: Callable[[LeasesState], _Answer], *, now: bool = False) -> _Answer:
        """What ``question`` returns for the state of the file; with ``now`` what is in it now.

        Raises Unavailable when the file could never be read, with ``now`` also when it cannot be read now.
        """
        if self._following.acquire(blocking=now or self._state is None):
            try:
                if now or self._state is None or self._monotonic() - self._looked >= LOOK_EVERY_SECONDS:
                    self._look()
            finally:
                self._following.release()
        state, problem = self._state, self._problem
        if problem is not None and (now or state is None):
            raise Unavailable(
                f"The leases file {self.path} of dhcpd cannot be read: {problem.strerror}; see :leases: in dhcp_isc.yml"
            ) from problem
        if state is None:
            raise AssertionError("a file without a problem was read")
        with self._answering:
            return question(state)

    def close(self) -> None:
        """Let go of the file."""
        with self._following:
            self._forget()
            self._state = None

    def _look(self) -> None:
        self._looked = self._monotonic()
        try:
            if self._is_another():
                self._begin_anew()
            self._read_on()
        except OSError as error:
            self._problem = error
        else:
            self._problem = None

    def _is_another(self) -> bool:
        """Whether the path leads to another file, or to one that was cut.

        The old one stays open, so that its inode cannot be given to another file.
        """
        there = os.stat(self.path)
        if self._descriptor is None:
            return True
        ours = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) or there.st_size < self._offset

    def _begin_anew(self) -> None:
        """Read a file from its start, while others are answered from the old one."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = b"".join(_pieces(descriptor, 0))
        except OSError:
            os.close(descriptor)
            raise
        state = LeasesState()
        end = state.take_in(content)
        self._forget()
        self._descriptor, self._offset, self._torn, self._state = descriptor, len(content), content[end:], state

    def _read_on(self) -> None:
        if self._descriptor is None or self._state is None:
            return
        for piece in _pieces(self._descriptor, self._offset):
            self._offset += len(piece)
            content = self._torn + piece
            with self._answering:
                end = self._state.take_in(content)
            self._torn = content[end:]

    def _forget(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._offset, self._torn = None, 0, b""


def _pieces(descriptor: int, offset: int) -> list[bytes]:
    """What is in a file from ``offset`` on; its own position does not count, another process may share it."""
    pieces = []
    while piece := os.pread(descriptor, _CHUNK, offset):
        pieces.append(piece)
        offset += len(piece)
    return pieces
