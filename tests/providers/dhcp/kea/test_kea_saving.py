"""One config-write for all who wait for one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from providers.dhcp.kea.control import Answer, Control
from providers.dhcp.kea.saving import Saving
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import Unavailable


class SlowControl(Control):
    """Each command begins, and waits until it may end; ``error`` is how."""

    def __init__(self) -> None:
        super().__init__(KeaSchema().load({}))
        self.began = 0
        self.may_end = threading.Event()
        self.error: Exception | None = None

    def command(self, name: str, *_: object, **__: object) -> Answer:
        assert name == "config-write"
        self.began += 1
        assert self.may_end.wait(30)
        if self.error is not None:
            raise self.error
        return Answer(0, "")


@pytest.fixture
def kea() -> SlowControl:
    """A Kea that saves slowly."""
    return SlowControl()


@pytest.fixture
def saving(kea: SlowControl) -> Saving:
    """Savings of that Kea."""
    return Saving(kea)


@pytest.fixture
def eight(kea: SlowControl, saving: Saving) -> Iterator[list[Future[None]]]:
    """Eight that wait: one has begun."""
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(saving.run)]
        until(lambda: kea.began == 1)
        waiting += [pool.submit(saving.run) for _ in range(7)]
        until(lambda: saving._asked == 8)
        yield waiting
        kea.may_end.set()


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_those_that_come_meanwhile_share_the_next_one(kea, eight):
    kea.may_end.set()
    for each in eight:
        each.result(30)
    assert kea.began == 2


def test_each_hears_that_it_failed(kea, saving, eight):
    kea.error = Unavailable("disk full")
    kea.may_end.set()
    for each in eight:
        with pytest.raises(Unavailable, match="disk full"):
            each.result(30)
    assert saving.needed


def test_one_that_came_before_does_not_count(kea, saving):
    kea.may_end.set()
    saving.run()
    saving.run()
    assert kea.began == 2


def test_nobody_waits_for_ever(kea):
    impatient = Saving(kea, patience=0.01)
    impatient._turn.acquire()
    with pytest.raises(Unavailable, match="has not saved"):
        impatient.run()
