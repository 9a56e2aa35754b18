"""Reservations, holds and events on /api/v1."""

from __future__ import annotations

import pytest

from tests.proxy.api.v1.refusal import error

MAC = "52:54:00:00:00:01"


def addresses(answer):
    assert answer.status_code in {200, 201}, answer.text
    return [each["address"] for each in answer.json["items"]]


def test_a_mac_on_dhcp_gets_a_host_and_needs_a_name(ask):
    row = ask("PUT", "/addresses/10.0.1.7", {"name": "web1", "mac": MAC}).json

    assert (row["mac"], set(row["uses"]), row["hosts"][0]["name"]) == (MAC, {"dhcp", "manual"}, "web1")
    error(ask("PUT", "/addresses/10.0.1.8", {"mac": "52:54:00:00:00:02"}), 422, "invalid_value")


def test_an_address_that_is_taken_names_its_owner(ask):
    ask("PUT", "/addresses/10.0.1.7", {"name": "web1"})

    refused = error(ask("PUT", "/addresses/10.0.1.7", {"name": "web1"}), 409, "conflict")

    assert refused["owner"] == {"address": "10.0.1.7", "name": "web1", "mac": None, "uses": ["manual"]}


def test_an_address_goes_through_its_life(ask, clock):
    row = ask("PUT", "/addresses/10.0.1.7", {"name": "web1", "use": "guest"})
    assert (row.status_code, row.json["uses"]) == (201, {"guest": "2026-01-02T03:04:05Z"})
    assert ask("GET", "/addresses/10.0.1.7").json == row.json
    amended = ask("PATCH", "/addresses/10.0.1.7", {"note": "x", "name": None}).json
    assert amended == row.json | {"note": "x", "name": None}
    assert ask("DELETE", "/addresses/10.0.1.7?use=ipam").json == {"released": []}
    assert ask("DELETE", "/addresses/10.0.1.7").json == {"released": [amended]}
    assert ask("DELETE", "/addresses/10.0.1.7").json == {"released": []}
    assert "not reserved" in error(ask("GET", "/addresses/10.0.1.7"), 404, "not_found")["message"]
    error(ask("PATCH", "/addresses/10.0.1.7", {"note": "x"}), 404, "not_found")


def test_a_list_goes_on_where_the_page_before_ended(ask):
    for number in (7, 8, 9):
        ask("PUT", f"/addresses/10.0.1.{number}", {"name": f"web{number}"})
    first = ask("GET", "/addresses?limit=2")
    assert addresses(first) == ["10.0.1.7", "10.0.1.8"]

    second = ask("GET", f"/addresses?limit=2&after={first.json['next']}")

    assert (addresses(second), second.json["next"]) == (["10.0.1.9"], None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ip=10.0.1.7", ["10.0.1.7"]),
        (f"mac={MAC}", ["10.0.1.7"]),
        ("mac=52:54:0:0:0:1", ["10.0.1.7"]),
        ("name=web2", ["10.0.2.7"]),
        ("subnet=10.0.2.0/24", ["10.0.2.7"]),
        ("group=lab", ["10.0.1.7"]),
        ("use=dhcp", ["10.0.1.7"]),
        ("note=ROOM", ["10.0.2.7"]),
        ("text=web", ["10.0.1.7", "10.0.2.7"]),
        ("guest=east/db1", ["10.0.1.9"]),
        ("guest=db1", ["10.0.1.9"]),
        ("guest=west/db1", []),
        ("node=node1", ["10.0.1.9"]),
    ],
)
def test_addresses_are_found_by(query, expected, ask):
    ask("PUT", "/addresses/10.0.1.7", {"name": "web1", "mac": MAC})
    ask("PUT", "/addresses/10.0.2.7", {"name": "web2", "note": "Room 12"})
    reported = ask("PUT", "/guests/east/db1", {"node": "node1", "addresses": [{"address": "10.0.1.9"}]})
    assert reported.status_code == 200

    assert addresses(ask("GET", f"/addresses?{query}"))[: len(expected) or None] == expected


def test_next_is_the_same_for_the_same_asker(ask):
    first = ask("POST", "/subnets/10.0.1.0/24/next", {"key": "a"}).json
    again = ask("POST", "/subnets/10.0.1.0/24/next", {"key": "a", "mac": MAC}).json
    other = ask("POST", "/subnets/10.0.1.0/24/next").json

    assert first == {
        "address": "10.0.1.2", "subnet": "10.0.1.0/24", "group": "Lab", "key": "key:a", "mac": None,
        "taken_at": "2026-01-02T03:04:05Z", "expires_at": "2026-01-02T03:34:05Z",
    }  # fmt: skip
    assert (again["address"], other["address"]) == ("10.0.1.2", "10.0.1.3")


def test_next_of_a_mac_that_is_reserved_is_no_hold(ask):
    ask("PUT", "/addresses/10.0.1.7", {"name": "web1", "mac": MAC})

    row = ask("POST", "/subnets/10.0.1.0/24/next", {"mac": MAC}).json

    assert (row["address"], row["key"], row["taken_at"], row["expires_at"]) == ("10.0.1.7", f"mac:{MAC}", None, None)


def test_when_nothing_is_free_it_is_counted(ask):
    ask("PUT", "/addresses/10.0.1.7", {})

    full = error(ask("POST", "/subnets/10.0.1.0/24/next", {"from": "10.0.1.7", "to": "10.0.1.7"}), 409, "exhausted")

    assert (full["used"], full["held"]) == (1, 0)


def test_several_holds_are_the_same_when_asked_again(ask):
    body = {"subnet": "10.0.1.0/24", "count": 3, "key": "b"}

    first = ask("POST", "/holds", body)

    assert (first.status_code, addresses(first)) == (201, ["10.0.1.2", "10.0.1.3", "10.0.1.4"])
    assert [each["key"] for each in first.json["items"]] == ["key:b", "key:b#2", "key:b#3"]
    assert addresses(ask("POST", "/holds", body)) == addresses(first)
    assert addresses(ask("GET", "/holds")) == addresses(first)


def test_one_mac_has_one_hold(ask):
    error(ask("POST", "/holds", {"subnet": "10.0.1.0/24", "count": 2, "mac": MAC}), 422, "invalid_value")


def test_a_hold_is_extended_and_ended(ask):
    ask("POST", "/subnets/10.0.1.0/24/next", {"key": "a"})

    assert ask("PATCH", "/holds/10.0.1.2", {"minutes": 60}).json["expires_at"] == "2026-01-02T04:04:05Z"
    assert "held for key:a" in error(ask("GET", "/addresses/10.0.1.2"), 404, "not_found")["message"]
    assert ask("DELETE", "/holds/10.0.1.2").json["key"] == "key:a"
    error(ask("DELETE", "/holds/10.0.1.2"), 404, "not_found")
    error(ask("PATCH", "/holds/10.0.1.2", {"minutes": 60}), 404, "not_found")
    assert addresses(ask("GET", "/holds")) == []


def test_events_are_found_and_paged(ask):
    for number in (7, 8, 9):
        ask("PUT", f"/addresses/10.0.1.{number}", {}, headers={"X-Request-Id": f"r{number}"})
    first = ask("GET", "/events?limit=2").json
    assert [each["request_id"] for each in first["items"]] == ["r9", "r8"]
    assert first["items"][0]["actor"] == "api:token token0"
    rest = ask("GET", f"/events?limit=2&after={first['next']}").json["items"]
    assert rest[0]["request_id"] == "r7"
    assert [each["id"] for each in ask("GET", "/events?address=10.0.1.8").json["items"]] == [first["items"][1]["id"]]
    assert {each["action"] for each in ask("GET", "/events?action=subnet.add").json["items"]} == {"subnet.add"}
    assert ask("GET", "/events?subnet=10.0.2.0/24&action=address.reserve").json["items"] == []


def test_a_hold_is_ended_and_extended_only_for_its_key(ask):
    """Whoever repeats the end of a hold must not end that of somebody who was given the address meanwhile."""
    for key in ("mine", "theirs"):
        assert ask("POST", "/subnets/10.0.1.0/24/next", {"key": key, "to": "10.0.1.2"}).json["address"] == "10.0.1.2"
        if key == "mine":
            assert ask("DELETE", "/holds/10.0.1.2?key=key:mine").status_code == 200
    error(ask("DELETE", "/holds/10.0.1.2?key=key:mine"), 404, "not_found")
    error(ask("PATCH", "/holds/10.0.1.2?key=key:mine", {"minutes": 600}), 404, "not_found")
    assert [held["key"] for held in ask("GET", "/holds").json["items"]] == ["key:theirs"]
    assert ask("PATCH", "/holds/10.0.1.2?key=key:theirs", {"minutes": 600}).status_code == 200


NEXT = "/subnets/10.0.1.0/24/addresses"


def test_the_next_address_is_reserved_in_one_request(ask):
    first = ask("POST", NEXT, {"name": "web1", "mac": MAC, "note": "x", "description": "y"})
    second = ask("POST", NEXT)

    assert first.status_code == second.status_code == 201
    assert first.json == ask("GET", "/addresses/10.0.1.2").json
    assert (first.json["name"], first.json["note"], first.json["description"]) == ("web1", "x", "y")
    assert (set(first.json["uses"]), first.json["hosts"][0]["mac"]) == ({"dhcp", "manual"}, MAC)
    assert (second.json["address"], set(second.json["uses"])) == ("10.0.1.3", {"manual"})
    assert addresses(ask("GET", "/holds")) == []


def test_the_next_address_of_a_request_that_is_repeated_is_the_same(ask):
    body = {"name": "web1", "mac": MAC, "key": "order-17", "use": "guest"}
    first = ask("POST", NEXT, body)
    assert ask("POST", NEXT, body).json == first.json
    assert ask("POST", NEXT, {"key": "order-18"}).json["address"] == "10.0.1.3"
    changed = ask("PATCH", "/addresses/10.0.1.2", {"note": "x"}).json
    assert ask("POST", NEXT, body).json == changed
    ask("DELETE", "/addresses/10.0.1.2")
    assert ask("POST", NEXT, {"key": "order-17"}).json["address"] == "10.0.1.4"


def test_the_next_address_lies_between_from_and_to_until_nothing_is_left(ask):
    span = {"from": "10.0.1.20", "to": "10.0.1.21"}
    found = [ask("POST", NEXT, span).json["address"] for _ in range(2)]
    assert found == ["10.0.1.20", "10.0.1.21"]
    assert error(ask("POST", NEXT, span), 409, "exhausted")["used"] == 2
    error(ask("POST", NEXT, {"from": "10.0.2.1", "to": "10.0.2.2"}), 422, "invalid_value")
    error(ask("POST", NEXT, {"key": ""}), 422, "invalid_value")
    error(ask("POST", NEXT, {"mac": "52:54:00:00:00:02"}), 422, "invalid_value")
    error(ask("POST", "/subnets/10.9.9.0/24/addresses"), 404, "not_found")
