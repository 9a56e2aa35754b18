"""Book and DHCP server are brought together when the service starts, and when somebody stopped halfway."""

from __future__ import annotations

import logging

from providers.address_book import AddressBook
from providers.errors import Conflict, LeaseholdError
from providers.model import Caller
from proxy.background import PAUSE_SECONDS, OneAtATime
from proxy.settings import Settings

log = logging.getLogger(__name__)

_CALLER = Caller("leasehold")
_LOCK = "sync.lock"


class BackgroundSync(OneAtATime):
    """It brings everything together once, and again as long as that fails; after that it looks once a minute for marks
    of those who stopped halfway, and heals them. Requests are answered meanwhile.
    """

    def __init__(self, book: AddressBook, settings: Settings, *, pause: float = PAUSE_SECONDS) -> None:
        super().__init__("sync", settings.state_dir / _LOCK, pause)
        self._book = book
        self._most_percent = settings.dhcp.sync_limit
        self._in_order = False

    def begin(self) -> None:
        """Bring everything together."""
        self._tell_health()
        self._in_order = self.heal(everything=True)

    def go_on(self) -> None:
        """Look for marks; everything again where that failed before."""
        self._in_order = self.heal(everything=not self._in_order)

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


def start_sync(book: AddressBook, settings: Settings) -> BackgroundSync | None:
    """Start the thread, where there is a DHCP server to be told anything."""
    if not book.dhcp.capabilities.publishes:
        return None
    thread = BackgroundSync(book, settings)
    thread.start()
    return thread
