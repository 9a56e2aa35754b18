"""The memory behind /logs: what stays, what goes, and what a killed process can do to it."""

from __future__ import annotations

import json
import logging
import os
import signal
import time

import pytest

from proxy.logs.ring import SLOT, Ring

INFO, ERROR = logging.INFO, logging.ERROR


def add(ring: Ring, message: str, level: int = INFO, timestamp: float = 1.0, **more: object) -> None:
    ring.add(timestamp, level, {"timestamp": timestamp, "level": "X", "message": message, **more})


def messages(ring: Ring, since: float = 0) -> list[str]:
    return [json.loads(kept.body)["message"] for kept in ring.records(since)]


def test_what_was_added_is_there_in_order():
    ring = Ring(10, 5)
    assert messages(ring) == []
    for number in range(4):
        add(ring, f"message {number}")
    assert messages(ring) == [f"message {number}" for number in range(4)]


def test_the_oldest_goes_first():
    ring = Ring(3, 5)
    for number in range(7):
        add(ring, str(number))
    assert messages(ring) == ["4", "5", "6"]


def test_errors_stay_longer():
    ring = Ring(3, 2)
    for number in range(8):
        add(ring, str(number), ERROR if number in (0, 2, 3) else INFO)
    assert messages(ring) == ["2", "3", "5", "6", "7"]


def test_without_room_for_errors_they_go_like_the_others():
    ring = Ring(2, 0)
    for number in range(5):
        add(ring, str(number), ERROR)
    assert messages(ring) == ["3", "4"]


def test_since_counts_from_and_with_its_moment():
    ring = Ring(5, 5)
    for number in range(5):
        add(ring, str(number), timestamp=number + 0.5)
    assert messages(ring, 2.5) == ["2", "3", "4"]


@pytest.mark.parametrize("character", ["x", "ü", "日", "\N{PILE OF POO}", '"', "\\"])
def test_what_does_not_fit_is_cut_at_its_end(character):
    ring = Ring(2, 2)
    add(ring, character * SLOT, backtrace="y" * SLOT, request_id="r-1")
    (kept,) = ring.records()
    record = json.loads(kept.body)
    assert SLOT * 0.8 < len(kept.body) <= SLOT
    assert record["message"].endswith("...")
    assert record["backtrace"] == ""
    assert record["request_id"] == "r-1"


def test_a_backtrace_is_cut_before_the_message():
    ring = Ring(2, 2)
    add(ring, "short", backtrace="frame\n" * SLOT)
    (kept,) = ring.records()
    record = json.loads(kept.body)
    assert record["message"] == "short"
    assert record["backtrace"].startswith("frame\nframe")
    assert record["backtrace"].endswith("...")


@pytest.mark.parametrize("at", [0, 4, 6, 14, 25, 40])
def test_a_torn_slot_is_passed_over_and_used_again(at):
    ring = Ring(3, 3)
    for number in range(3):
        add(ring, f"message {number}")
    place = ring._main(2) + at
    ring._memory[place] ^= 0xFF
    assert messages(ring) == ["message 0", "message 2"]
    for number in range(3, 6):
        add(ring, f"message {number}")
    assert messages(ring) == ["message 3", "message 4", "message 5"]


def test_an_error_that_moved_on_twice_is_there_once():
    """A process that is killed between moving an error on and overwriting its place leaves it in both."""
    ring = Ring(2, 3)
    add(ring, "error", ERROR)
    add(ring, "other")
    old = ring._read(ring._main(1))
    assert old is not None
    ring._write(ring._tail(1), old)
    ring._counts[1] = 1
    assert messages(ring) == ["error", "other"]
    add(ring, "third")
    assert messages(ring) == ["error", "other", "third"]


def test_a_whole_record_of_a_killed_process_counts():
    """Killed after writing its slot, and before counting it."""
    ring = Ring(3, 3)
    for number in range(5):
        add(ring, str(number), ERROR)
    ring._counts[0] -= 1
    add(ring, "5", ERROR)
    add(ring, "6", ERROR)
    assert messages(ring) == ["1", "2", "3", "4", "5", "6"]


def test_another_size_takes_over_what_there_is():
    old = Ring(4, 4)
    for number in range(9):
        add(old, str(number), ERROR if number == 1 else INFO, timestamp=number)
    new = Ring(2, 1)
    new.take_over(old)
    assert messages(new) == ["1", "7", "8"]
    assert [kept.timestamp for kept in new.records()] == [1, 7, 8]


@pytest.mark.race
def test_all_processes_write_to_one_ring():
    ring = Ring(1000, 10)
    children = [fork(write_numbered, ring, name, 200) for name in "abcd"]
    assert [ended(child) for child in children] == [0] * 4
    assert sorted(messages(ring)) == sorted(f"{name} {number}" for name in "abcd" for number in range(200))
    for name in "abcd":
        assert [message for message in messages(ring) if message.startswith(name)] == [
            f"{name} {number}" for number in range(200)
        ]


@pytest.mark.race
def test_processes_that_are_killed_while_writing_stop_nobody():
    ring = Ring(50, 20)
    for _ in range(40):
        children = [fork(write_until_killed, ring, name) for name in "ab"]
        try:
            read_until(ring, ring._counts[0] + 20)
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
        assert [ended(child) for child in children] == [-signal.SIGKILL] * 2
        add(ring, "mine")
        assert messages(ring)[-1] == "mine"
    assert 48 <= len([kept for kept in ring.records() if kept.number > ring._counts[0] - 50]) <= 50


def write_numbered(ring: Ring, name: str, count: int) -> None:
    for number in range(count):
        add(ring, f"{name} {number}")


def read_until(ring: Ring, count: int, timeout: float = 60) -> None:
    end = time.monotonic() + timeout
    while ring._counts[0] < count:
        assert all(isinstance(json.loads(kept.body), dict) for kept in ring.records())
        assert time.monotonic() < end, "the other processes write nothing"


def write_until_killed(ring: Ring, name: str) -> None:
    for _ in range(10**6):
        add(ring, name * 300, ERROR)


def fork(work, *arguments) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work(*arguments)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a child must not go on with the parent's tests
        os._exit(1)


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
