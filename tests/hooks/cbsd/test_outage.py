"""Hooks while the service is away: guests start and stop all the same, and nothing that happened is forgotten."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from hooks.failing import LONG, OFTEN
from hooks.spool import Entry, Spool
from tests.hooks.answering import never_answering, nobody_listening
from tests.hooks.cbsd.node import SECRET, Guest, Node


@pytest.fixture
def nowhere() -> Iterator[str]:
    """A URL at which nobody answers."""
    with nobody_listening() as url:
        yield url


@pytest.fixture
def cut_off(make_node, nowhere) -> Node:
    """A node that does not reach the service."""
    return make_node(url=nowhere)


def happen(node: Node, guest: Guest, *events: str) -> None:
    """Events without a word on standard output, and one on standard error for none of them."""
    node.copy_skeleton(guest)
    for event in events:
        done = node.fire(f"{event}.d", guest)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), event


def waiting(node: Node) -> list[Entry]:
    return Spool(str(node.spool)).entries()


def test_what_happened_is_told_later_in_order_and_with_its_moment(cut_off, known):
    guest = Guest("away1", "jail", ("10.0.1.80",), jid=1)
    happen(cut_off, guest, "master_create", "master_prestart", "master_poststart")
    moments = [entry.call.body["at"] for entry in waiting(cut_off)]
    assert moments == sorted(moments)
    cut_off.talk_to(known.url)
    assert cut_off.run("flush").returncode == 0
    assert (known.guest("away1")["state"], known.addresses("away1")) == ("running", ["10.0.1.80"])
    assert waiting(cut_off) == []


def test_the_next_hook_delivers_what_waits_before_its_own_report(cut_off, known):
    guest = Guest("away2", "jail", ("10.0.1.81",), jid=1)
    happen(cut_off, guest, "master_create", "master_prestart")
    cut_off.talk_to(known.url)
    happen(cut_off, guest, "master_poststop")
    assert known.guest("away2")["state"] == "stopped"
    assert waiting(cut_off) == []


def test_what_became_pointless_is_not_kept(cut_off):
    guest = Guest("away3", "jail", ("10.0.1.82",), jid=1)
    happen(cut_off, guest, *["master_prestart", "master_poststart", "master_poststop"] * 3)
    assert [(entry.call.method, entry.call.body["state"]) for entry in waiting(cut_off)] == [
        ("PUT", "running"), ("PATCH", "stopped"),
    ]  # fmt: skip
    happen(cut_off, guest, "remove")
    assert [entry.call.method for entry in waiting(cut_off)] == ["DELETE"]


def test_an_end_during_an_outage_is_told_without_a_complaint_about_the_stops_after_it(cut_off, known):
    guest = Guest("away4", "jail", ("10.0.1.83",), jid=1)
    cut_off.talk_to(known.url)
    happen(cut_off, guest, "master_create", "master_prestart", "master_poststart")
    with nobody_listening() as url:
        cut_off.talk_to(url)
        happen(cut_off, guest, "remove", "master_prestop", "master_poststop")
    cut_off.talk_to(known.url)
    done = cut_off.run("flush")
    assert (done.returncode, done.stderr) == (0, "")
    assert (known.guest("away4"), known.uses("10.0.1.83")) == (None, [])


def test_a_late_report_does_not_undo_what_happened_on_another_node(make_node, known, nowhere):
    sun, moon = make_node("sun", url=nowhere), make_node("moon")
    guest = Guest("away5", "jail", ("10.0.1.84",), jid=1)
    happen(sun, guest, "master_prestart", "master_poststart", "master_poststop")
    happen(moon, guest, "master_prestart", "master_poststart")
    sun.talk_to(known.url)
    done = sun.run("flush")
    assert (done.returncode, done.stderr) == (0, "")
    there = known.guest("away5")
    assert (there["node"], there["state"]) == ("moon", "running")


def test_a_conflict_that_comes_to_light_later_is_loud_then(cut_off, known):
    happen(cut_off, Guest("away6", "jail", ("10.0.4.1",), jid=1), "master_prestart")
    cut_off.talk_to(known.url)
    done = cut_off.run("flush")
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 1)
    assert "10.0.4.1" in done.stderr
    assert "printer" in done.stderr


def test_a_service_that_hangs_holds_nobody_up(make_node):
    with never_answering() as url:
        node = make_node(url=url, timeout=0.5, claims=True)
        guest = Guest("hangs1", "jail", ("10.0.1.85",), jid=1)
        began = time.monotonic()
        happen(node, guest, "master_create", "master_prestart", "master_poststart", "master_poststop")
    assert time.monotonic() - began < 30
    assert [entry.call.method for entry in waiting(node)] == ["PUT", "PATCH"]


def test_a_claim_is_never_given_back_late(make_node, nowhere):
    node = make_node(url=nowhere, claims=True)
    happen(node, Guest("away7", "jail", ("10.0.1.86",), jid=1), "master_poststop")
    assert [entry.call.path for entry in waiting(node)] == ["/guests/east/away7"]
    assert "its claim is given back by sync" in node.logged()


def test_a_spool_that_cannot_be_written_is_told_and_stops_nobody(make_node, nowhere, tmp_path):
    (tmp_path / "file").write_text("")
    node = make_node(url=nowhere, spool_dir=str(tmp_path / "file" / "spool"))
    guest = Guest("away8", "jail", ("10.0.1.87",))
    node.copy_skeleton(guest)
    done = node.fire("master_prestart.d", guest)
    assert (done.returncode, done.stdout) == (0, "")
    assert "a report is lost" in done.stderr


def test_a_password_waits_nowhere(cut_off):
    happen(cut_off, Guest("away9", "bhyve", ("10.0.1.88",), ("0",)), "master_prestart", "master_poststart", "remove")
    kept = [path.read_text() for path in cut_off.spool.iterdir() if path.is_file()]
    assert SECRET not in "".join(kept) + cut_off.logged()


def test_an_entry_is_one_file_of_json(cut_off):
    happen(cut_off, Guest("away10", "jail", ("10.0.1.89",)), "master_poststop")
    (path,) = cut_off.spool.glob("*.json")
    kept = json.loads(path.read_text())
    assert kept["guest"] == "east/away10"
    assert kept["call"][:2] == ["PATCH", "/guests/east/away10"]


@pytest.mark.parametrize("wrong", [{"token_file": "/nonexistent"}, {"ca_file": "/nonexistent"}])
def test_settings_that_cannot_be_used_lose_nothing(make_node, server, wrong):
    """Somebody mends them, and then what happened is told."""
    node = make_node(url=server.url.replace("http:", "https:"), claims=True, **wrong)
    guest = Guest("away9", "jail", ("10.0.1.88",), jid=1)
    node.copy_skeleton(guest)
    for event in ("master_prestart.d", "master_poststop.d"):
        done = node.fire(event, guest)
        assert (done.returncode, done.stdout) == (0, "")
        assert len(done.stderr.splitlines()) == 1
        assert next(iter(wrong)) in done.stderr
    assert [entry.call.method for entry in waiting(node)] == ["PUT", "PATCH"]


def test_a_guest_that_the_token_does_not_reach_holds_up_no_other(make_node, server):
    """For as long as nobody gives the token more, and that may be for ever."""
    node = make_node(url=server.url)
    out, fine = Guest("away10", "jail", ("10.0.9.1",), jid=1), Guest("away11", "jail", ("10.0.1.89",), jid=1)
    server.answer = lambda asked: (
        (403, {"error": {"code": "forbidden", "message": "limited to other subnets"}})
        if "away10" in asked.path
        else (200, {"accepted": True, "reason": None})
    )
    for guest in (out, fine, out):
        node.copy_skeleton(guest)
        node.fire("master_prestart.d", guest)
    assert [entry.guest for entry in waiting(node)] == ["east/away10"]
    assert [asked.path.rpartition("/")[2] for asked in server.asked][-1] == "away10"
    assert any("away11" in asked.path for asked in server.asked)


def test_a_guest_on_which_the_service_fails_holds_up_no_other_and_is_put_aside_in_the_end(make_node, server):
    """A mistake of the service may stay for ever, and for this guest alone."""
    node = make_node(url=server.url)
    bad, fine = Guest("bad1", "jail", ("10.0.1.90",), jid=1), Guest("fine1", "jail", ("10.0.1.91",), jid=1)
    server.answer = lambda asked: (
        (500, {"error": {"code": "internal", "message": "Internal error; look for request id 7"}})
        if "bad1" in asked.path
        else (200, {"accepted": True, "reason": None, "items": []})
    )
    happen(node, bad, "master_prestart")
    happen(node, fine, "master_prestart")
    assert [entry.guest for entry in waiting(node)] == ["east/bad1"]
    assert server.asked[-1].path == "/api/v1/guests/east/fine1"
    # As it is after an hour of deliveries that failed.
    (node.spool / "failing.state").write_text(json.dumps({"east/bad1": [OFTEN - 1, time.time() - LONG - 1]}))
    node.copy_skeleton(fine)
    done = node.fire("master_poststart.d", fine)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (0, "", 1)
    assert "guest east/bad1: the service fails on a report, which is put aside as" in done.stderr
    assert "request id 7" in done.stderr
    assert waiting(node) == []
    told = node.run("flush")
    assert (told.returncode, "Put aside, because the service failed on them: 1" in told.stdout) == (1, True)
