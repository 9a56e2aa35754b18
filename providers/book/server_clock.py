"""The time as the server of the database has it, for all services that share it.

Of two services on one database, the one whose machine is ahead would end the holds of the other one early and promise
the address to somebody else, so none of them ends a hold by its own machine's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from providers.clock import Clock, utc_now

_HEARD_FOR = 10.0
_STEP = 1.0


class ServerClock:
    """A clock that follows the server's: this machine's, corrected by what was measured in a transaction lately."""

    def __init__(self, own: Clock = utc_now, monotonic: Callable[[], float] = time.monotonic) -> None:
        """``own`` is this machine's clock, which may be wrong or set anew; ``monotonic`` counts seconds."""
        self._own = own
        self._monotonic = monotonic
        self._lead = timedelta()
        self._heard: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """The present moment, aware, in UTC: this machine's until the server was heard for the first time."""
        return self._own() - self._lead

    @property
    def lead(self) -> timedelta:
        """How far this machine's clock is ahead of the server's; negative when it is behind."""
        return self._lead

    def hear(self, connection: Connection) -> None:
        """Measure anew, at the beginning of a transaction on PostgreSQL.

        Not more often than every ten seconds, unless this machine's clock was set or stood still in the meantime.
        """
        was_set = self._was_set()
        if self._heard is not None and not was_set and self._monotonic() - self._heard[1] <= _HEARD_FOR:
            return
        asked, began = self._own(), self._monotonic()
        there: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        answered, ended = self._own(), self._monotonic()
        # When the server looked is known only where it answered at once; what was measured before is better then.
        if self._heard is None or was_set or ended - began <= _STEP:
            self._lead = asked + (answered - asked) / 2 - there
        self._heard = (answered, ended)

    def _was_set(self) -> bool:
        if self._heard is None:
            return False
        shown, counted = self._heard
        return abs((self._own() - shown).total_seconds() - (self._monotonic() - counted)) > _STEP
