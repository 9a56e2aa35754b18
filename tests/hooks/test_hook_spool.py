"""What waits on disk: its order, and what makes what pointless."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest

from hooks.delivery import deliver
from hooks.errors import Unreachable
from hooks.service import Call
from hooks.spool import Spool, SpoolFailure, supersedes

WEB = "/guests/east/web1"
REPORT = Call("PUT", WEB, None, {"node": "n", "at": "1", "addresses": []})
BARE = Call("PUT", WEB, None, {"node": "n", "at": "0", "addresses": None})
RUNNING = Call("PATCH", WEB, None, {"node": "n", "at": "2", "state": "running"})
STOPPED = Call("PATCH", WEB, None, {"node": "n", "at": "3", "state": "stopped"})
GONE = Call("DELETE", WEB, {"node": "n", "at": "4"})


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(str(tmp_path / "spool"))


def kept(spool: Spool) -> list[Call]:
    return [entry.call for entry in spool.entries()]


def test_it_survives_the_process_that_wrote_it(spool, tmp_path):
    spool.add("east/web1", REPORT)
    (entry,) = Spool(str(tmp_path / "spool")).entries()
    assert (entry.guest, entry.call) == ("east/web1", REPORT)


@pytest.mark.parametrize(
    ("newer", "older", "pointless"),
    [
        (STOPPED, RUNNING, True),
        (REPORT, RUNNING, False),
        (REPORT, REPORT, True),
        (BARE, REPORT, False),
        (REPORT, BARE, True),
        (RUNNING, REPORT, False),
        (GONE, REPORT, True),
        (GONE, RUNNING, True),
        (REPORT, GONE, False),
        (GONE, GONE, True),
        (STOPPED, Call("POST", f"{WEB}/rename", None, {"new_name": "x"}), False),
        (GONE, Call("PATCH", "/guests/east/web2", None, {"state": "running"}), False),
    ],
)
def test_what_makes_what_pointless(newer, older, pointless):
    assert supersedes(newer, older) is pointless


def test_what_became_pointless_is_dropped(spool):
    for call in (REPORT, RUNNING, STOPPED):
        spool.add("east/web1", call)
    assert kept(spool) == [REPORT, STOPPED]


def test_what_belongs_to_another_guest_is_never_dropped(spool):
    spool.add("west/web1", RUNNING)
    spool.add("east/web1", STOPPED)
    assert kept(spool) == [RUNNING, STOPPED]


def test_a_file_that_was_cut_off_is_put_aside(spool, tmp_path):
    spool.add("east/web1", REPORT)
    (tmp_path / "spool" / "000000000002.json").write_text('{"guest": "ea')
    assert kept(spool) == [REPORT]
    assert (tmp_path / "spool" / "000000000002.json.broken").exists()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["a pipe", "a directory"])
def test_what_is_no_file_holds_up_nobody(spool, tmp_path, make):
    spool.add("east/web1", REPORT)
    make(tmp_path / "spool" / "000000000002.json")
    assert kept(spool) == [REPORT]
    assert (tmp_path / "spool" / "000000000002.json.broken").exists()


def test_a_name_with_other_digits_is_none_of_ours(spool, tmp_path):
    spool.add("east/web1", REPORT)
    (tmp_path / "spool" / "².json").write_text("{}")
    assert kept(spool) == [REPORT]


def test_numbers_go_on_after_what_waits(spool, tmp_path):
    spool.add("east/web1", REPORT)
    spool.add("east/db1", RUNNING)
    assert [entry.number for entry in spool.entries()] == [1, 2]


def test_both_users_can_write_what_one_of_them_made(spool, tmp_path):
    spool.add("east/web1", REPORT)
    deliver(Spool(str(tmp_path / "spool")), lambda call: (_ for _ in ()).throw(Unreachable("down")))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "spool").iterdir()}
    assert set(modes.values()) == {0o660}


def test_a_spool_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolFailure, match="spool_dir"):
        Spool(str(tmp_path / "file" / "spool")).add("east/web1", REPORT)


def test_two_that_add_at_once_keep_both(spool, monkeypatch):
    """The second one has looked before the first one wrote."""
    spool.add("east/web1", REPORT)
    monkeypatch.setattr(Spool, "_read", lambda self: iter(()))
    spool.add("east/db1", RUNNING)
    monkeypatch.undo()
    assert [entry.number for entry in spool.entries()] == [1, 2]


def test_an_entry_that_does_not_fit_on_the_disk_is_no_entry(spool):
    """Before the disk is full it takes a part, without an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    spool.add("east/web1", REPORT)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, before[1]))
    try:
        with pytest.raises(SpoolFailure):
            spool.add("east/web1", GONE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert kept(spool) == [REPORT]


def test_what_a_killed_process_left_is_never_written_to(spool, tmp_path):
    """It was killed between giving an entry its name and taking the other one away, and its number came again."""
    spool.add("east/web1", REPORT)
    os.link(tmp_path / "spool" / "000000000001.json", tmp_path / "spool" / f".{os.getpid()}")
    spool.add("east/db1", RUNNING)
    assert kept(spool) == [REPORT, RUNNING]
