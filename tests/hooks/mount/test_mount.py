"""``mnt_start`` and ``mnt_stop``: options, the claim, the site's own script, and what when nobody answers."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import pytest

from hooks.errors import BadInput
from hooks.mount import Mounting, run, understood
from tests.hooks.answering import nobody_listening

ARGUMENTS = ("-d", "/j/web1-data", "-f", "/j/fstab.web1", "-j", "web1", "-r", "/j/rcconf", "-s", "/j/web1")
CLAIM = {"name": "web1", "node": "node1", "since": "2026-01-02T03:04:05Z", "expires_at": None}
HELD = (409, {"error": {"code": "claimed", "message": "claimed by node node2 since 2026-01-02"}})


class Claims:
    """The service as far as it gives claims: to nobody yet, to this node, or to another one."""

    def __init__(self, holder: str | None = None) -> None:
        self.holder = holder

    def __call__(self, asked):
        if self.holder not in (None, "node1"):
            return HELD
        if asked.method == "PATCH":
            return (200, CLAIM) if self.holder else (404, {"error": {"code": "not_found", "message": "nobody"}})
        self.holder = "node1" if asked.method == "POST" else None
        return (200, CLAIM if self.holder else {"released": CLAIM})


@pytest.fixture
def claims(server, monkeypatch) -> Claims:
    monkeypatch.setenv("LEASEHOLD_HOOK_URLS", server.url)
    server.answer = Claims()
    return server.answer


@pytest.fixture
def script(tmp_path: Path, monkeypatch):
    """The site's own script, which notes its arguments and ends as it is told."""
    path, notes = tmp_path / "site", tmp_path / "notes"

    def ending(how: str) -> Path:
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {notes}\n{how}\n')
        path.chmod(0o755)
        monkeypatch.setenv("LEASEHOLD_HOOK_MOUNT_SCRIPT", str(path))
        monkeypatch.setenv("LEASEHOLD_HOOK_UNMOUNT_SCRIPT", str(path))
        return notes

    return ending


def test_help_is_for_people_and_claims_nothing(server, claims, capsys):
    assert run(["--help"], "leasehold-mount") == 0
    assert "-j NAME" in capsys.readouterr().out
    assert server.asked == []


@pytest.mark.parametrize(
    ("arguments", "program", "action"),
    [
        (ARGUMENTS, "mnt_start", "start"),
        (ARGUMENTS, "mnt_stop", "stop"),
        (("start", *ARGUMENTS), "leasehold-hook", "start"),
        (("stop", *ARGUMENTS), "leasehold-hook", "stop"),
        (ARGUMENTS, "leasehold-hook", "start"),
        (("-j", "web1", "-d", "/j/web1-data"), "mnt_start", "start"),
        (("-jweb1", "-d/j/web1-data"), "mnt_start", "start"),
    ],
)
def test_options_come_in_any_order_and_not_all_of_them(arguments, program, action):
    asked = understood(arguments, program)
    kept = tuple(each for each in arguments if each not in ("start", "stop"))
    assert asked == Mounting(action, "web1", kept, "/" if "-s" in arguments else "")


@pytest.mark.parametrize(
    "arguments", [(), ("-j",), ("-j", ""), ("-x", "y", "-j", "web1"), ("web1",), ("-", "-j", "web1")]
)
def test_what_cbsd_never_says_is_refused(arguments):
    with pytest.raises(BadInput):
        understood(arguments, "mnt_start")


def test_the_node_is_that_of_cbsd(claims, server, monkeypatch, tmp_path):
    monkeypatch.delenv("LEASEHOLD_HOOK_NODE")
    (tmp_path / "nodename").write_text("sun.example.com\n")
    run(("-j", "web1", "-s", f"{tmp_path}/jails-system/web1"), "mnt_start")
    assert server.asked[-1].body["node"] == "sun.example.com"
    assert server.asked[-1].path == "/api/v1/guests/sun.example.com/web1/claim"


def test_a_free_guest_is_claimed_and_may_start(claims):
    assert run(ARGUMENTS, "mnt_start") == 0
    assert claims.holder == "node1"


def test_a_guest_that_is_ours_already_may_start(claims):
    claims.holder = "node1"
    assert run(ARGUMENTS, "mnt_start") == 0


def test_a_guest_of_another_node_may_not_and_the_holder_is_named(claims, capfd):
    claims.holder = "node2"
    assert run(ARGUMENTS, "mnt_start") == 1
    told = capfd.readouterr()
    assert "claimed by node node2" in told.err
    assert told.out == ""


def test_the_sites_script_gets_the_arguments_as_they_came(claims, script):
    notes = script("exit 0")
    assert run(ARGUMENTS, "mnt_start") == 0
    assert tuple(notes.read_text().splitlines()) == ARGUMENTS


def test_the_sites_script_is_not_run_without_the_claim(claims, script):
    notes = script("exit 0")
    claims.holder = "node2"
    run(ARGUMENTS, "mnt_start")
    assert not notes.exists()


@pytest.mark.parametrize(("how", "status"), [("exit 3", 3), ("kill -9 $$", 137)])
def test_a_script_that_fails_gives_its_status_and_the_claim_back(claims, script, how, status):
    script(how)
    assert run(ARGUMENTS, "mnt_start") == status
    assert claims.holder is None


def test_only_the_claim_that_was_taken_is_given_back(claims, script, server):
    """The script may take long, and another start have taken the claim anew meanwhile."""
    script("exit 3")
    run(ARGUMENTS, "mnt_start")
    path, _, query = server.asked[-1].path.partition("?")
    assert (server.asked[-1].method, path) == ("DELETE", "/api/v1/guests/node1/web1/claim")
    assert parse_qs(query) == {"node": ["node1"], "since": [CLAIM["since"]]}


def test_a_script_that_fails_does_not_take_the_claim_from_a_guest_that_had_it_before(claims, script):
    script("exit 3")
    claims.holder = "node1"
    assert run(ARGUMENTS, "mnt_start") == 3
    assert claims.holder == "node1"


def test_a_script_that_is_not_there_refuses_the_start(claims, monkeypatch, capfd):
    monkeypatch.setenv("LEASEHOLD_HOOK_MOUNT_SCRIPT", "/nonexistent/mount")
    assert run(ARGUMENTS, "mnt_start") == 1
    assert "/nonexistent/mount" in capfd.readouterr().err
    assert claims.holder is None


def test_stopping_runs_the_script_and_gives_the_claim_back(claims, script):
    notes = script("exit 0")
    claims.holder = "node1"
    assert run(ARGUMENTS, "mnt_stop") == 0
    assert claims.holder is None
    assert notes.exists()


def test_stopping_what_another_node_took_by_force_is_no_failure(claims):
    claims.holder = "node2"
    assert run(ARGUMENTS, "mnt_stop") == 0
    assert claims.holder == "node2"


def test_a_failed_unmount_keeps_the_claim(claims, script):
    script("exit 1")
    claims.holder = "node1"
    assert run(ARGUMENTS, "mnt_stop") == 1
    assert claims.holder == "node1"


def test_without_a_service_nothing_is_mounted(monkeypatch, script, capfd):
    notes = script("exit 0")
    with nobody_listening() as url:
        monkeypatch.setenv("LEASEHOLD_HOOK_URLS", url)
        assert run(ARGUMENTS, "mnt_start") == 1
    assert "claim_when_unreachable" in capfd.readouterr().err
    assert not notes.exists()


def test_without_a_service_it_is_mounted_where_the_site_allows_it(monkeypatch, script, capfd):
    notes = script("exit 0")
    monkeypatch.setenv("LEASEHOLD_HOOK_CLAIM_WHEN_UNREACHABLE", "allow")
    with nobody_listening() as url:
        monkeypatch.setenv("LEASEHOLD_HOOK_URLS", url)
        assert run(ARGUMENTS, "mnt_start") == 0
    assert notes.exists()
    assert "without its claim" in capfd.readouterr().err


def test_a_bad_token_mounts_nothing_even_where_an_outage_would(server, monkeypatch, capfd):
    monkeypatch.setenv("LEASEHOLD_HOOK_URLS", server.url)
    monkeypatch.setenv("LEASEHOLD_HOOK_CLAIM_WHEN_UNREACHABLE", "allow")
    server.always(401, {"error": {"code": "x", "message": "unknown token"}})
    assert run(ARGUMENTS, "mnt_start") == 1
    assert "unknown token" in capfd.readouterr().err


def test_a_site_without_claims_runs_its_script_alone(server, monkeypatch, script):
    notes = script("exit 0")
    monkeypatch.setenv("LEASEHOLD_HOOK_CLAIMS", "false")
    assert run(ARGUMENTS, "mnt_start") == 0
    assert notes.exists()
    assert server.asked == []


def test_settings_that_cannot_be_read_mount_nothing(monkeypatch, capfd):
    monkeypatch.setenv("LEASEHOLD_HOOK_TIMEOUT", "soon")
    assert run(ARGUMENTS, "mnt_start") == 1
    assert "TIMEOUT" in capfd.readouterr().err


@pytest.mark.parametrize("body", [{}, {"status": "ok"}, {"node": "node2"}, {"node": None}, b""])
def test_a_success_that_is_no_claim_of_this_node_mounts_nothing(server, monkeypatch, capfd, body):
    """Such as that of a proxy, or of another service at that address."""
    monkeypatch.setenv("LEASEHOLD_HOOK_URLS", server.url)
    server.always(200, body)
    assert run(ARGUMENTS, "mnt_start") == 1
    assert "web1 is not mounted" in capfd.readouterr().err
