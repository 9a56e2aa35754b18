"""``leasehold-hook sync`` and what it asks of the service about claims, whatever else goes wrong."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

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
    synced(server, "up")
    assert [each.method for each in server.asked] == ["GET", "DELETE", "PATCH"]


OLD = {"node": "node1", "since": "2026-01-02T03:04:05Z", "renewed_at": "2026-01-02T03:04:05Z"}


def synced(server, *running: str) -> int:
    settings = Settings(urls=(server.url,), node="node1", timeout=9)
    return sync_claims(Asking(settings), settings, Journal("sync", to_syslog=False), set(running))


def test_only_the_claim_that_was_read_is_renewed_or_given_back(server):
    """The guest may have been stopped, its claim given back and taken anew since, or be about to start."""
    listed = {"items": [OLD | {"name": "down"}, OLD | {"name": "up"}], "next": None}
    server.answer = lambda asked: (
        200,
        listed if asked.method == "GET" else OLD | {"renewed_at": "2026-01-02T09:01:00Z", "released": None},
    )
    assert synced(server, "up") == 0
    asked = [(each.method, urlsplit(each.path), each.body) for each in server.asked[1:]]
    named = {"node": "node1", "since": OLD["since"]}
    assert [(method, url.path.split("/")[-2], dict(parse_qsl(url.query)), body) for method, url, body in asked] == [
        ("DELETE", "down", named | {"idle": "900"}, None),
        ("PATCH", "up", {}, named),
    ]


def test_a_claim_that_this_node_took_or_renewed_meanwhile_is_nothing_to_worry_about(server, capfd):
    """The node that is named is this one: a warning would name a conflict that is none."""
    newer = OLD | {"name": "down", "since": "2026-01-02T09:00:59Z"}
    refused = {"error": {"code": "claimed", "message": "not since then", "holder": newer}}
    listed = {"items": [OLD | {"name": "down"}], "next": None}
    server.answer = lambda asked: (200, listed) if asked.method == "GET" else (409, refused)
    settings = Settings(urls=(server.url,), node="node1", timeout=9)
    said: list[str] = []

    class Listening(Journal):
        def warning(self, text: str) -> None:
            said.append(text)

    sync_claims(Asking(settings), settings, Listening("sync", to_syslog=False), set())
    assert [each.method for each in server.asked] == ["GET", "DELETE"]
    assert said == []


def test_a_claim_that_the_token_does_not_reach_is_no_harm_to_the_others(server, capfd):
    """A limited token sees guests with one address that it reaches, and may change those that it reaches wholly."""
    listed = {"items": [OLD | {"name": name} for name in ("both", "ours")], "next": None}
    refused = {"error": {"code": "forbidden", "message": "limited to other subnets"}}

    def answer(asked):
        if asked.method == "GET":
            return 200, listed
        return (403, refused) if "/both/" in asked.path else (200, OLD)

    server.answer = answer
    assert synced(server, "both", "ours") == 1
    assert [each.path.split("/")[-2] for each in server.asked if each.method == "PATCH"] == ["both", "ours"]
    assert "guest both: its claim may not be renewed" in capfd.readouterr().err


def test_claims_beyond_the_first_page_are_renewed_too(server):
    """A page may be empty and not the last one: a token that is limited sees only some."""
    pages = {None: ("a", "node1/m"), "node1/m": (None, "node1/n"), "node1/n": ("z", None)}

    def answer(asked):
        if asked.method != "GET":
            return 200, OLD
        name, after = pages[dict(parse_qsl(urlsplit(asked.path).query)).get("after")]
        return 200, {"items": [OLD | {"name": name}] if name else [], "next": after}

    server.answer = answer
    assert synced(server, "a", "z") == 0
    renewed = [each.path.split("/")[-2] for each in server.asked if each.method == "PATCH"]
    assert renewed == ["a", "z"]


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
