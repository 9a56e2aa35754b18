"""What one process of a service does for all of them while requests are answered."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0


class OneAtATime(threading.Thread, ABC):
    """A thread in each worker, of which one at a time works: the one that has the lock in the state directory."""

    def __init__(self, name: str, lock: Path, pause: float) -> None:
        super().__init__(name=name, daemon=True)
        self._lock = lock
        self._pause = pause
        self._stopping = threading.Event()
        self._complaint = ""

    def run(self) -> None:
        """Work until ``stop``."""
        descriptor = self._wait_for_lock()
        if descriptor is None:
            return
        try:
            self._try(self.begin)
            while not self._stopping.wait(self._pause):
                self._try(self.go_on)
        finally:
            os.close(descriptor)

    def _try(self, work: Callable[[], None]) -> None:
        """Nobody starts the thread again, so whatever goes wrong does not end it; the log has the same once."""
        try:
            work()
        except Exception as error:
            told = repr(error)
            if told != self._complaint:
                log.exception("%s failed, which is tried again every %.0f seconds", self.name, self._pause)
            self._complaint = told
        else:
            self._complaint = ""

    def stop(self) -> None:
        """End the thread as soon as it has done what it is at."""
        self._stopping.set()

    @abstractmethod
    def begin(self) -> None:
        """What is done once this process has the lock."""

    @abstractmethod
    def go_on(self) -> None:
        """What is done after every pause."""

    def _wait_for_lock(self) -> int | None:
        complaint: str | None = None
        while True:
            try:
                return _locked(self._lock)
            except BlockingIOError:
                complaint = None
            except OSError as error:
                if error.strerror != complaint:
                    log.warning("%s cannot be locked, which is tried again: %s", self._lock, error.strerror)
                complaint = error.strerror
            if self._stopping.wait(self._pause):
                return None


def _locked(path: Path) -> int:
    """A descriptor that holds the lock; raises BlockingIOError while another process does, OSError if nobody can."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
