"""Counting failures."""

from __future__ import annotations

import multiprocessing

import pytest

from proxy.access.throttle import Throttle


@pytest.fixture
def throttle(clock):
    return Throttle(clock, most=3)


def counts(throttle, *sources):
    return [throttle.failed(source).count for source in sources]


def test_each_source_has_its_own_count(throttle):
    assert counts(throttle, "192.0.2.1", "192.0.2.2", "192.0.2.1") == [1, 1, 2]


def test_what_is_more_than_allowed_is_slowed(throttle):
    assert [throttle.slows(throttle.failed("192.0.2.1")) for _ in range(5)] == [False, False, False, True, True]


def test_a_minute_after_the_first_failure_the_count_begins_anew(throttle, clock):
    counts(throttle, *["192.0.2.1"] * 4)
    clock.pass_(seconds=59)
    assert counts(throttle, "192.0.2.1") == [5]
    clock.pass_(seconds=1)
    assert counts(throttle, "192.0.2.1") == [1]


def test_it_says_how_long_to_wait(throttle, clock):
    assert throttle.failed("192.0.2.1").seconds_left == 60
    clock.pass_(seconds=45)
    assert throttle.failed("192.0.2.1").seconds_left == 15
    clock.pass_(seconds=14.9)
    assert throttle.failed("192.0.2.1").seconds_left == 1


def test_a_clock_that_is_set_back_does_not_keep_anybody_waiting(throttle, clock):
    counts(throttle, *["192.0.2.1"] * 4)
    clock.pass_(hours=-1)
    assert counts(throttle, "192.0.2.1") == [1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "local", False),
        ("known token a", "known token b", False),
    ],
)
def test_who_counts_as_one(throttle, one, other, same):
    assert counts(throttle, one, other) == ([1, 2] if same else [1, 1])


def test_the_memory_does_not_grow_with_the_sources(throttle):
    before = len(throttle._memory)
    for number in range(20_000):
        throttle.failed(f"source {number}")
    assert len(throttle._memory) == before
    assert before < 100_000


def test_processes_forked_later_share_the_count(throttle):
    counts(throttle, "192.0.2.1")
    context = multiprocessing.get_context("fork")
    worker = context.Process(target=throttle.failed, args=("192.0.2.1",))
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    assert counts(throttle, "192.0.2.1") == [3]
