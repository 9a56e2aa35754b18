"""Seeing that somebody else has read a file: how dnsmasq's reload is confirmed.

dnsmasq does not say whether it read a file, and SIGHUP is answered by nothing. But it opens and closes the file, which
the system tells: inotify(7) on Linux, kqueue(2) with NOTE_OPEN and NOTE_CLOSE on FreeBSD. Both tell it of the file
itself, not of its name, so a file that replaces another one was read by nobody yet.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from providers.errors import Unavailable

_CLOSED_UNWRITTEN = 0x10
"""IN_CLOSE_NOWRITE of inotify(7)."""
_EVENT = struct.Struct("iIII")
_NOTE_CLOSE = 0x100
"""NOTE_CLOSE of kevent(2) on FreeBSD, which Python's select does not name."""


class Reading(ABC):
    """From the beginning of the context on, notices who opens ``paths``, reads and closes them."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.unread = set(paths)

    def wait(self, seconds: float) -> bool:
        """Whether all were read by now; waits so long at the most, and returns at once when the last one was."""
        deadline = time.monotonic() + seconds
        while self.unread and (left := deadline - time.monotonic()) > 0:
            self.unread -= self._closed(left)
        return not self.unread

    def __enter__(self) -> Reading:
        try:
            self._open()
        except OSError as error:
            self.close()
            raise Unavailable(f"It cannot be seen whether dnsmasq reads its files: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def _open(self) -> None:
        """Begin to notice; raises OSError."""

    @abstractmethod
    def _closed(self, seconds: float) -> set[Path]:
        """The files that were closed now; waits so long at the most for one."""

    @abstractmethod
    def close(self) -> None:
        """Notice no more."""


class LinuxReading(Reading):
    """By inotify(7)."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__(paths)
        self._descriptor = -1
        self._paths: dict[int, Path] = {}

    def _open(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = _checked(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        for path in self.unread:
            watch = libc.inotify_add_watch(self._descriptor, os.fsencode(path), _CLOSED_UNWRITTEN)
            self._paths[_checked(watch)] = path

    def _closed(self, seconds: float) -> set[Path]:
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return set()
        octets = os.read(self._descriptor, 4096)
        found, at = set(), 0
        while at < len(octets):
            watch, mask, _, length = _EVENT.unpack_from(octets, at)
            at += _EVENT.size + length
            if mask & _CLOSED_UNWRITTEN:
                found.add(self._paths[watch])
        return found

    def close(self) -> None:
        """Give the descriptor back, without waiting: Linux takes 10 to 16 ms for one that watched something."""
        if self._descriptor >= 0:
            closing = threading.Thread(target=os.close, args=(self._descriptor,), name="close inotify", daemon=True)
            try:
                closing.start()
            except RuntimeError:
                # There are too many threads, or the process ends.
                os.close(self._descriptor)
            self._descriptor = -1


class BSDReading(Reading):
    """By kqueue(2), as FreeBSD has it since 11."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__(paths)
        self._queue: select.kqueue | None = None  # type: ignore[name-defined,unused-ignore]
        self._paths: dict[int, Path] = {}

    def _open(self) -> None:
        self._queue = select.kqueue()  # type: ignore[attr-defined,unused-ignore]
        for path in self.unread:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._paths[descriptor] = path
            self._queue.control(
                [
                    select.kevent(  # type: ignore[attr-defined,unused-ignore]
                        descriptor,
                        filter=select.KQ_FILTER_VNODE,  # type: ignore[attr-defined,unused-ignore]
                        flags=select.KQ_EV_ADD | select.KQ_EV_CLEAR,  # type: ignore[attr-defined,unused-ignore]
                        fflags=_NOTE_CLOSE,
                    )
                ],
                0,
            )

    def _closed(self, seconds: float) -> set[Path]:
        if self._queue is None:
            return set()
        return {self._paths[event.ident] for event in self._queue.control(None, 16, seconds)}

    def close(self) -> None:
        """Give the descriptors back."""
        if self._queue is not None:
            self._queue.close()
            self._queue = None
        while self._paths:
            os.close(self._paths.popitem()[0])


def reading(paths: Sequence[Path]) -> Reading:
    """The way of this system."""
    return LinuxReading(paths) if sys.platform == "linux" else BSDReading(paths)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)
