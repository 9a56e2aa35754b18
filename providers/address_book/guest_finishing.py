"""Going on with what others began to tell of guests, and left halfway because they were killed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from providers.address_book.guest_ends import GuestEnds
from providers.address_book.guest_written import Written
from providers.address_book.syncing import ABANDONED
from providers.book import guests as kept
from providers.book.guests import Kept, Left
from providers.errors import LeaseholdError, Unavailable
from providers.model import Caller

log = logging.getLogger(__name__)

_AT_ONCE = 100
_FAILURES = 3
"""After so many in a row nobody is there who could be told."""


class GuestFinishing(GuestEnds):
    """Ends reports and removals of guests."""

    _left_off: Left | None = None
    _complaints: frozenset[str] = frozenset()

    def finish_guests(self, caller: Caller) -> list[str]:
        """End what others began to tell of guests and left halfway because they were killed; returns which guests.

        The oldest first, a bounded number of them, and the next time those after them: what fails holds up nobody.
        """
        left = self.clock() - ABANDONED
        found = self._halfway(left, self._left_off)
        if not found and self._left_off is not None:
            found = self._halfway(left, None)
        self._left_off = None
        done: list[str] = []
        failed: dict[str, str] = {}
        in_a_row = 0
        for guest in found:
            if in_a_row == _FAILURES:
                break
            try:
                if self._finish_guest(guest, left, caller):
                    done.append(str(guest))
                in_a_row = 0
            except LeaseholdError as error:
                failed[str(error)] = str(guest)
                in_a_row = in_a_row + 1 if isinstance(error, Unavailable) else 0
            if guest.telling_since is not None:
                self._left_off = (guest.telling_since, guest.id)
        self._complain(failed)
        return done

    def _halfway(self, left: datetime, after: Left | None) -> list[Kept]:
        with self.book.read() as connection:
            return kept.halfway(connection, left, after, _AT_ONCE)

    def _complain(self, failed: Mapping[str, str]) -> None:
        """Log why guests are not finished, by the reason, and none that was logged in the passes just before."""
        for reason, guest in failed.items():
            if reason not in self._complaints:
                log.warning("Guest %s: what was left halfway is not finished, which is tried again: %s", guest, reason)
        if not failed or len(self._complaints) > _AT_ONCE:
            self._complaints = frozenset(failed)
        else:
            self._complaints |= failed.keys()

    def _finish_guest(self, guest: Kept, left: datetime, caller: Caller) -> bool:
        """Tell again what the book says of a guest; returns whether nobody else did meanwhile."""
        written = self.book.write(lambda connection: self._resume(connection, guest, left, caller))
        if written is None:
            return False
        self._tell_all(written, caller)
        if written.guest.ending_at is None:
            self._put_right(self.book.write(lambda connection: self._finish(connection, written, caller)))
            self._tell_the_others(written)
        else:
            self._finish_removal(written, written.guest.ending_at, None, caller)
        return True

    def _resume(self, connection: Connection, found: Kept, left: datetime, caller: Caller) -> Written | None:
        before = kept.find_to_change(connection, found.cluster, found.name)
        if before is None or before.telling_since is None or before.telling_since > left:
            return None
        guest = replace(before, revision=before.revision + 1)
        placed = self._place(connection, before, guest, None, caller)
        guest = replace(guest, addresses=placed.rows, telling_since=self.clock())
        kept.put(connection, guest, over=before)
        return Written(before, guest, placed)
