"""Groups and subnets on /api/v1."""

from __future__ import annotations

import pytest

from tests.proxy.api.v1.refusal import error


def networks(answer):
    assert answer.status_code == 200, answer.text
    return [each["network"] for each in answer.json["items"]]


def test_groups_are_listed_and_made(ask):
    made = ask("POST", "/groups", {"name": "New", "description": "x"})

    assert (made.status_code, made.json) == (201, {"name": "New", "description": "x", "subnets": 0, "id": 3})
    listed = ask("GET", "/groups").json
    assert ([(each["name"], each["subnets"]) for each in listed["items"]], listed["next"]) == (
        [("Lab", 1), ("New", 0), ("Other", 1)],
        None,
    )
    error(ask("POST", "/groups", {"name": "lab"}), 409, "conflict")


def test_a_subnet_with_everything_comes_back_as_it_was_sent(ask):
    body = {
        "network": "10.0.9.0/24",
        "group": "New",
        "description": "x",
        "dhcp": True,
        "strategy": "random",
        "pool": "10.0.9.10-10.0.9.99",
        "dynamic": "10.0.9.100-10.0.9.199",
        "exclusions": ["10.0.9.20", "10.0.9.30-10.0.9.39"],
        "gateway": "10.0.9.1",
        "dns": ["10.0.9.2", "2001:db8::2"],
        "ntp": ["10.0.9.3"],
        "domain": "example.com",
        "mtu": 1500,
        "next_server": "boot.example.com",
        "filename": "pxelinux.0",
    }

    made = ask("POST", "/subnets", body)

    assert made.status_code == 201, made.text
    assert {name: made.json[name] for name in body} == body
    assert ask("GET", "/subnets/10.0.9.0/24").json == made.json
    error(ask("POST", "/subnets", body), 409, "conflict")


def test_a_change_leaves_the_rest_and_null_takes_away(ask):
    before = ask("GET", "/subnets/10.0.1.0/24").json

    changed = ask("PATCH", "/subnets/10.0.1.0/24", {"domain": "example.com", "gateway": None, "dns": []}).json

    assert changed == before | {"domain": "example.com", "gateway": None, "free": before["free"] + 1}


def test_a_change_that_does_not_fit_is_refused(ask):
    error(ask("PATCH", "/subnets/10.0.1.0/24", {"pool": "10.0.2.1-10.0.2.9"}), 422, "invalid_value")
    error(ask("PATCH", "/subnets/10.0.1.0/24", {"network": "10.0.3.0/24"}), 422, "invalid_value")


def test_ipv6_in_the_path(ask):
    assert ask("POST", "/subnets", {"network": "2001:db8::/64"}).status_code == 201
    assert ask("GET", "/subnets/2001:db8::/64").json["free"] == 2**64 - 1
    assert ask("POST", "/subnets/2001:db8::/64/next").json["address"] == "2001:db8::1"
    assert ask("PUT", "/addresses/2001:db8::9", {}).status_code == 201


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_have_every_subnet_once_and_in_order(limit, ask):
    for network in ("10.0.1.0/24", "10.0.0.0/16"):
        ask("POST", "/subnets", {"network": network, "group": "Third", "dhcp": False})
    found, after = [], ""
    for _ in range(10):
        page = ask("GET", f"/subnets?limit={limit}&after={after}").json
        assert len(page["items"]) <= limit
        found += [(each["network"], each["group"]) for each in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert found == [
        ("10.0.0.0/16", "Third"), ("10.0.1.0/24", "Lab"), ("10.0.1.0/24", "Third"), ("10.0.2.0/24", "Other")
    ]  # fmt: skip


def test_pages_go_on_where_a_subnet_was_that_is_gone(ask):
    first = ask("GET", "/subnets?limit=1").json
    assert ask("DELETE", "/subnets/10.0.1.0/24").status_code == 200
    rest = ask("GET", f"/subnets?limit=1&after={first['next']}")
    assert (networks(rest), rest.json["next"]) == (["10.0.2.0/24"], None)


@pytest.mark.parametrize("after", ["10.0.1.0/24", "10.0.1.0/24:", "10.0.1.0/24:x", "10.0.1.9/24:1", ":1"])
def test_a_page_begins_only_after_what_can_be_a_subnet(after, ask):
    error(ask("GET", f"/subnets?after={after}"), 422, "invalid_value")


def test_subnets_by_group_and_by_dhcp(ask):
    ask("POST", "/subnets", {"network": "10.0.3.0/24", "group": "Lab", "dhcp": False})

    assert networks(ask("GET", "/subnets?group=lab")) == ["10.0.1.0/24", "10.0.3.0/24"]
    assert networks(ask("GET", "/subnets?dhcp=false")) == ["10.0.3.0/24"]
    assert networks(ask("GET", "/subnets?dhcp")) == ["10.0.1.0/24", "10.0.2.0/24"]


def test_what_is_in_several_groups_is_changed_only_when_the_group_is_said(ask):
    ask("POST", "/subnets", {"network": "10.0.1.0/24", "group": "Other", "dhcp": False})

    for method, body in (("PATCH", {"description": "x"}), ("DELETE", None)):
        assert "Lab, Other" in error(ask(method, "/subnets/10.0.1.0/24", body), 422, "invalid_value")["message"]
    assert ask("PATCH", "/subnets/10.0.1.0/24?group=Other", {"description": "x"}).json["group"] == "Other"
    assert ask("DELETE", "/subnets/10.0.1.0/24?group=Other").status_code == 200
    assert ask("GET", "/subnets/10.0.1.0/24").json["group"] == "Lab"


def test_a_subnet_with_something_in_it_goes_by_force_alone(ask):
    ask("PUT", "/addresses/10.0.1.7", {"name": "x"})
    ask("POST", "/subnets/10.0.1.0/24/next")

    assert "1 reserved, 1 held" in error(ask("DELETE", "/subnets/10.0.1.0/24"), 409, "conflict")["message"]
    assert ask("GET", "/subnets/10.0.1.0/24/utilisation").json == {
        "reserved": 1, "held": 1, "resting": 0, "free": 251
    }  # fmt: skip
    gone = ask("DELETE", "/subnets/10.0.1.0/24?force=true")
    assert (gone.status_code, gone.json["reserved"]) == (200, 1)
    error(ask("GET", "/subnets/10.0.1.0/24"), 404, "not_found")
