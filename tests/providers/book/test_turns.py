"""Taking turns: each job all or nothing, none lost, whoever fails or dies."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text, update

from providers.book.database import Book
from providers.book.tables import directory, groups
from providers.book.turns import Turns
from providers.errors import Unavailable
from tests.providers.processes import CONTEXT, together


class Boom(Exception):
    """What a job of a test raises."""


@pytest.fixture
def turns(book: Book) -> Iterator[Turns]:
    """Turns at the file of the book."""
    made = Turns(book.engine, Path(book.url.database))
    yield made
    made.close()


def add(name: str) -> Callable[[Connection], str]:
    """A job that writes a group and returns its name."""

    def work(connection: Connection) -> str:
        connection.execute(insert(groups).values(name=name, description=""))
        return name

    return work


def add_and_fail(name: str) -> Callable[[Connection], None]:
    """A job that writes two groups and raises."""

    def work(connection: Connection) -> None:
        add(name)(connection)
        add(f"{name} again")(connection)
        raise Boom(name)

    return work


def count_up(connection: Connection) -> None:
    """A job that loses an update if another one writes between its read and its write."""
    revision = connection.execute(select(directory.c.revision)).scalar_one()
    connection.execute(update(directory).values(revision=revision + 1))


def names(book: Book) -> list[str]:
    with book.read() as connection:
        return list(connection.execute(select(groups.c.name).order_by(groups.c.name)).scalars())


def revision(book: Book) -> int:
    with book.read() as connection:
        return int(connection.execute(select(directory.c.revision)).scalar_one())


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for other threads, but not for ever."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Crowd:
    """Threads whose jobs all wait while the first one is at work, so that they share a commit."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.results: dict[int, Any] = {}

    def run(self, jobs: list[Callable[[Connection], Any]]) -> list[Any]:
        """What each job returned or raised."""
        at_work, go_on = threading.Event(), threading.Event()

        def first(connection: Connection) -> None:
            at_work.set()
            assert go_on.wait(60)

        threads = [threading.Thread(target=self._one, args=(-1, first))]
        threads[0].start()
        assert at_work.wait(60)
        for number, job in enumerate(jobs):
            threads.append(threading.Thread(target=self._one, args=(number, job)))
            threads[-1].start()
        wait_until(lambda: len(self.turns._queue) == len(jobs))
        go_on.set()
        for thread in threads:
            thread.join(60)
        return [self.results[number] for number in range(len(jobs))]

    def _one(self, number: int, job: Callable[[Connection], Any]) -> None:
        try:
            self.results[number] = self.turns.run(job)
        except (Boom, SystemExit) as error:
            self.results[number] = error


def test_a_job_returns_what_its_work_returned(turns: Turns, book: Book):
    assert turns.run(add("one")) == "one"
    assert names(book) == ["one"]


def test_a_failing_job_raises_and_leaves_nothing(turns: Turns, book: Book):
    with pytest.raises(Boom, match="bad"):
        turns.run(add_and_fail("bad"))
    assert names(book) == []


def test_after_a_failing_job_the_next_one_is_kept(turns: Turns, book: Book):
    with pytest.raises(Boom):
        turns.run(add_and_fail("bad"))
    turns.run(add("good"))
    assert names(book) == ["good"]


def test_waiting_jobs_are_all_kept(turns: Turns, book: Book):
    wanted = [f"job {number:03}" for number in range(150)]
    assert Crowd(turns).run([add(name) for name in wanted]) == wanted
    assert names(book) == wanted


def test_waiting_jobs_share_a_commit(turns: Turns, book: Book):
    seen: list[str] = []
    turns.run(lambda connection: connection.connection.dbapi_connection.set_trace_callback(seen.append))
    Crowd(turns).run([add(f"job {number}") for number in range(20)])
    assert seen.count("COMMIT") <= 3


def test_a_failing_job_does_not_spoil_the_others_of_its_commit(turns: Turns, book: Book):
    jobs: list[Callable[[Connection], Any]] = [add("a"), add_and_fail("b"), add("c"), add_and_fail("d"), add("e")]
    results = Crowd(turns).run(jobs)
    assert [each if isinstance(each, str) else type(each) for each in results] == ["a", Boom, "c", Boom, "e"]
    assert names(book) == ["a", "c", "e"]


def test_a_job_that_ends_the_process_takes_its_commit_along(turns: Turns, book: Book):
    def leave(connection: Connection) -> None:
        add("left")(connection)
        raise SystemExit

    results = Crowd(turns).run([add("a"), leave, add("c")])
    assert {type(each) for each in results} == {SystemExit}
    assert names(book) == []
    turns.run(add("later"))
    assert names(book) == ["later"]


def test_a_database_error_of_one_job_is_its_own(turns: Turns, book: Book):
    turns.run(add("there"))
    results: list[object] = []

    def twice(connection: Connection) -> None:
        add("new")(connection)
        add("there")(connection)

    with pytest.raises(Exception, match="UNIQUE"):
        turns.run(twice)
    results.append(turns.run(add("after")))
    assert names(book) == ["after", "there"]


def test_a_broken_transaction_fails_its_jobs_and_not_the_next_ones(turns: Turns, book: Book):
    """As when the disk is full: SQLite itself ends the transaction."""

    def break_it(connection: Connection) -> None:
        add("lost")(connection)
        connection.connection.dbapi_connection.rollback()

    with pytest.raises(Exception, match="no such savepoint"):
        turns.run(break_it)
    turns.run(add("after"))
    assert names(book) == ["after"]


def test_many_threads_lose_no_update(turns: Turns, book: Book):
    before = revision(book)
    threads = [threading.Thread(target=lambda: [turns.run(count_up) for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert revision(book) == before + 200


def test_a_writer_waits_while_another_process_has_its_turn(turns: Turns, book: Book):
    with Path(f"{book.url.database}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        writer = threading.Thread(target=turns.run, args=(add("later"),))
        writer.start()
        writer.join(0.1)
        assert writer.is_alive()
        assert names(book) == []
    writer.join(60)
    assert names(book) == ["later"]


def test_nobody_waits_for_ever_and_nothing_is_done_too_late(turns: Turns, book: Book, monkeypatch):
    monkeypatch.setattr("providers.book.turns.PATIENCE_SECONDS", 0.3)
    refused: list[str] = []

    def write(name: str) -> None:
        try:
            turns.run(add(name))
        except TimeoutError as error:
            refused.append(f"{name}: {error}")

    with Path(f"{book.url.database}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        first = threading.Thread(target=write, args=("first",))
        first.start()
        assert reaches(lambda: turns._waiting_since is not None)
        second = threading.Thread(target=write, args=("second",))
        second.start()
        second.join(60)
        assert not second.is_alive()
        assert first.is_alive()
        write("third")
        assert [each.split(":")[0] for each in refused] == ["second", "third"]
    first.join(60)
    assert len(refused) == 3
    assert "leasehold.db.lock" in refused[2]
    assert names(book) == []
    monkeypatch.undo()
    assert turns.run(add("later")) == "later"


def reaches(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true within a minute."""
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        threading.Event().wait(0.01)
    return condition()


def test_everybody_waiting_hears_that_the_file_cannot_be_locked(book: Book):
    Path(f"{book.url.database}.lock").mkdir()
    with pytest.raises(Unavailable, match="cannot be used"):
        book.write(add("lost"))


def count_up_often(_number: int, url: str) -> list[None]:
    """What each process of the next test does."""
    book = Book(url)
    for _ in range(60):
        book.write(count_up)
    book.close()
    return []


@pytest.mark.race
def test_several_processes_lose_no_update(book: Book):
    before = revision(book)
    together(4, count_up_often, str(book.url))
    assert revision(book) == before + 240


def die_at_work(url: str, pipe: Pipe) -> None:
    """Write something, say so, and be killed before it is committed."""

    def work(connection: Connection) -> None:
        add("never")(connection)
        pipe.send("at work")
        pipe.recv()
        os.kill(os.getpid(), signal.SIGKILL)

    Book(url).write(work)


@pytest.mark.race
def test_a_killed_process_leaves_nothing_and_gives_up_its_turn(book: Book):
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=die_at_work, args=(str(book.url), theirs))
    process.start()
    assert ours.poll(60)
    ours.recv()
    waiting = threading.Thread(target=lambda: book.write(add("next")))
    waiting.start()
    ours.send("go on")
    waiting.join(60)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert names(book) == ["next"]


def test_a_writer_does_not_keep_readers_out(turns: Turns, book: Book):
    def work(connection: Connection) -> list[str]:
        add("not yet")(connection)
        return names(book)

    assert turns.run(work) == []
    assert names(book) == ["not yet"]


def cut_power(book: Book, on_disk: int, place: Path) -> list[str]:
    """The groups that are left when of the log only what is surely on the disk survives."""
    database = Path(book.url.database)
    (place / "left.db").write_bytes(database.read_bytes())
    (place / "left.db-wal").write_bytes(Path(f"{database}-wal").read_bytes()[:on_disk])
    return names(Book(f"sqlite:///{place}/left.db"))


def test_an_acknowledged_write_survives_a_power_cut(turns: Turns, book: Book, tmp_path: Path, monkeypatch):
    on_disk = []
    real = os.fdatasync

    def fdatasync(handle: int) -> None:
        size = os.fstat(handle).st_size
        real(handle)
        on_disk.append(size)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    for number in range(3):
        turns.run(add(f"group {number}"))
        (tmp_path / str(number)).mkdir()
        left = cut_power(book, on_disk[-1], tmp_path / str(number))
        assert left == [f"group {each}" for each in range(number + 1)]
    assert len(on_disk) == 3


def test_a_log_that_went_into_the_database_meanwhile_is_on_the_disk(turns: Turns, book: Book, monkeypatch):
    real = os.open

    def close_first(path: Path, *arguments: int) -> int:
        if str(path).endswith("-wal"):
            turns.close()
            book.close()
            assert not Path(path).exists()
        return real(path, *arguments)

    turns.run(add("before"))
    monkeypatch.setattr(os, "open", close_first)
    assert turns.run(add("after")) == "after"
    monkeypatch.undo()
    assert names(book) == ["after", "before"]


@pytest.mark.parametrize("another", [False, True], ids=["removed", "and another made"])
def test_nothing_is_acknowledged_in_a_log_that_was_removed(turns: Turns, book: Book, another: bool):
    turns.run(add("before"))
    log = Path(f"{book.url.database}-wal")
    log.unlink()
    if another:
        log.touch()
    for name in ("lost", "lost too"):
        with pytest.raises(OSError, match="was removed while it was open"):
            turns.run(add(name))


def test_a_log_that_was_closed_and_begun_anew_is_as_good(turns: Turns, book: Book):
    log = Path(f"{book.url.database}-wal")
    for name in ("one", "two"):
        turns.run(add(name))
        turns.close()
        book.close()
        assert not log.exists()
    turns.run(add("three"))
    assert names(book) == ["one", "three", "two"]


def test_nothing_is_acknowledged_when_the_disk_fails(turns: Turns, monkeypatch):
    def fdatasync(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    with pytest.raises(OSError, match="Input/output error"):
        turns.run(add("lost"))
    monkeypatch.undo()
    turns.run(add("later"))


def test_the_next_turn_does_not_wait_for_the_disk(turns: Turns, book: Book, monkeypatch):
    real, reached, go_on = os.fdatasync, threading.Event(), threading.Event()

    def fdatasync(handle: int) -> None:
        if not reached.is_set():
            reached.set()
            assert go_on.wait(60)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    answers: list[str] = []
    slow = threading.Thread(target=lambda: answers.append(turns.run(add("slow"))))
    slow.start()
    assert reached.wait(60)
    assert turns.run(add("quick")) == "quick"
    assert answers == []
    go_on.set()
    slow.join(60)
    assert answers == ["slow"]
    assert sorted(names(book)) == ["quick", "slow"]


def test_other_connections_bring_every_commit_to_the_disk_by_themselves(book: Book):
    with book.read() as connection:
        modes = [connection.execute(text(f"PRAGMA {each}")).scalar() for each in ("journal_mode", "synchronous")]
    assert modes == ["wal", 2]
