"""``leasehold-hook claim`` and ``flush``: what is asked, what is said."""

from __future__ import annotations

import pytest

from hooks.main import main
from hooks.service import Call
from hooks.spool import Spool
from tests.hooks.answering import nobody_listening

CLAIM = {"name": "web1", "node": "node1", "since": "2026-01-02T03:04:05Z", "expires_at": None}


@pytest.fixture(autouse=True)
def cluster(monkeypatch, server):
    monkeypatch.setenv("LEASEHOLD_HOOK_URLS", server.url)
    monkeypatch.setenv("LEASEHOLD_HOOK_CLUSTER", "east")


def test_list_prints_a_line_for_each(server, capsys):
    server.always(200, {"items": [CLAIM, CLAIM | {"name": "db1", "expires_at": "2026-01-02T04:04:05Z"}]})
    assert main(["claim", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "web1 is claimed by node1 since 2026-01-02T03:04:05Z",
        "db1 is claimed by node1 since 2026-01-02T03:04:05Z until 2026-01-02T04:04:05Z",
    ]
    assert server.asked[0].path == "/api/v1/claims?cluster=east&limit=500"


def test_list_prints_what_is_on_later_pages_too(server, capsys):
    pages = [{"items": [], "next": "east/m"}, {"items": [CLAIM], "next": None}]
    server.answer = lambda asked: (200, pages["after=east%2Fm" in asked.path])
    assert main(["claim", "list"]) == 0
    assert capsys.readouterr().out == "web1 is claimed by node1 since 2026-01-02T03:04:05Z\n"


def test_an_answer_of_something_else_is_no_empty_list(server, capsys):
    assert main(["claim", "list"]) == 1
    assert "no Leasehold" in capsys.readouterr().err


def test_force_takes_it_for_this_node(server, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_HOOK_CLAIM_LIFETIME", "900")
    server.always(200, CLAIM)
    assert main(["claim", "force", "web1"]) == 0
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/guests/east/web1/claim")
    assert asked.body == {"node": "node1", "force": True, "lifetime": 900, "renewal_interval": 300}


def test_release_gives_back_that_of_this_node_only(server, capsys):
    server.always(200, {"released": CLAIM})
    assert main(["claim", "release", "web1"]) == 0
    assert server.asked[0].path == "/api/v1/guests/east/web1/claim?node=node1"
    assert capsys.readouterr().out == "Released the claim of web1.\n"


def test_a_refusal_is_told_and_fails(server, capsys):
    server.always(409, {"error": {"code": "claimed", "message": "node2 has it"}})
    assert main(["claim", "release", "web1"]) == 1
    assert "node2 has it" in capsys.readouterr().err


def test_flush_delivers_what_waits(server, capsys, tmp_path):
    Spool(str(tmp_path / "spool")).add("east/web1", Call("PATCH", "/guests/east/web1", None, {"state": "running"}))
    assert main(["flush"]) == 0
    assert capsys.readouterr().out == "1 delivered, 0 refused, 0 waiting\n"


def test_flush_without_a_service_keeps_it_and_fails(monkeypatch, capsys, tmp_path):
    Spool(str(tmp_path / "spool")).add("east/web1", Call("PATCH", "/guests/east/web1", None, {"state": "running"}))
    with nobody_listening() as url:
        monkeypatch.setenv("LEASEHOLD_HOOK_URLS", url)
        assert main(["flush"]) == 1
    told = capsys.readouterr()
    assert told.out == "0 delivered, 0 refused, 1 waiting\n"
    assert f"what waits cannot be delivered now: {url}" in told.err


def test_flush_tells_loudly_what_is_refused(server, capfd, tmp_path):
    Spool(str(tmp_path / "spool")).add("east/web1", Call("PUT", "/guests/east/web1", None, {"node": "n"}))
    server.always(409, {"error": {"code": "conflict", "message": "10.0.1.5 belongs to guest east/db1"}})
    assert main(["flush"]) == 0
    assert "guest east/web1" in (error := capfd.readouterr().err)
    assert "10.0.1.5 belongs to guest east/db1" in error
