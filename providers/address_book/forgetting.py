"""Letting go of what is only history."""

from __future__ import annotations

from datetime import timedelta

from providers.address_book.foundation import Foundation
from providers.book import event_log

_PORTIONS = 20


class Forgetting(Foundation):
    """Keeps the event log from growing without end."""

    def forget_events(self, keep: timedelta) -> int:
        """Remove events that are older than ``keep``, a bounded number of them; returns how many.

        Each portion is a transaction of its own, so that nobody who writes waits for longer than one of them takes.
        """
        before = self.clock() - keep
        forgotten = 0
        for _ in range(_PORTIONS):
            with self.book.read() as connection:
                if not event_log.has_before(connection, before):
                    break
            removed = self.book.write(lambda connection: event_log.forget(connection, before))
            forgotten += removed
            if not removed:
                break
        return forgotten
