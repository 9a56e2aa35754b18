"""Work that no request has to wait for: one thread of the process does it, one piece after the other."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

_MOST_WAITING = 100

Work = Callable[[], object]


class InBackground:
    """Does what it is given, later. When too much waits already, it is left out: it would only have steered."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Work] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def __call__(self, work: Work) -> None:
        """Have ``work`` done."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="aside", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            log.warning("too much waits to be read from the IPAM: one reading is left out")

    def _run(self) -> None:
        while True:
            work = self._waiting.get()
            try:
                work()
            except Exception:  # the thread has to outlive whatever one piece of work does
                log.exception("something that was to be done aside failed")


def never(work: Work) -> None:
    """Leave it to others: for programs that do one thing and end."""
