"""Guests on /api/v1: names at their limits, addresses that no host has."""

from __future__ import annotations

import pytest

from tests.proxy.api.v1.refusal import error

LONGEST = 255


def test_guests_with_the_longest_names_are_listed_page_by_page_and_found(ask):
    cluster, names = "c" * LONGEST, [letter * LONGEST for letter in "ab"]
    for number, name in enumerate(names):
        there = {"node": "node1", "addresses": [{"address": f"10.0.1.{7 + number}"}]}
        assert ask("PUT", f"/guests/{cluster}/{name}", there).status_code == 200

    first = ask("GET", "/guests?limit=1").json
    second = ask("GET", f"/guests?limit=1&after={first['next']}").json

    assert [each["name"] for each in (*first["items"], *second["items"])] == names
    found = ask("GET", f"/addresses?guest={cluster}/{names[1]}").json["items"]
    assert [each["address"] for each in found] == ["10.0.1.8"]


def test_an_ipv4_mapped_address_of_a_guest_is_refused(ask):
    """The book keeps it as the IPv4 address that it maps: nobody would have reserved that."""
    both = [{"address": "10.0.1.7"}, {"address": "::ffff:10.0.1.7"}]
    for addresses in (both, both[1:]):
        refused = ask("PUT", "/guests/east/web1", {"node": "node1", "addresses": addresses})
        assert "write 10.0.1.7" in error(refused, 422, "invalid_value")["message"]
    error(ask("GET", "/guests/east/web1"), 404, "not_found")


@pytest.mark.parametrize(
    ("said", "advice"),
    [({"addresses": ["10.0.1.7"]}, '{"address": "10.0.1.5"}'), ({"nics": ["52:54:00:00:00:01"]}, '{"mac": "52:54:')],
)
def test_a_bare_value_where_an_object_belongs_is_answered_with_one(said, advice, ask):
    refused = ask("PUT", "/guests/east/web1", {"node": "node1", **said})
    assert advice in error(refused, 422, "invalid_value")["message"]


@pytest.mark.parametrize("path", ["/guests/east/a%ffb", "/guests/a%ffb/web1"])
def test_a_name_that_is_not_utf_8_is_refused(path, ask):
    """All such names would look the same."""
    error(ask("PUT", path, {"node": "node1"}), 422, "invalid_value")


def test_a_claim_is_renewed_and_released_only_since_the_moment_that_is_meant(ask, clock):
    first = ask("POST", "/guests/east/web1/claim", {"node": "node1"}).json["since"]
    ask("DELETE", "/guests/east/web1/claim?node=node1")
    clock.pass_(minutes=1)
    second = ask("POST", "/guests/east/web1/claim", {"node": "node1"}).json

    renewal = ask("PATCH", "/guests/east/web1/claim", {"node": "node1", "since": first})
    release = ask("DELETE", f"/guests/east/web1/claim?node=node1&since={first}")

    for refused in (renewal, release):
        assert error(refused, 409, "claimed")["holder"] == second
    assert ask("PATCH", "/guests/east/web1/claim", {"node": "node1", "since": second["since"]}).json == second
    assert ask("DELETE", f"/guests/east/web1/claim?since={second['since']}").json == {"released": second}


def test_a_claim_that_was_renewed_a_moment_ago_is_not_released_as_idle(ask, clock):
    ask("POST", "/guests/east/web1/claim", {"node": "node1"})
    clock.pass_(minutes=20)
    renewed = ask("PATCH", "/guests/east/web1/claim", {"node": "node1"}).json
    clock.pass_(seconds=899)

    refused = ask("DELETE", "/guests/east/web1/claim?node=node1&idle=900")

    assert error(refused, 409, "claimed")["holder"] == renewed
    clock.pass_(seconds=1)
    assert ask("DELETE", "/guests/east/web1/claim?node=node1&idle=900").json == {"released": renewed}


def test_a_claim_that_ended_is_no_reason_to_take_a_guest_that_runs_elsewhere(ask, clock):
    ask("POST", "/guests/east/web1/claim", {"node": "node1", "lifetime": 60})
    clock.pass_(minutes=2)
    ask("PUT", "/guests/east/web1", {"node": "node2", "state": "running"})

    refused = ask("PATCH", "/guests/east/web1/claim", {"node": "node1"})

    assert error(refused, 409, "conflict")["owner"] == {"cluster": "east", "guest": "web1", "node": "node2"}


def test_claims_are_listed_page_by_page_and_found(ask):
    for name in ("web1", "web2", "db"):
        assert ask("POST", f"/guests/east/{name}/claim", {"node": "node1"}).status_code == 200

    first = ask("GET", "/claims?limit=2").json
    second = ask("GET", f"/claims?limit=2&after={first['next']}").json

    assert ([each["name"] for each in first["items"]], first["next"]) == (["db", "web1"], "east/web1")
    assert ([each["name"] for each in second["items"]], second["next"]) == (["web2"], None)
    assert [each["name"] for each in ask("GET", "/claims?text=WEB").json["items"]] == ["web1", "web2"]
    error(ask("GET", "/claims?after=nowhere"), 422, "invalid_value")


def test_a_text_that_hardly_any_guest_has_is_looked_for_in_several_requests(ask, monkeypatch):
    monkeypatch.setattr("providers.address_book.guests._LOOKED_AT", 2)
    for name in ("a1", "a2", "b1", "b2"):
        ask("PUT", f"/guests/east/{name}", {"node": "node1"})

    first = ask("GET", "/guests?text=b2").json
    second = ask("GET", f"/guests?text=b2&after={first['next']}").json

    assert (first["items"], first["next"]) == ([], "east/a2")
    assert [each["name"] for each in second["items"]] == ["b2"]


def test_a_rename_that_is_repeated_is_no_error(ask):
    ask("PUT", "/guests/east/web", {"node": "node1"})
    first = ask("POST", "/guests/east/web/rename", {"new_name": "www"}).json
    assert ask("POST", "/guests/east/web/rename", {"new_name": "www"}).json == first
    ask("DELETE", "/guests/east/www")

    again = ask("POST", "/guests/east/web/rename", {"new_name": "www"})

    assert (again.status_code, again.json["accepted"], again.json["guest"]) == (200, False, None)
    assert "renamed to www before" in again.json["reason"]
    error(ask("POST", "/guests/east/web/rename", {"new_name": "other"}), 404, "not_found")
