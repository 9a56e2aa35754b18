"""Kea's memory saved to its configuration file, once for everybody who waits for that."""

from __future__ import annotations

import threading

from providers.dhcp.kea.control import Control
from providers.errors import Unavailable

_PATIENCE_SECONDS = 30.0


class Saving:
    """``config-write`` to one Kea, which takes 0.1 s with 10,000 reservations in its memory."""

    def __init__(self, control: Control, *, patience: float = _PATIENCE_SECONDS) -> None:
        self._control = control
        self._patience = patience
        self._gate = threading.Lock()
        self._turn = threading.Lock()
        self._asked = 0
        self._done = 0
        self.needed = False
        """Whether something changed in Kea's memory since it was saved, as far as this process knows."""

    def run(self) -> None:
        """Return once a saving that began after the call is done; raises Unavailable."""
        with self._gate:
            self._asked += 1
            number = self._asked
        if not self._turn.acquire(timeout=self._patience):
            raise Unavailable(f"Kea has not saved its configuration for {self._patience:g} s")
        try:
            if self._done >= number:
                return
            with self._gate:
                begun = self._asked
            self.needed = False
            try:
                self._control.command("config-write")
            except BaseException:
                self.needed = True
                raise
            self._done = begun
        finally:
            self._turn.release()
