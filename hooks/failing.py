"""Guests on whose reports the service fails: how often, and since when.

A mistake of the service (500) may come for one report each time, and for no other. What it fails on is tried often and
for a while, because the mistake may be mended meanwhile, but not for ever.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection

from hooks.shared_file import open_shared

OFTEN, LONG = 6, 60 * 60
"""How many deliveries have to fail, and for how many seconds, until a report is put aside."""

_NAME = "failing.state"


class Failing:
    """The guests whose oldest report failed at every delivery, remembered in the directory of the spool.

    It goes by guests: a later report that makes the failing one pointless may be the next one to fail.
    """

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, _NAME)
        self._before = self._read()
        self._guests = dict(self._before)

    def again(self, guest: str, now: float) -> bool:
        """Count one more; whether it has been often enough, for long enough. ``now`` in seconds since the epoch."""
        count, since = self._guests.get(guest, (0, now))
        self._guests[guest] = (count + 1, min(since, now))
        return count + 1 >= OFTEN and now - since >= LONG

    def forget(self, guest: str) -> None:
        """The guest's oldest report did not fail, or waits no more."""
        self._guests.pop(guest, None)

    def keep(self, waiting: Collection[str]) -> None:
        """Remember it for the next delivery; nothing of guests of which no report waits."""
        kept = {guest: counted for guest, counted in self._guests.items() if guest in waiting}
        if kept == self._before:
            return
        coming = f"{self._path}.{os.getpid()}"
        try:
            descriptor = open_shared(coming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                os.write(descriptor, json.dumps(kept).encode())
            finally:
                os.close(descriptor)
            os.replace(coming, self._path)
        except OSError:
            # A disk that is full, for example: then it is tried for longer, and nothing is lost.
            return

    def _read(self) -> dict[str, tuple[int, float]]:
        try:
            with open(self._path, "rb") as file:
                return {guest: (int(count), float(since)) for guest, (count, since) in json.load(file).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            # Not there yet, or not what was written: everything begins to fail now.
            return {}
