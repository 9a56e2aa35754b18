"""The configuration of a running Kea, asked for anew only when it may be another one.

``config-get`` gives all reservations in Kea's memory too: 0.2 s with 10,000 in Kea 3.0.3, where ``status-get`` takes
0.1 ms and says when Kea read its configuration.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from providers.dhcp.kea.configuration import Configuration
from providers.dhcp.kea.control import Control, Result

_SETTLED_SECONDS = 3
_SAME_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class _Loading:
    """Which process read its configuration, and when: by our own clock, with an error below a second."""

    pid: int
    moment: float
    seconds_ago: int

    def is_same(self, other: _Loading) -> bool:
        return self.pid == other.pid and abs(self.moment - other.moment) < _SAME_SECONDS


class Configured:
    """What one Kea is configured to, without its reservations."""

    def __init__(self, control: Control, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._control = control
        self._monotonic = monotonic
        self._known: tuple[_Loading, Configuration] | None = None

    def now(self) -> Configuration:
        """The configuration as it is now; raises Unavailable."""
        known = self._known
        loading = self._loading()
        if known is not None and loading is not None and loading.is_same(known[0]):
            return known[1]
        return self._asked(loading)

    def anew(self) -> Configuration:
        """The same, asked for in any case; raises Unavailable."""
        return self._asked(self._loading())

    def keep(self, found: Configuration) -> None:
        """Go by ``found``, for which Kea was asked after the caller had let it read its configuration.

        Kea tells whole seconds, so whatever somebody else lets it read within two seconds is not noticed. For a caller
        that asks ``anew`` before it says that something is not there, or is refused.
        """
        loading = self._loading()
        self._known = None
        if loading is not None and found.changes_by_loading_alone:
            self._known = (loading, found.without_reservations())

    def _asked(self, loading: _Loading | None) -> Configuration:
        found = Configuration.of(self._control).without_reservations()
        # Kea tells whole seconds. Of one that began some ago the next loading differs by more than they hide.
        self._known = None
        if loading is not None and loading.seconds_ago >= _SETTLED_SECONDS and found.changes_by_loading_alone:
            self._known = (loading, found)
        return found

    def _loading(self) -> _Loading | None:
        answer = self._control.command("status-get", bear=(Result.ERROR, Result.UNSUPPORTED))
        found = answer.arguments
        if answer.result != Result.SUCCESS or not isinstance(found, dict):
            return None
        pid, ago = found.get("pid"), found.get("reload")
        if not isinstance(pid, int) or not isinstance(ago, int):
            return None
        return _Loading(pid, self._monotonic() - ago, ago)
