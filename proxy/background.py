"""What one process of a service does for all of them while requests are answered."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from abc import ABC, abstractmethod
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

    def run(self) -> None:
        """Work until ``stop``."""
        descriptor = self._wait_for_lock()
        if descriptor is None:
            return
        try:
            self.begin()
            while not self._stopping.wait(self._pause):
                self.go_on()
        finally:
            os.close(descriptor)

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
        while True:
            descriptor = _locked(self._lock)
            if descriptor is not None:
                return descriptor
            if self._stopping.wait(self._pause):
                return None


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock; None while another process does, or the lock cannot be made."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        log.warning("%s cannot be locked: %s", path, error.strerror)
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
