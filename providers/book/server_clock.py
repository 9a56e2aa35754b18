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
        if not self._is_due():
            return
        asked = self._own()
        there: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        answered = self._own()
        self._lead = asked + (answered - asked) / 2 - there
        self._heard = (answered, self._monotonic())

    def _is_due(self) -> bool:
        if self._heard is None:
            return True
        shown, counted = self._heard
        passed = self._monotonic() - counted
        return passed > _HEARD_FOR or abs((self._own() - shown).total_seconds() - passed) > _STEP
