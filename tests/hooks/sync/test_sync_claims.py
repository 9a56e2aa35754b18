"""``leasehold-hook sync`` and what it asks of the service about claims, whatever else goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hooks.journal import Journal
from hooks.service import Call
from hooks.service import Service as Asking
from hooks.settings import Settings
from hooks.spool import Spool
from hooks.sync.claims import sync_claims
from hooks.sync.command import run
from tests.hooks.host import Host


def test_claims_are_renewed_even_when_nothing_here_can_be_read(server, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_HOOK_URLS", server.url)
    monkeypatch.setenv("LEASEHOLD_HOOK_IOCAGE_ROOT", str(tmp_path / "absent"))
    held = {"renewed_at": "2026-01-02T03:04:05Z", "since": "2026-01-02T03:04:05Z"}
    server.always(
        200, {"items": [held | {"name": "ours", "node": "node1"}, held | {"name": "theirs", "node": "node2"}]}
    )
    assert run([]) == 1
    asked = [(each.method, each.path.partition("?")[0]) for each in server.asked]
    assert asked == [("GET", "/api/v1/claims"), ("PATCH", "/api/v1/guests/node1/ours/claim")]


def test_claims_are_given_back_before_others_are_renewed(server):
    """Renewing may take long, and what is given back late may have been taken for a start meanwhile."""
    held = {"node": "node1", "since": "2026-01-02T03:04:05Z"}
    server.answer = lambda asked: (
        200,
        {
            "node": "node1",
            "renewed_at": "2026-01-02T09:01:00Z",
            "items": [
                held | {"name": "up", "renewed_at": "2026-01-02T09:00:00Z"},
                held | {"name": "down", "renewed_at": "2026-01-02T03:04:05Z"},
            ],
            "released": None,
        },
    )
    settings = Settings(urls=(server.url,), node="node1", timeout=9)
    now = datetime(2026, 1, 2, 9, 1, tzinfo=UTC)
    sync_claims(Asking(settings), settings, Journal("sync", to_syslog=False), {"up"}, now)
    assert [each.method for each in server.asked] == ["GET", "PATCH", "DELETE", "PATCH"]


def test_claims_are_renewed_although_a_report_cannot_be_delivered(server, tmp_path: Path):
    """Those that are not renewed end."""
    host = Host(tmp_path / "host", server.url, node="node1")
    host.runs()
    Spool(str(host.spool)).add("node1/bad", Call("PATCH", "/guests/node1/bad", None, {"state": "running"}))
    held = {"name": "ours", "node": "node1", "since": "2026-01-02T03:04:05Z", "renewed_at": "2999-01-02T03:04:05Z"}
    server.answer = lambda asked: (503, {"error": "oops"}) if "bad" in asked.path else (200, held | {"items": [held]})
    host.jail("ours", ip4_addr="10.0.1.5")
    host.runs("ours")
    assert host.run("sync").returncode == 1
    assert ("PATCH", "/api/v1/guests/node1/ours/claim") in [(each.method, each.path) for each in server.asked]


def test_a_guest_on_which_the_service_fails_is_no_harm_to_the_others(server, tmp_path: Path):
    """Neither its report that waits nor its claim: the rest is told, and the other claims are renewed."""
    host = Host(tmp_path / "host", server.url, node="node1")
    Spool(str(host.spool)).add("node1/bad", Call("PATCH", "/guests/node1/bad", None, {"state": "running"}))
    held = {"node": "node1", "since": "2026-01-02T03:04:05Z", "renewed_at": "2999-01-02T03:04:05Z"}
    answers = {
        "GET /claims": {"items": [held | {"name": "bad"}, held | {"name": "ours"}]},
        "GET /guests": {"items": [], "next": None},
        "PATCH /guests/node1/ours/claim": held,
        "PUT /guests": {"items": [{"accepted": True, "reason": None}]},
    }

    def answer(asked):
        found = answers.get(f"{asked.method} {asked.path.removeprefix('/api/v1').partition('?')[0]}")
        return (500, {"error": {"message": "oops"}}) if found is None else (200, found)

    server.answer = answer
    host.jail("ours", ip4_addr="10.0.1.5")
    host.tool("jls", "echo ioc-ours; echo bad")
    told = host.run("sync")
    assert told.returncode == 1
    assert "guest bad: the service fails on its claim" in told.stderr
    asked = [(each.method, each.path.partition("?")[0]) for each in server.asked]
    assert ("PATCH", "/api/v1/guests/node1/ours/claim") in asked
    assert asked[-1] == ("PUT", "/api/v1/guests")
    assert len(host.waiting()) == 1
