"""What one process of a service does for all of them."""

from __future__ import annotations

import errno
import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proxy.background import OneAtATime

DEADLINE = 30


class Work(OneAtATime):
    """Fails at first, each time for a reason of its own, which may be the same."""

    def __init__(self, lock: Path, *reasons: str) -> None:
        super().__init__("work", lock, 0.01)
        self.reasons = list(reasons)
        self.done = threading.Event()

    def begin(self) -> None:
        self.go_on()

    def go_on(self) -> None:
        if self.reasons:
            raise ValueError(self.reasons.pop(0))
        self.done.set()


@contextmanager
def running(work: Work) -> Iterator[Work]:
    work.start()
    try:
        yield work
    finally:
        work.stop()
        work.join(DEADLINE)


def test_what_goes_wrong_does_not_end_it_and_is_logged_once(tmp_path, caplog):
    with running(Work(tmp_path / "lock", "one", "one", "one", "two")) as work:
        assert work.done.wait(DEADLINE)
    assert caplog.text.count("work failed, which is tried again") == 2
    assert "ValueError: one" in caplog.text
    assert "ValueError: two" in caplog.text


def test_a_lock_that_cannot_be_had_is_tried_again_and_logged_once(tmp_path, monkeypatch, caplog):
    lock, tried = fcntl.flock, iter(range(3))

    def flock(descriptor: int, how: int) -> None:
        if next(tried, None) is not None:
            raise OSError(errno.ENOLCK, "No locks available")
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with running(Work(tmp_path / "lock")) as work:
        assert work.done.wait(DEADLINE)
    assert caplog.text.count("cannot be locked, which is tried again: No locks available") == 1
