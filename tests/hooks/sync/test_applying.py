"""Telling the service a plan: in lists that it takes, and what one of them has wrong is no harm to the others."""

from __future__ import annotations

import json

import pytest

from hooks.errors import NotAllowed
from hooks.journal import Journal
from hooks.service import Service
from hooks.settings import Settings
from hooks.sync.applying import Applying
from hooks.sync.plan import Plan

QUIET = Journal("sync", to_syslog=False)
ACCEPTED = {"accepted": True, "reason": None}


def applying(server) -> Applying:
    settings = Settings(urls=(server.url,), node="sun", timeout=9)
    return Applying(Service(settings), settings, QUIET, "2026-01-02T03:04:05.000006Z")


def reports(count: int, **more) -> Plan:
    return Plan(tuple({"name": f"g{number}", "state": "stopped"} | more for number in range(count)), (), ())


def taken(asked):
    return (200, {"items": [ACCEPTED for _ in asked.body["guests"]]}) if asked.method == "PUT" else (200, ACCEPTED)


@pytest.mark.parametrize("more", [{}, {"hostname": "x" * 250, "note": "ü" * 900}])
def test_no_request_is_larger_than_the_service_takes(server, more):
    server.answer = taken
    assert applying(server).apply(reports(600, **more)) == 0
    sent = [guest["name"] for asked in server.asked for guest in asked.body["guests"]]
    assert sent == [f"g{number}" for number in range(600)]
    assert all(len(asked.body["guests"]) <= 100 for asked in server.asked)
    assert all(len(json.dumps(asked.body)) < 64 * 1024 for asked in server.asked)


def test_every_report_says_when_and_whose(server):
    server.answer = taken
    applying(server).apply(reports(1))
    (asked,) = server.asked
    assert (asked.body["node"], asked.body["cluster"]) == ("sun", "sun")
    assert asked.body["guests"][0]["at"] == "2026-01-02T03:04:05.000006Z"


@pytest.mark.parametrize("status", [422, 500])
def test_what_the_service_cannot_take_or_fails_on_hurts_only_its_guest(server, capfd, status):
    def answer(asked):
        if any(guest["name"] == "g3" for guest in asked.body["guests"]):
            return status, {"error": {"code": "x", "message": "hostname: too long"}}
        return taken(asked)

    server.answer = answer
    assert applying(server).apply(reports(5)) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "guest g3: " in line
    assert "hostname: too long" in line
    assert [asked.body["guests"][0]["name"] for asked in server.asked[1:]] == ["g0", "g1", "g2", "g3", "g4"]


def test_a_conflict_is_counted_and_told(server, capfd):
    conflict = {"error": {"code": "conflict", "message": "10.0.1.5 belongs to guest db1"}}
    server.answer = lambda _: (200, {"items": [conflict, ACCEPTED]})
    assert applying(server).apply(reports(2)) == 1
    assert "guest g0: 10.0.1.5 belongs to guest db1" in capfd.readouterr().err


def test_addresses_are_free_before_their_next_owner_is_reported(server):
    server.answer = taken
    applying(server).apply(reports(1)._replace(renames=(("old", "new"),), removals=("gone",)))
    assert [(asked.method, asked.path.partition("?")[0]) for asked in server.asked] == [
        ("POST", "/api/v1/guests/sun/old/rename"),
        ("DELETE", "/api/v1/guests/sun/gone"),
        ("PUT", "/api/v1/guests"),
    ]
    assert "node=sun&at=2026-01-02T03" in server.asked[1].path


def test_whoever_is_not_let_in_stops_at_once(server):
    server.always(401, {"error": {"code": "not_authenticated", "message": "not with this token"}})
    with pytest.raises(NotAllowed):
        applying(server).apply(Plan((), (("old", "new"),), ("gone",)))
    assert len(server.asked) == 1


def test_a_release_on_which_the_service_fails_is_no_harm_to_the_others(server, capfd):
    server.answer = lambda asked: (500, {"error": {"message": "oops"}}) if "/bad" in asked.path else taken(asked)
    planned = reports(1)._replace(removals=("bad", "gone"), renames=(("bad", "new"),))
    assert applying(server).apply(planned) == 2
    assert [asked.method for asked in server.asked] == ["POST", "DELETE", "DELETE", "PUT"]
    assert capfd.readouterr().err.count("guest bad: ") == 2


def test_a_guest_that_the_token_does_not_reach_is_no_harm_to_the_others(server, capfd):
    def answer(asked):
        if asked.method != "PUT" or any(guest["name"] == "g1" for guest in asked.body["guests"]):
            return 403, {"error": {"code": "forbidden", "message": "limited to other subnets"}}
        return taken(asked)

    server.answer = answer
    planned = reports(3)._replace(removals=("gone",), renames=(("old", "new"),))
    assert applying(server).apply(planned) == 3
    assert [asked.body["guests"][0]["name"] for asked in server.asked[3:]] == ["g0", "g1", "g2"]
    assert "guest g1: limited to other subnets" in capfd.readouterr().err
