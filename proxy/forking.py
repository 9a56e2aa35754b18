"""What a worker does first after it was forked: heed a signal that comes before gunicorn's own handlers are there.

Until then it has those of the master, which put a signal into a queue that nobody reads in a worker. One that was told
to stop in that moment would go on until the master lost its patience and killed it.
"""

from __future__ import annotations

import queue
import signal
from typing import Any

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def heed_signals(arbiter: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn has no type hints
    """gunicorn's ``post_fork`` hook: let the worker stop, as soon as it has started, if it was told to."""

    def stop(_signal: int, _frame: object) -> None:
        worker.alive = False

    for each in _STOPPING:
        signal.signal(each, stop)
    while True:
        try:
            told = arbiter.SIG_QUEUE.get_nowait()
        except queue.Empty:
            return
        if told in _STOPPING:
            worker.alive = False
