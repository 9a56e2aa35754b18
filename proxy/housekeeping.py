"""What the book needs now and then: ending what others left halfway, and forgetting old events."""

from __future__ import annotations

import logging
from datetime import timedelta

from providers.address_book import AddressBook
from providers.errors import LeaseholdError
from providers.model import Caller
from proxy.background import PAUSE_SECONDS, OneAtATime
from proxy.settings import Settings

log = logging.getLogger(__name__)

_CALLER = Caller("leasehold")
_LOCK = "housekeeping.lock"


class Housekeeping(OneAtATime):
    """Looks once a minute; where there is nothing to do that costs two look-ups."""

    def __init__(self, book: AddressBook, settings: Settings, *, pause: float = PAUSE_SECONDS) -> None:
        super().__init__("housekeeping", settings.state_dir / _LOCK, pause)
        self._book = book
        self._keep_events = timedelta(days=settings.events_days)

    def begin(self) -> None:
        """As after every minute."""
        self.go_on()

    def go_on(self) -> None:
        """Do what there is to do. What fails is tried again after the next pause."""
        try:
            for guest in self._book.finish_guests(_CALLER):
                log.warning("Guest %s: finished what was left halfway", guest)
            if self._keep_events:
                self._book.forget_events(self._keep_events)
        except LeaseholdError as error:
            log.warning("The book could not be put into order, which is tried again: %s", error)


def start_housekeeping(book: AddressBook, settings: Settings) -> Housekeeping:
    """Start the thread."""
    thread = Housekeeping(book, settings)
    thread.start()
    return thread
