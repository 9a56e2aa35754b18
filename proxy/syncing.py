"""Book and DHCP server are brought together when the service starts, and when somebody stopped halfway."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from pathlib import Path

from providers.address_book import AddressBook
from providers.errors import Conflict, LeaseholdError
from providers.model import Caller
from proxy.settings import Settings

log = logging.getLogger(__name__)

_CALLER = Caller("leasehold")
_PAUSE_SECONDS = 60.0
_LOCK = "sync.lock"


class BackgroundSync(threading.Thread):
    """A thread in each worker, of which one at a time works: the one that has the lock in the state directory.

    It brings everything together once, and again as long as that fails; after that it looks once a minute for marks
    of those who stopped halfway, and heals them. Requests are answered meanwhile.
    """

    def __init__(self, book: AddressBook, settings: Settings, *, pause: float = _PAUSE_SECONDS) -> None:
        super().__init__(name="sync", daemon=True)
        self._book = book
        self._most_percent = settings.dhcp.sync_limit
        self._lock = settings.state_dir / _LOCK
        self._pause = pause
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until ``stop``."""
        descriptor = self._wait_for_lock()
        if descriptor is None:
            return
        try:
            self._tell_health()
            in_order = self.heal(everything=True)
            while not self._stopping.wait(self._pause):
                in_order = self.heal(everything=not in_order)
        finally:
            os.close(descriptor)

    def stop(self) -> None:
        """End the thread as soon as it has done what it is at."""
        self._stopping.set()

    def heal(self, *, everything: bool) -> bool:
        """Bring together what differs, if ``everything`` or an old mark asks for it; returns whether all is well."""
        try:
            if not everything and not self._book.has_abandoned():
                return True
            done = self._book.sync(_CALLER, most_percent=self._most_percent)
        except Conflict as error:
            # Only a person can decide that, and is not told every minute.
            log.error("The DHCP server differs from the book, and stays so: %s", error)  # noqa: TRY400
            return True
        except LeaseholdError as error:
            log.warning("Book and DHCP server could not be compared, which is tried again: %s", error)
            return False
        for each in done:
            log.info("%s: brought the DHCP server up to the book", each.difference.subnet)
            for failure in each.failures:
                log.error("%s: the DHCP server differs from the book: %s", each.difference.subnet, failure)
        return True

    def _tell_health(self) -> None:
        """Say in the log, and so on Foreman's Logs page, how the DHCP server is."""
        dhcp = self._book.dhcp
        health = dhcp.health()
        log.log(logging.INFO if health.ok else logging.ERROR, "%s: %s", dhcp.name, health.detail)

    def _wait_for_lock(self) -> int | None:
        while True:
            descriptor = _locked(self._lock)
            if descriptor is not None:
                return descriptor
            if self._stopping.wait(self._pause):
                return None


def start_sync(book: AddressBook, settings: Settings) -> BackgroundSync | None:
    """Start the thread, where there is a DHCP server to be told anything."""
    if not book.dhcp.capabilities.publishes:
        return None
    thread = BackgroundSync(book, settings)
    thread.start()
    return thread


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
