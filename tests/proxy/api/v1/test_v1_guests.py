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


@pytest.mark.parametrize("path", ["/guests/east/a%ffb", "/guests/a%ffb/web1"])
def test_a_name_that_is_not_utf_8_is_refused(path, ask):
    """All such names would look the same."""
    error(ask("PUT", path, {"node": "node1"}), 422, "invalid_value")
