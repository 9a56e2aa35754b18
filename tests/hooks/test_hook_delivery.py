"""Delivering what waits: in order, and what cannot be delivered holds up its own guest at most."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hooks.delivery import deliver
from hooks.errors import InternalError, NotAllowed, Refused, Unreachable
from hooks.failing import LONG, OFTEN
from hooks.service import Call
from hooks.spool import Spool

WEB = "/guests/east/web1"
REPORT = Call("PUT", WEB, None, {"node": "n", "at": "1", "addresses": []})
RUNNING = Call("PATCH", WEB, None, {"node": "n", "at": "2", "state": "running"})
DB = Call("PATCH", "/guests/east/db1", None, {"node": "n", "at": "3", "state": "running"})


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(str(tmp_path / "spool"))


def kept(spool: Spool) -> list[Call]:
    return [entry.call for entry in spool.entries()]


def test_nothing_waits_in_a_directory_that_is_not_there(spool, tmp_path):
    assert spool.entries() == []
    assert deliver(spool, lambda call: None).waiting == 0
    assert not (tmp_path / "spool").exists()


def test_what_waits_is_delivered_in_order_and_is_gone_then(spool):
    spool.add("east/web1", REPORT)
    spool.add("east/db1", DB)
    spool.add("east/web1", RUNNING)
    sent = []
    done = deliver(spool, sent.append)
    assert [call.path for call in sent] == [WEB, "/guests/east/db1", WEB]
    assert (done.delivered, done.waiting, spool.entries()) == (3, 0, [])


def test_an_outage_in_the_middle_leaves_the_rest_in_order(spool):
    spool.add("east/web1", REPORT)
    spool.add("east/web1", RUNNING)

    def send(call: Call) -> None:
        if call == RUNNING:
            raise Unreachable("down")

    done = deliver(spool, send)
    assert (done.delivered, done.waiting, str(done.hindrance)) == (1, 1, "down")
    assert kept(spool) == [RUNNING]


def test_what_is_refused_is_dropped_and_told(spool):
    spool.add("east/web1", REPORT)

    def send(call: Call) -> None:
        raise Refused("taken by db1", 409, "conflict")

    done = deliver(spool, send)
    assert [(entry.call, refusal.status) for entry, refusal in done.refused] == [(REPORT, 409)]
    assert spool.entries() == []


def test_a_bad_token_drops_nothing(spool):
    spool.add("east/web1", REPORT)

    def send(call: Call) -> None:
        raise NotAllowed("unknown token", 401)

    assert deliver(spool, send).waiting == 1
    assert kept(spool) == [REPORT]


def test_nobody_waits_for_whoever_delivers(spool, tmp_path):
    spool.add("east/web1", REPORT)
    lock = os.open(tmp_path / "spool" / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        done = deliver(spool, lambda call: None)
    finally:
        os.close(lock)
    assert (done.delivered, done.waiting) == (0, 1)
    assert "another process" in str(done.hindrance)


def test_what_is_forbidden_holds_up_its_own_guest_alone(spool):
    spool.add("east/web1", REPORT)
    spool.add("east/db1", DB)
    spool.add("east/web1", RUNNING)
    sent = []

    def send(call: Call) -> None:
        sent.append(call)
        if call.path == WEB:
            raise NotAllowed("limited to other subnets", 403)

    done = deliver(spool, send)
    assert [call.path for call in sent] == [WEB, "/guests/east/db1"]
    assert (done.delivered, done.waiting, done.hindrance) == (1, 2, None)
    assert (done.holds_up("east/web1"), done.holds_up("east/db1")) == (True, False)
    assert kept(spool) == [REPORT, RUNNING]


class Failing:
    """A service that fails on what a test says, at the moment that the test says."""

    def __init__(self, spool: Spool, fails: Callable[[Call], bool]) -> None:
        self.spool = spool
        self.fails = fails
        self.now = 1_000_000.0
        self.sent: list[Call] = []

    def __call__(self, call: Call) -> None:
        self.sent.append(call)
        if self.fails(call):
            raise InternalError("Internal error; the log tells more under request id 1")

    def deliver(self, *, after: float = 0):
        self.now += after
        self.sent.clear()
        return deliver(self.spool, self, lambda: self.now)

    def often(self, *, over: float = LONG) -> None:
        """Deliver so often, over so many seconds, that the next time is once too often."""
        for place in range(OFTEN - 1):
            assert self.deliver(after=over / (OFTEN - 1) if place else 0).aside == ()
        self.now += over / (OFTEN - 1)


def is_web(call: Call) -> bool:
    return call.path == WEB


def test_what_the_service_fails_on_holds_up_its_own_guest_alone(spool):
    for guest, call in (("east/web1", REPORT), ("east/db1", DB), ("east/web1", RUNNING)):
        spool.add(guest, call)
    failing = Failing(spool, is_web)
    done = failing.deliver()
    assert failing.sent == [REPORT, DB]
    assert (done.delivered, done.waiting, done.hindrance) == (1, 2, None)
    assert (done.holds_up("east/web1"), done.holds_up("east/db1")) == (True, False)
    assert kept(spool) == [REPORT, RUNNING]


def test_what_it_failed_on_often_and_for_long_is_put_aside_and_what_came_later_goes_on(spool):
    spool.add("east/web1", REPORT)
    spool.add("east/web1", RUNNING)
    failing = Failing(spool, lambda call: call == REPORT)
    failing.often()
    done = failing.deliver()
    assert (done.delivered, done.waiting, done.stuck) == (1, 0, ())
    ((entry, _, path),) = done.aside
    assert (entry.call, spool.aside(), kept(spool)) == (REPORT, [path], [])
    assert failing.sent[-1] == RUNNING


def test_often_is_not_enough_and_neither_is_long(spool):
    spool.add("east/web1", REPORT)
    failing = Failing(spool, is_web)
    failing.often(over=LONG - 60)
    assert failing.deliver().aside == ()
    seldom = Failing(Spool(f"{spool.directory}2"), is_web)
    seldom.spool.add("east/web1", REPORT)
    for _ in range(OFTEN - 1):
        assert seldom.deliver(after=2 * LONG).aside == ()


@pytest.mark.parametrize("failure", [Unreachable("503"), NotAllowed("limited to other subnets", 403)])
def test_nothing_else_counts_as_a_failure_of_the_service(spool, failure):
    spool.add("east/web1", REPORT)

    def send(call: Call) -> None:
        raise failure

    for hour in range(3 * OFTEN):
        assert deliver(spool, send, lambda now=hour * LONG: now).aside == ()
    assert kept(spool) == [REPORT]


def test_a_success_in_between_begins_the_count_again(spool):
    spool.add("east/web1", REPORT)
    failing = Failing(spool, is_web)
    failing.often()
    failing.fails = lambda call: False
    assert failing.deliver().delivered == 1
    spool.add("east/web1", REPORT)
    failing.fails = is_web
    assert failing.deliver().aside == ()


def test_later_reports_of_a_guest_that_fail_too_do_not_begin_the_count_again(spool):
    """A guest that is started every few minutes makes its own report pointless each time."""
    failing = Failing(spool, is_web)
    for number in range(OFTEN):
        spool.add("east/web1", REPORT._replace(body=REPORT.body | {"at": str(number)}))
        done = failing.deliver(after=LONG / (OFTEN - 1) if number else 0)
    assert [entry.call.body["at"] for entry, _, _ in done.aside] == [str(OFTEN - 1)]


def test_a_service_that_fails_on_everything_gets_everything_later(spool):
    for number in range(12):
        spool.add(f"east/g{number}", DB._replace(path=f"/guests/east/g{number}"))
    failing = Failing(spool, lambda call: True)
    failing.often()
    done = failing.deliver()
    assert (done.aside, done.waiting) == ((), 12)
    assert done.holds_up("east/g11")
    # It is not asked twelve times by each hook.
    assert len([call for call in failing.sent if call.method == "PATCH"]) == 5
    failing.fails = lambda call: False
    assert failing.deliver().delivered == 12


def test_more_reports_that_fail_than_one_delivery_tries_hold_up_the_others_for_a_bounded_time(spool):
    for number in range(7):
        spool.add(f"east/bad{number}", DB._replace(path=f"/guests/east/bad{number}"))
    spool.add("east/db1", DB)
    failing = Failing(spool, lambda call: "bad" in call.path)
    for _ in range(4 * OFTEN):
        failing.deliver(after=LONG / OFTEN)
    assert (kept(spool), len(spool.aside())) == ([], 7)


def test_what_was_put_aside_can_be_delivered_again_behind_what_waits(spool):
    spool.add("east/web1", REPORT)
    failing = Failing(spool, is_web)
    failing.often()
    failing.deliver()
    spool.add("east/db1", DB)
    spool.take_back()
    assert (kept(spool), spool.aside()) == ([DB, REPORT], [])
    failing.fails = lambda call: False
    assert failing.deliver().delivered == 2


def test_a_count_that_cannot_be_read_is_none_and_one_that_cannot_be_kept_stops_nothing(spool, tmp_path):
    spool.add("east/web1", REPORT)
    spool.add("east/db1", DB)
    state = tmp_path / "spool" / "failing.state"
    for nonsense in ("[", "[]", '{"east/web1": 3}', '{"east/web1": ["x", null]}'):
        state.write_text(nonsense)
        assert Failing(spool, is_web).deliver().aside == ()
    state.unlink()
    state.mkdir()
    assert Failing(spool, is_web).deliver().waiting == 1


def test_nobody_who_has_no_report_left_is_counted_any_more(spool, tmp_path):
    spool.add("east/web1", REPORT)
    failing = Failing(spool, is_web)
    failing.deliver()
    assert "east/web1" in (tmp_path / "spool" / "failing.state").read_text()
    failing.fails = lambda call: False
    failing.deliver()
    assert (tmp_path / "spool" / "failing.state").read_text() == "{}"
