"""A log file that several processes write to, and that one of them rolls over when it is time.

Whoever writes holds a lock on the file itself, so that lines never mix and nobody writes to a file that is being
rolled over. With the lock it looks whether the file under the name is still the one that it locked: that finds the
roll-over of another process, and that of logrotate or an operator, without being told.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import weakref
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from proxy.logs.destinations import Destination

_MODE = 0o640


@dataclass(frozen=True, slots=True)
class Rolling:
    """When a file is rolled over: beyond ``size`` bytes, and when the period that it was last written in is over.

    ``age`` is daily, weekly (on Mondays), monthly, or a number of seconds, counted from 1970. ``keep`` files stay
    beside the current one: NAME.1, the newest, to NAME.keep.
    """

    size: int
    age: str | int
    keep: int

    def is_due(self, found: os.stat_result, now: float, coming: int) -> bool:
        """Whether a line of ``coming`` bytes, written ``now``, has to begin another file than the one ``found``."""
        if not stat.S_ISREG(found.st_mode) or not found.st_size:
            return False
        return found.st_size + coming > self.size or self._period(found.st_mtime) < self._period(now)

    def _period(self, at: float) -> tuple[int, ...]:
        if isinstance(self.age, int):
            return (int(at // self.age),)
        day = datetime.fromtimestamp(at).astimezone()
        if self.age == "weekly":
            return tuple(day.isocalendar())[:2]
        return (day.year, day.month) if self.age == "monthly" else (day.year, day.month, day.day)


class RollingFile(Destination):
    """A file that every line is written to at once and in one piece; without ``rolling`` others have to rotate it."""

    def __init__(self, path: Path, rolling: Rolling | None = None) -> None:
        """Raises OSError when the file cannot be written."""
        super().__init__()
        self.path = path
        self._rolling = rolling
        self._fd: int | None = None
        self._open()
        _open_files.add(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of ``record``, to a new file if it is time for one."""
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
            while not self._written(line, record.created):
                pass
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the file; a line that comes later opens it again."""
        self.acquire()
        try:
            self.forget()
        finally:
            self.release()
        super().close()

    def forget(self) -> None:
        """Let go of the open file: a lock on it would be shared with the process that this one was forked from."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(self.path, flags, _MODE)
        return self._fd

    def _written(self, line: bytes, now: float) -> bool:
        """Write ``line``; False when the file was, or has just been, rolled over, and the next one is to be taken."""
        fd = self._open() if self._fd is None else self._fd
        fcntl.flock(fd, fcntl.LOCK_EX)
        try:
            found = os.fstat(fd)
            if not self._is_current(found):
                self.forget()
                return False
            if self._rolling is not None and self._rolling.is_due(found, now, len(line)):
                self._roll_over(self._rolling.keep)
                self.forget()
                return False
            while line:
                line = line[os.write(fd, line) :]
            return True
        finally:
            # Closing it has unlocked it.
            if self._fd is not None:
                fcntl.flock(fd, fcntl.LOCK_UN)

    def _is_current(self, found: os.stat_result) -> bool:
        try:
            return os.path.samestat(found, os.stat(self.path))
        except FileNotFoundError:
            return False

    def _roll_over(self, keep: int) -> None:
        """Give every file the next higher number, as far as there is no gap; the last one goes.

        A process that is killed in between leaves a gap, which the next roll-over fills.
        """
        names = [self.path, *(Path(f"{self.path}.{number}") for number in range(1, keep + 1))]
        last = next((at for at, name in enumerate(names) if not name.exists()), keep)
        for at in range(last, 0, -1):
            os.replace(names[at - 1], names[at])


_open_files: weakref.WeakSet[RollingFile] = weakref.WeakSet()


def _forget_all() -> None:
    for file in list(_open_files):
        with suppress(OSError):
            file.forget()


os.register_at_fork(after_in_child=_forget_all)
