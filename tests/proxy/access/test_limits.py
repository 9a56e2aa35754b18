"""Tokens that are limited to subnets or groups."""

from __future__ import annotations

import json

import pytest
from netaddr import IPNetwork

from providers.model import Caller, SubnetSpec
from providers.tokens import Scope
from proxy.peer import Peer
from tests.proxy.access.people import OTHER_GROUP, STRANGER, THIS_GROUP, THIS_SUBNET, Person, bearer

CHILD = IPNetwork("10.0.1.128/25")


@pytest.fixture
def limited(house):
    """Somebody with a token of scope reserve that has those limits."""

    def limited(**limits):
        return house(Person(Peer(STRANGER, "http", None), {}, bearer("a-token", Scope.RESERVE, **limits)))

    return limited


def networks(answer):
    assert answer.status_code == 200, answer.text
    return [each.get("network") or each["subnet"] for each in json.loads(answer.text)]


def names(answer):
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in json.loads(answer.text)]


@pytest.mark.parametrize("limits", [{"subnets": [THIS_SUBNET]}, {"groups": [THIS_GROUP]}])
def test_lists_leave_out_what_is_not_theirs(limited, limits):
    visited = limited(**limits)
    assert networks(visited.ask("GET", "/dhcp")) == ["10.0.1.0"]
    assert networks(visited.ask("GET", "/dhcp/")) == ["10.0.1.0"]
    assert names(visited.ask("GET", "/ipam/groups")) == [THIS_GROUP]


def test_without_limits_lists_are_whole(limited):
    visited = limited()
    assert networks(visited.ask("GET", "/dhcp")) == ["10.0.1.0", "10.0.2.0"]
    assert names(visited.ask("GET", "/ipam/groups")) == [OTHER_GROUP, THIS_GROUP]


def test_a_token_for_a_wider_network_may_use_the_subnets_inside(limited):
    visited = limited(subnets=[IPNetwork("10.0.0.0/23")])
    assert networks(visited.ask("GET", "/dhcp")) == ["10.0.1.0"]
    assert visited.ask("GET", "/dhcp/10.0.1.0/unused_ip").status_code == 200


def test_a_token_for_part_of_a_subnet_may_not_use_the_whole(limited):
    visited = limited(subnets=[IPNetwork("10.0.1.0/28")])
    assert networks(visited.ask("GET", "/dhcp")) == []
    assert visited.ask("GET", "/dhcp/10.0.1.0/unused_ip").status_code == 403


def test_a_token_for_a_network_of_the_other_family_may_use_nothing(limited):
    visited = limited(subnets=[IPNetwork("::/0")])
    assert networks(visited.ask("GET", "/dhcp")) == []
    assert visited.ask("GET", "/dhcp/10.0.1.0").status_code == 403


def test_a_token_for_an_inner_subnet_may_not_use_the_one_around_it(limited, seeded):
    seeded.add_subnet(SubnetSpec(CHILD, THIS_GROUP), Caller("test"))
    visited = limited(subnets=[CHILD])
    assert visited.ask("GET", "/dhcp/10.0.1.128").status_code == 200
    assert visited.ask("GET", "/dhcp/10.0.1.0").status_code == 403
    assert visited.ask("POST", "/ipam/subnet/10.0.1.0/24/10.0.1.5").status_code == 403


def test_an_address_in_the_path_does_not_lead_into_another_subnet(limited):
    visited = limited(subnets=[THIS_SUBNET])
    assert visited.ask("GET", "/dhcp/10.0.2.77/unused_ip").status_code == 403
    form = {"name": "x", "mac": "52:54:00:00:00:99", "ip": "10.0.2.9", "network": "10.0.2.0"}
    assert visited.ask("POST", "/dhcp/10.0.1.0", data=form).status_code == 400


def test_a_group_that_is_not_theirs_is_not_shown_by_its_id(limited, seeded):
    visited = limited(groups=[THIS_GROUP])
    other = seeded.group(OTHER_GROUP).id
    for path in (f"/ipam/groups/{other}", f"/ipam/groups/{other}/subnets", f"/ipam/groups/{OTHER_GROUP}"):
        assert visited.ask("GET", path).status_code == 403


def test_a_group_is_shown_to_whoever_may_use_a_subnet_of_it(limited, seeded):
    seeded.add_subnet(SubnetSpec(IPNetwork("10.0.9.0/24"), THIS_GROUP), Caller("test"))
    visited = limited(subnets=[THIS_SUBNET])
    assert visited.ask("GET", f"/ipam/groups/{THIS_GROUP}").status_code == 200
    assert networks(visited.ask("GET", f"/ipam/groups/{THIS_GROUP}/subnets")) == ["10.0.1.0"]
    assert visited.ask("GET", f"/ipam/groups/{OTHER_GROUP}").status_code == 403


def test_a_token_for_one_group_means_that_group(limited, seeded):
    """The same network is in both groups, and that of the other one was there first."""
    seeded.add_subnet(SubnetSpec(IPNetwork("10.0.2.0/24"), THIS_GROUP), Caller("test"))
    visited = limited(groups=[THIS_GROUP])
    for query in ("", "?group", "?group=", f"?group={THIS_GROUP}"):
        assert visited.ask("GET", f"/ipam/subnet/10.0.2.0/24{query}").status_code == 200, query
    assert visited.ask("GET", f"/ipam/subnet/10.0.2.0/24?group={OTHER_GROUP}").status_code == 403


def test_what_does_not_exist_is_told_apart_from_what_is_not_theirs(limited):
    visited = limited(groups=[THIS_GROUP])
    assert visited.ask("GET", "/dhcp/10.9.9.0").status_code == 404
    assert visited.ask("GET", "/ipam/subnet/10.9.9.0/24").status_code == 404
    assert visited.ask("DELETE", "/dhcp/10.9.9.0/ip/10.9.9.1").status_code == 200


def test_the_refusal_names_the_token_and_the_subnet(limited):
    text = "The token a-token is limited to other subnets or groups than subnet 10.0.2.0/24"
    visited = limited(subnets=[THIS_SUBNET])
    assert visited.ask("GET", "/dhcp/10.0.2.0").text == text
    assert json.loads(visited.ask("GET", "/ipam/subnet/10.0.2.0/24").text) == {"error": text}


def test_an_endpoint_that_cannot_be_limited_refuses_limited_tokens(house):
    person = Person(Peer(STRANGER, "http", None), {}, bearer("a-token", Scope.ADMIN, groups=[THIS_GROUP]))
    answer = house(person).ask("GET", "/logs")
    assert (answer.status_code, answer.text) == (
        403,
        "The token a-token may not do this: it is limited to subnets or groups",
    )


def test_wishes_beyond_the_limits_are_never_slowed_and_logged_once(limited, caplog, clock):
    visited = limited(subnets=[THIS_SUBNET])
    assert {visited.ask("GET", "/dhcp/10.0.2.0").status_code for _ in range(30)} == {403}
    assert [record.getMessage() for record in caplog.records] == ["Refused token a-token: not in its limits"]
    clock.pass_(minutes=1)
    visited.ask("GET", "/dhcp/10.0.2.0")
    assert len(caplog.records) == 2
