"""One reload for everybody who waits for one."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from providers.dhcp.shared_reload import SharedReload
from providers.errors import InvalidValue, Unavailable


class Server:
    """Counts its reloads, in the first of which it waits to be let go."""

    def __init__(self) -> None:
        self.reloads: list[frozenset[str]] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.error: Exception | None = None

    def __call__(self, keys: frozenset[str]) -> None:
        self.reloads.append(keys)
        if len(self.reloads) == 1:
            self.entered.set()
            assert self.go_on.wait(60)
        if self.error is not None:
            raise self.error


@pytest.fixture
def server() -> Server:
    return Server()


def wait_until_waiting(shared: SharedReload[str], number: int) -> None:
    deadline = threading.Event()
    for _ in range(12_000):
        if len(shared._waiting) == number:
            return
        deadline.wait(0.005)
    raise AssertionError("they do not come")


def crowd(shared: SharedReload[str], server: Server, *keys: str) -> list[Exception | None]:
    """One caller, and while that is served one for each of ``keys``; returns what each of these got."""
    with ThreadPoolExecutor(len(keys) + 1) as pool:
        first = pool.submit(shared.run, "first")
        assert server.entered.wait(60)
        waiting = [pool.submit(shared.run, key) for key in keys]
        wait_until_waiting(shared, len(keys))
        server.go_on.set()
        first.exception(60)
        return [each.exception(60) for each in waiting]


def test_those_who_wait_together_share_one(tmp_path: Path, server: Server):
    shared = SharedReload(tmp_path / "lock", server)
    assert crowd(shared, server, "a", "b", "a", "c") == [None] * 4
    assert server.reloads == [{"first"}, {"a", "b", "c"}]


def test_one_that_began_before_the_call_does_not_count(tmp_path: Path, server: Server):
    shared = SharedReload(tmp_path / "lock", server)
    crowd(shared, server, "first")
    assert server.reloads == [{"first"}, {"first"}]


def test_a_failure_reaches_everybody_who_shared_it(tmp_path: Path, server: Server):
    shared = SharedReload(tmp_path / "lock", server)
    server.error = InvalidValue("no such option")
    errors = crowd(shared, server, "a", "b")
    assert [(type(each), str(each)) for each in errors] == [(InvalidValue, "no such option")] * 2
    assert errors[0] is not errors[1]
    server.error = None
    shared.run("a")


def test_a_bug_does_not_leave_the_others_waiting(tmp_path: Path, server: Server):
    shared = SharedReload(tmp_path / "lock", server)
    server.error = RuntimeError("a bug")
    kinds = sorted(type(each).__name__ for each in crowd(shared, server, "a", "b"))
    assert kinds == ["RuntimeError", "Unavailable"]


def test_whoever_does_not_get_a_turn_hears_it(tmp_path: Path, server: Server):
    first = SharedReload(tmp_path / "lock", server)
    other = SharedReload(tmp_path / "lock", server, patience=0.05)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(first.run, "first")
        assert server.entered.wait(60)
        with pytest.raises(Unavailable, match="it may hang"):
            other.run("a")
        server.go_on.set()
        running.result(60)
    other.run("a")


def _shared_work(directory: Path, ready) -> None:
    """One process of the crowd: ten calls, each of which has to see what it wrote before in what was reloaded."""
    loaded = directory / "loaded"

    def work(_: frozenset[str]) -> None:
        # Replaced, as providers do it: the next process may be writing while this one reads.
        fresh = directory / f"loaded.{multiprocessing.current_process().pid}"
        fresh.write_text(" ".join(sorted(path.name for path in (directory / "rows").iterdir())))
        fresh.replace(loaded)

    shared = SharedReload(directory / "lock", work)
    ready.wait(60)
    for number in range(10):
        row = f"{multiprocessing.current_process().pid}-{number}"
        (directory / "rows" / row).touch()
        shared.run("all")
        assert row in loaded.read_text().split()


def test_processes_share_them_too(tmp_path: Path):
    (tmp_path / "rows").mkdir()
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(3)
    crowd = [context.Process(target=_shared_work, args=(tmp_path, ready)) for _ in range(3)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(120)
    assert [each.exitcode for each in crowd] == [0, 0, 0]


@pytest.mark.parametrize("content", [b"", b"\0\0", b"12345678{broken", b"12345678[]"])
def test_a_lock_file_that_was_cut_off_counts_for_nothing(tmp_path: Path, server: Server, content: bytes):
    (tmp_path / "lock").write_bytes(content)
    server.go_on.set()
    shared = SharedReload(tmp_path / "lock", server)
    shared.run("a")
    shared.run("a")
    assert server.reloads == [{"a"}, {"a"}]


def test_a_lock_that_cannot_be_made(tmp_path: Path, server: Server):
    with pytest.raises(Unavailable, match="No such file or directory"):
        SharedReload(tmp_path / "missing" / "lock", server).run("a")


def test_a_lock_belongs_to_whoever_has_the_directory(tmp_path: Path, server: Server):
    """A command that root runs first must not keep the service's account out."""
    place = tmp_path / "place"
    place.mkdir()
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
    server.go_on.set()
    SharedReload(place / "lock", server).run("a")

    lock = (place / "lock").stat()
    assert (lock.st_uid, lock.st_gid) == (place.stat().st_uid, place.stat().st_gid)
