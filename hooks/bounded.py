"""A bound in time for whatever may hang: a name server, a service that sends one byte a minute."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from hooks.errors import Unreachable

T = TypeVar("T")


def bounded(work: Callable[[], T], seconds: float, what: str) -> T:
    """Return what ``work`` returns, or raise what it raises. Raises Unreachable when it takes longer than ``seconds``.

    It runs in a thread that is left behind then: neither a name look-up nor a slow answer can be interrupted.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as failure:  # noqa: BLE001 - raised again, in the thread that waits
            failures.append(failure)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if failures:
        raise failures[0]
    if not results:
        raise Unreachable(f"{what} did not answer within {seconds:.1f} seconds")
    return results[0]
