"""The log file: written by several processes, rolled over by one of them, rotated by others."""

from __future__ import annotations

import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.logs.rolling_file import Rolling, RollingFile

NEVER = 10**9
DAY = 24 * 60 * 60
LINES = 2000
MONDAY = 1767571200.0
"""2026-01-05 00:00:00 UTC."""


def line(message: str, at: float = MONDAY) -> logging.LogRecord:
    record = logging.LogRecord("test", logging.INFO, "x.py", 1, message, (), None)
    record.created = at
    return record


def write(file: RollingFile, *texts: str) -> None:
    for text in texts:
        file.handle(line(text))


def contents(path: Path) -> dict[str, list[str]]:
    return {each.name: each.read_text().split() for each in sorted(path.parent.glob(f"{path.name}*"))}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leasehold.log"


@pytest.fixture(autouse=True)
def in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class TestWithoutRolling:
    def test_every_line_is_in_the_file_at_once(self, path):
        file = RollingFile(path)
        write(file, "one", "two")
        assert path.read_text() == "one\ntwo\n"

    def test_what_was_there_stays(self, path):
        path.write_text("before\n")
        write(RollingFile(path), "after")
        assert path.read_text() == "before\nafter\n"

    def test_a_file_that_was_rotated_away_is_followed_by_a_new_one(self, path):
        file = RollingFile(path)
        write(file, "one")
        path.rename(path.with_suffix(".old"))
        write(file, "two")
        assert path.read_text() == "two\n"
        assert path.with_suffix(".old").read_text() == "one\n"

    def test_one_that_somebody_put_there_instead_is_used(self, path):
        file = RollingFile(path)
        path.rename(path.with_suffix(".old"))
        path.write_text("theirs\n")
        write(file, "ours")
        assert path.read_text() == "theirs\nours\n"

    def test_one_that_was_emptied_in_place_goes_on(self, path):
        file = RollingFile(path)
        write(file, "one")
        os.truncate(path, 0)
        write(file, "two")
        assert path.read_text() == "two\n"

    def test_a_file_that_cannot_be_written_is_told_at_once(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            RollingFile(tmp_path / "missing" / "leasehold.log")

    def test_the_service_goes_on_when_lines_cannot_be_written_and_says_so_once(self, path, capsys):
        file = RollingFile(path)
        path.unlink()
        path.mkdir()
        write(file, "one", "two")
        (complaint,) = capsys.readouterr().err.splitlines()
        assert complaint.startswith("Log lines are lost: IsADirectoryError")
        path.rmdir()
        write(file, "three")
        assert path.read_text() == "three\n"

    def test_others_cannot_read_it(self, path):
        RollingFile(path)
        assert path.stat().st_mode & 0o007 == 0

    def test_a_device_can_be_a_log_file(self):
        write(RollingFile(Path(os.devnull), Rolling(1, "daily", 1)), "one", "two")


class TestRolling:
    def test_by_size(self, path):
        file = RollingFile(path, Rolling(8, NEVER, keep=5))
        write(file, "one", "two", "three", "four", "5")
        assert contents(path) == {
            "leasehold.log": ["four", "5"],
            "leasehold.log.1": ["three"],
            "leasehold.log.2": ["one", "two"],
        }

    def test_a_line_larger_than_a_file_is_written_whole(self, path):
        write(RollingFile(path, Rolling(8, NEVER, keep=5)), "a" * 100, "b")
        assert contents(path) == {"leasehold.log": ["b"], "leasehold.log.1": ["a" * 100]}

    def test_only_so_many_stay(self, path):
        write(RollingFile(path, Rolling(1, NEVER, keep=2)), *"abcdef")
        assert contents(path) == {"leasehold.log": ["f"], "leasehold.log.1": ["e"], "leasehold.log.2": ["d"]}

    def test_a_gap_is_filled_before_anything_goes(self, path):
        file = RollingFile(path, Rolling(1, NEVER, keep=3))
        write(file, *"abcd")
        Path(f"{path}.2").unlink()
        write(file, "e")
        assert contents(path) == {
            "leasehold.log": ["e"],
            "leasehold.log.1": ["d"],
            "leasehold.log.2": ["c"],
            "leasehold.log.3": ["a"],
        }

    @pytest.mark.parametrize(
        ("age", "written", "now", "rolled"),
        [
            ("daily", MONDAY, MONDAY + DAY - 1, False),
            ("daily", MONDAY + DAY - 1, MONDAY + DAY, True),
            ("weekly", MONDAY, MONDAY + 7 * DAY - 1, False),
            ("weekly", MONDAY - 1, MONDAY, True),
            ("weekly", MONDAY - 6 * DAY, MONDAY - 1, False),  # across New Year
            ("monthly", MONDAY, MONDAY + 26 * DAY, False),
            ("monthly", MONDAY, MONDAY + 27 * DAY, True),
            ("monthly", MONDAY, MONDAY + 365 * DAY, True),
            (60, MONDAY, MONDAY + 59, False),
            (60, MONDAY, MONDAY + 60, True),
            ("daily", MONDAY + DAY, MONDAY + DAY - 1, False),  # another process was a moment earlier
        ],
    )
    def test_by_age(self, path, age, written, now, rolled):
        path.write_text("before\n")
        os.utime(path, (written, written))
        RollingFile(path, Rolling(NEVER, age, keep=2)).handle(line("after", now))
        old = {"leasehold.log.1": ["before"], "leasehold.log": ["after"]}
        assert contents(path) == (old if rolled else {"leasehold.log": ["before", "after"]})

    def test_an_empty_file_is_not_rolled_over(self, path):
        path.touch()
        os.utime(path, (0, 0))
        write(RollingFile(path, Rolling(1, "daily", keep=2)), "long enough")
        assert contents(path) == {"leasehold.log": ["long", "enough"]}

    def test_the_others_follow(self, path):
        rolling = Rolling(8, NEVER, keep=5)
        one, other = RollingFile(path, rolling), RollingFile(path, rolling)
        write(one, "aaaaa")
        write(other, "bbbbb")
        write(one, "ccccc")
        assert contents(path) == {
            "leasehold.log": ["ccccc"],
            "leasehold.log.1": ["bbbbb"],
            "leasehold.log.2": ["aaaaa"],
        }


@pytest.mark.race
class TestProcesses:
    def test_no_line_is_lost_doubled_or_mixed(self, path):
        file = RollingFile(path, Rolling(20_000, NEVER, keep=100))
        write(file, "parent")
        children = [fork(file, name) for name in "abcd"]
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
        written = [text for lines in contents(path).values() for text in lines]
        assert sorted(written) == sorted(
            ["parent", *(f"{name}-{number}-{name * 40}" for name in "abcd" for number in range(LINES))]
        )
        assert len(contents(path)) > 4
        assert all(each.stat().st_size <= 20_000 for each in path.parent.iterdir())

    def test_no_line_is_lost_while_others_rotate(self, path):
        file = RollingFile(path)
        write(file, "parent")
        children = [fork(file, name) for name in "ab"]
        for number in range(30):
            if path.exists():
                path.rename(f"{path}.{number}")
            file.handle(line("parent"))
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 2
        written = [text for lines in contents(path).values() for text in lines]
        assert len(written) == 31 + 2 * LINES
        assert len(set(written)) == 1 + 2 * LINES

    def test_a_killed_process_stops_nobody(self, path):
        file = RollingFile(path, Rolling(2_000, NEVER, keep=50))
        write(file, "parent")
        for _ in range(20):
            child = fork(file, "a", count=10**6)
            try:
                wait_for_roll_over(path)
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            write(file, "parent")
            assert path.read_text().endswith("parent\n")
        assert all(
            text == "parent" or text.endswith("-" + "a" * 40) for lines in contents(path).values() for text in lines
        )


def wait_for_roll_over(path: Path, timeout: float = 60) -> None:
    newest = Path(f"{path}.1")
    before = newest.stat().st_mtime_ns if newest.exists() else 0
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        with suppress(FileNotFoundError):
            if newest.stat().st_mtime_ns != before:
                return
    raise AssertionError("The other process rolls nothing over")


def fork(file: RollingFile, name: str, count: int = LINES) -> int:
    child = os.fork()
    if child:
        return child
    try:
        for number in range(count):
            file.handle(line(f"{name}-{number}-{name * 40}"))
    finally:
        os._exit(0)
