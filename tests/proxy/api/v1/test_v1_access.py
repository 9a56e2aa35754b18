"""What tokens of nodes, and tokens with limits, may do and see on /api/v1."""

from __future__ import annotations

import pytest
from netaddr import IPNetwork

from providers.tokens import Scope
from tests.proxy.api.v1.refusal import error


@pytest.fixture
def node(somebody):
    """A node of cluster east."""
    return somebody(Scope.GUEST, node="node1", cluster="east")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/guests/east/web1", {"node": "node1"}),
        ("PUT", "/guests", {"cluster": "east", "node": "node1", "guests": [{"name": "web1"}]}),
        ("DELETE", "/guests/east/web1?node=node1", None),
        ("POST", "/guests/east/web1/claim", {"node": "node1"}),
        ("POST", "/guests/east/web1/claim", {"node": "node1", "force": True}),
        ("DELETE", "/guests/east/web1/claim?node=node1", None),
    ],
)
def test_a_node_speaks_for_itself_about_its_cluster(method, path, body, node):
    assert node(method, path, body).status_code == 200
    told = error(node(method, path.replace("node1", "node2"), body and body | {"node": "node2"}), 403, "forbidden")
    assert "speaks for node node1 alone" in told["message"]
    body = body and {name: "west" if name == "cluster" else value for name, value in body.items()}
    elsewhere = node(method, path.replace("east", "west"), body)
    assert "guests of cluster east alone" in error(elsewhere, 403, "forbidden")["message"]


def test_a_node_says_which_node_it_is(node):
    for method, path in (("DELETE", "/guests/east/web1"), ("DELETE", "/guests/east/web1/claim")):
        error(node(method, path), 403, "forbidden")
    error(node("POST", "/guests/east/web1/rename", {"new_name": "web2"}), 403, "forbidden")


def test_a_node_in_no_cluster_is_a_cluster_of_its_own(somebody):
    alone = somebody(Scope.GUEST, node="node1")
    assert alone("PUT", "/guests/node1/web1", {"node": "node1"}).status_code == 200
    error(alone("PUT", "/guests/east/web1", {"node": "node1"}), 403, "forbidden")


def test_a_node_holds_and_does_not_reserve(node):
    assert node("POST", "/subnets/10.0.1.0/24/next").status_code == 200
    assert node("POST", "/holds", {"subnet": "10.0.1.0/24", "key": "east/web1/0"}).status_code == 201
    error(node("PUT", "/addresses/10.0.1.7", {}), 403, "forbidden")
    error(node("DELETE", "/addresses/10.0.1.7"), 403, "forbidden")
    error(node("POST", "/subnets", {"network": "10.0.9.0/24"}), 403, "forbidden")


def test_a_node_touches_no_holds_but_those_of_its_cluster(node, ask):
    for key in ("east/web1/0", "west/web1/0", "eastern/web1/0"):
        ask("POST", "/subnets/10.0.1.0/24/next", {"key": key})
    ask("POST", "/subnets/10.0.1.0/24/next", {"mac": "52:54:00:00:00:01"})

    for last in (3, 4, 5):
        error(node("PATCH", f"/holds/10.0.1.{last}", {"minutes": 9}), 403, "forbidden")
        error(node("DELETE", f"/holds/10.0.1.{last}"), 403, "forbidden")
    error(node("POST", "/subnets/10.0.1.0/24/next", {"key": "west/web1/0"}), 403, "forbidden")
    assert node("PATCH", "/holds/10.0.1.2", {"minutes": 90}).status_code == 200
    assert node("DELETE", "/holds/10.0.1.2").status_code == 200


def test_a_node_asks_for_a_mac_only_with_a_key(node, ask):
    """The hold of a MAC may be anybody's, and asking again can move it."""
    ask("POST", "/subnets/10.0.1.0/24/next", {"mac": "52:54:00:00:00:01"})
    elsewhere = {"mac": "52:54:00:00:00:01", "from": "10.0.1.200"}
    error(node("POST", "/subnets/10.0.1.0/24/next", elsewhere), 403, "forbidden")
    error(node("POST", "/holds", elsewhere | {"subnet": "10.0.1.0/24"}), 403, "forbidden")
    assert [each["address"] for each in ask("GET", "/holds").json["items"]] == ["10.0.1.2"]
    assert node("POST", "/subnets/10.0.1.0/24/next", elsewhere | {"key": "east/web1/0"}).status_code == 200


def test_a_token_that_also_reserves_has_the_rights_of_both_and_no_more(somebody, ask):
    both = somebody(Scope.GUEST, Scope.RESERVE, node="node1", cluster="east")
    error(both("PUT", "/guests/west/web1", {"node": "node2"}), 403, "forbidden")
    error(both("PUT", "/guests/east/web1", {"node": "node2"}), 403, "forbidden")
    error(both("DELETE", "/guests/east/web1"), 403, "forbidden")
    error(both("POST", "/guests/east/web1/claim", {"node": "node2"}), 403, "forbidden")
    assert both("PUT", "/guests/east/web1", {"node": "node1"}).status_code == 200
    ask("POST", "/subnets/10.0.1.0/24/next", {"mac": "52:54:00:00:00:01"})
    assert both("DELETE", "/holds/10.0.1.2").status_code == 200


def test_an_admin_speaks_for_every_node(somebody):
    every = somebody(Scope.GUEST, Scope.ADMIN, node="node1", cluster="east")
    assert every("PUT", "/guests/west/web1", {"node": "node2"}).status_code == 200


LIMITS = [{"groups": ["Lab"]}, {"subnets": [IPNetwork("10.0.1.0/24")]}]


@pytest.fixture(params=LIMITS, ids=["group", "subnet"])
def limited(request, somebody, ask):
    """A token for Lab or its subnet, in a book with something in both."""
    for network, name in ((1, "ours"), (2, "theirs")):
        ask("PUT", f"/addresses/10.0.{network}.7", {"name": name})
        ask("POST", f"/subnets/10.0.{network}.0/24/next", {"key": name})
        there = [{"address": f"10.0.{network}.9"}]
        assert ask("PUT", f"/guests/east/{name}", {"node": "node1", "addresses": there}).status_code == 200
        assert ask("POST", f"/guests/east/{name}/claim", {"node": "node1"}).status_code == 200
    return somebody(Scope.READ, Scope.RESERVE, Scope.GUEST, node="node1", cluster="east", **request.param)


@pytest.mark.parametrize("path", ["/groups", "/subnets", "/addresses", "/holds", "/guests", "/claims", "/events"])
def test_lists_leave_out_what_is_outside(path, limited):
    listed = limited("GET", path)
    assert listed.status_code == 200, listed.text
    assert listed.json["items"]
    assert "theirs" not in listed.text
    assert "10.0.2" not in listed.text
    assert "Other" not in listed.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/subnets/10.0.2.0/24?group=Other", None),
        ("GET", "/subnets/10.0.2.0/24/utilisation?group=Other", None),
        ("GET", "/addresses?subnet=10.0.2.0/24&group=Other", None),
        ("GET", "/addresses/10.0.2.7?group=Other", None),
        ("PUT", "/addresses/10.0.2.8?group=Other", {}),
        ("PATCH", "/addresses/10.0.2.7?group=Other", {"note": "x"}),
        ("DELETE", "/addresses/10.0.2.7?group=Other", None),
        ("POST", "/subnets/10.0.2.0/24/next?group=Other", {}),
        ("POST", "/holds", {"subnet": "10.0.2.0/24", "group": "Other"}),
        ("DELETE", "/holds/10.0.2.1?group=Other", None),
        ("GET", "/events?subnet=10.0.2.0/24&group=Other", None),
        ("GET", "/guests/east/theirs", None),
        ("PUT", "/guests/east/theirs", {"node": "node1", "addresses": []}),
        ("PUT", "/guests/east/ours", {"node": "node1", "group": "Other", "addresses": [{"address": "10.0.2.10"}]}),
        ("DELETE", "/guests/east/theirs?node=node1", None),
        ("PATCH", "/guests/east/theirs", {"node": "node1", "state": "running"}),
        ("POST", "/guests/east/theirs/claim", {"node": "node1"}),
        ("PATCH", "/guests/east/theirs/claim", {"node": "node1"}),
        ("DELETE", "/guests/east/theirs/claim?node=node1", None),
        ("POST", "/guests/east/theirs/rename", {"node": "node1", "new_name": "mine"}),
        ("POST", "/groups", {"name": "New"}),
    ],
)
def test_what_is_outside_is_refused(method, path, body, limited):
    error(limited(method, path, body), 403, "forbidden")


def test_what_is_inside_is_not(limited):
    assert limited("PUT", "/addresses/10.0.1.8", {"name": "x"}).status_code == 201
    assert limited("PUT", "/guests/east/ours", {"node": "node1", "addresses": []}).status_code == 200
    assert limited("GET", "/guests/east/ours").status_code == 200
