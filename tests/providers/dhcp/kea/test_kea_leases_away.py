"""Leases of a Kea that does not answer before anything is known of it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from providers.dhcp.kea.control import Answer, Control
from providers.dhcp.kea.leases import KeaLeases
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import Unavailable


class HungControl(Control):
    """Each command ends when it may, without an answer."""

    def __init__(self) -> None:
        super().__init__(KeaSchema().load({}))
        self.asked = 0
        self.may_end = threading.Event()

    def command(self, *_: object, **__: object) -> Answer:
        self.asked += 1
        assert self.may_end.wait(30)
        raise Unavailable("Kea has not answered")


class Seen:
    """A lock that counts who has come to it."""

    def __init__(self) -> None:
        self.came = 0
        self._lock = threading.Lock()

    def acquire(self, *, blocking: bool) -> bool:
        self.came += 1
        return self._lock.acquire(blocking=blocking)

    def release(self) -> None:
        self._lock.release()


def test_those_that_wait_while_one_looks_hear_with_it_and_do_not_look_one_after_the_other():
    kea = HungControl()
    leases = KeaLeases(kea, "commands")
    leases._looking = gate = Seen()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(leases.refresh) for _ in range(4)]
        deadline = time.monotonic() + 30
        while gate.came < 4 and time.monotonic() < deadline:
            time.sleep(0.005)
        kea.may_end.set()
        for each in waiting:
            with pytest.raises(Unavailable, match="Kea has not answered"):
                each.result(30)
    asked = kea.asked

    with pytest.raises(Unavailable):
        leases.refresh()

    assert (asked, kea.asked) == (1, 2)
