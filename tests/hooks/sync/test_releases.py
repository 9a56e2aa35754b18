"""What is gone is released after a while, and never too much of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hooks.journal import Journal
from hooks.settings import Settings
from hooks.sync.plan import Plan
from hooks.sync.releases import allowed

QUIET = Journal("sync", to_syslog=False)
MINUTE = 60
START = 1_700_000_000.0


class Waiting:
    """A node of a cluster, at a time that the test says."""

    def __init__(self, place: Path, **settings) -> None:
        self.settings = Settings(**{"node": "sun", "cluster": "east", "spool_dir": str(place / "spool")} | settings)

    def due(self, minutes: float, *gone: str, present: int = 100) -> tuple[str, ...]:
        return allowed(Plan((), (), gone), present, self.settings, QUIET, START + minutes * MINUTE).removals


@pytest.fixture
def node(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path)


def test_what_is_gone_is_released_after_release_after(node: Waiting):
    assert [node.due(minutes, "a") for minutes in (0, 59, 60, 61)] == [(), (), ("a",), ("a",)]


def test_each_waits_for_itself(node: Waiting):
    assert node.due(0, "a") == ()
    assert node.due(30, "a", "b") == ()
    assert node.due(60, "a", "b") == ("a",)
    assert node.due(90, "b") == ("b",)


def test_what_came_back_in_between_begins_anew(node: Waiting):
    node.due(0, "a")
    node.due(30)
    assert node.due(60, "a") == ()
    assert node.due(120, "a") == ("a",)


def test_a_clock_that_was_set_back_makes_nobody_wait_for_ever(node: Waiting):
    node.due(10_000, "a")
    assert node.due(0, "a") == ()
    assert node.due(60, "a") == ("a",)


def test_notes_that_cannot_be_read_begin_anew(node: Waiting):
    node.due(0, "a")
    (Path(node.settings.spool_dir) / "missing.state").write_text("[1]")
    assert node.due(60, "a") == ()
    assert node.due(120, "a") == ("a",)


def test_a_node_alone_need_not_wait_for_another_one(tmp_path: Path):
    assert Waiting(tmp_path, cluster="").due(0, "a") == ("a",)


def test_more_than_the_limit_are_not_believed(tmp_path: Path, capfd):
    node = Waiting(tmp_path, cluster="", sync_limit=10)
    assert len(node.due(0, *map(str, range(10)), present=90)) == 10
    assert node.due(0, *map(str, range(11)), present=89) == ()
    told = capfd.readouterr().err
    assert "11 guests of 100 are gone, more than sync_limit (10 %)" in told
    assert "--force" in told


def test_two_may_always_go_but_never_all_there_are(tmp_path: Path, capfd):
    node = Waiting(tmp_path, cluster="", sync_limit=0)
    assert node.due(0, "a", "b", present=1) == ("a", "b")
    assert node.due(0, "a", "b", "c", present=1) == ()
    assert node.due(0, "a", present=0) == ()
    assert "is their storage mounted?" in capfd.readouterr().err
