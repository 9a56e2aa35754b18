"""Everybody in the table tries every route."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from click.testing import CliRunner

from proxy.access.policy import Policy, access
from proxy.access.table import Endpoint, Who, endpoints, everybody
from proxy.app import routes_only
from proxy.commands.config import config
from tests.proxy.access.api_requests import API_REQUESTS
from tests.proxy.access.people import PEOPLE
from tests.test_docs import ROOT

REFUSED = {401, 403}

_APP = "/phpipam/api/<app>"
_CBSD = "/phpipam/api/cbsd"
_AT_FIFTY = {"subnetId": "1", "ip": "10.0.1.50"}
PHPIPAM_REQUESTS: dict[str, tuple[str, dict[str, str]]] = {
    f"{method} {_APP}/{rule}": (f"{_CBSD}/{path}", form)
    for method, rule, path, form in (
        ("GET", "", "", {}),
        ("GET", "<path:rest>", "nothing/at/all", {}),
        ("GET", "user/", "user/", {}),
        ("POST", "user/", "user/", {}),
        ("PATCH", "user/", "user/", {}),
        ("PUT", "user/", "user/", {}),
        ("DELETE", "user/", "user/", {}),
        ("GET", "user/token_expires/", "user/token_expires/", {}),
        ("GET", "sections/", "sections/", {}),
        ("GET", "sections/<section>/", "sections/Lab/", {}),
        ("GET", "sections/<section>/subnets/", "sections/Lab/subnets/", {}),
        ("GET", "subnets/", "subnets/", {}),
        ("GET", "subnets/cidr/<address>/<mask>/", "subnets/cidr/10.0.1.0/24/", {}),
        ("GET", "subnets/search/<address>/<mask>/", "subnets/search/10.0.1.0/24/", {}),
        ("GET", "subnets/overlapping/<address>/<mask>/", "subnets/overlapping/10.0.1.0/25/", {}),
        ("GET", "subnets/<subnet_id>/", "subnets/1/", {}),
        ("GET", "subnets/<subnet_id>/usage/", "subnets/1/usage/", {}),
        ("GET", "subnets/<subnet_id>/first_free/", "subnets/1/first_free/", {}),
        ("HEAD", "subnets/<subnet_id>/first_free/", "subnets/1/first_free/", {}),
        ("GET", "subnets/<subnet_id>/addresses/", "subnets/1/addresses/", {}),
        ("GET", "subnets/<subnet_id>/addresses/<address>/", "subnets/1/addresses/10.0.1.10/", {}),
        ("GET", "addresses/<address_id>/", f"addresses/{2**32 + 10}/", {}),
        ("GET", "addresses/<address>/<subnet_id>/", "addresses/10.0.1.10/1/", {}),
        ("GET", "addresses/search/<address>/", "addresses/search/10.0.1.10/", {}),
        ("GET", "addresses/search_hostname/<name>/", "addresses/search_hostname/seeded.example.com/", {}),
        ("GET", "addresses/search_hostbase/<name>/", "addresses/search_hostbase/seeded/", {}),
        ("GET", "addresses/search_mac/<mac>/", "addresses/search_mac/52:54:00:00:00:10/", {}),
        ("GET", "addresses/tags/", "addresses/tags/", {}),
        ("GET", "addresses/tags/<tag_id>/", "addresses/tags/2/", {}),
        ("GET", "tools/tags/", "tools/tags/", {}),
        ("GET", "tools/tags/<tag_id>/", "tools/tags/2/", {}),
        ("GET", "addresses/first_free/", "addresses/first_free/?subnetId=1", {}),
        ("HEAD", "addresses/first_free/", "addresses/first_free/?subnetId=1", {}),
        ("GET", "addresses/first_free/<subnet_id>/", "addresses/first_free/1/", {}),
        ("HEAD", "addresses/first_free/<subnet_id>/", "addresses/first_free/1/", {}),
        ("POST", "addresses/first_free/", "addresses/first_free/", {"subnetId": "1"}),
        ("POST", "addresses/first_free/<subnet_id>/", "addresses/first_free/1/", {}),
        ("POST", "addresses/", "addresses/", _AT_FIFTY),
        ("PATCH", "addresses/<address_id>/", f"addresses/{2**32 + 10}/", {"note": "x"}),
        ("PUT", "addresses/<address_id>/", f"addresses/{2**32 + 10}/", {"note": "y"}),
        ("DELETE", "addresses/<address_id>/", f"addresses/{2**32 + 40}/", {}),
        ("DELETE", "addresses/<address>/<subnet_id>/", "addresses/10.0.1.41/1/", {}),
    )
}

REQUESTS: dict[str, tuple[str, Any]] = {
    "GET /features": ("/features", {}),
    "GET /v2/features": ("/v2/features", {}),
    "GET /version": ("/version", {}),
    "GET /dhcp": ("/dhcp", {}),
    "GET /dhcp/": ("/dhcp/", {}),
    "GET /dhcp/<network>": ("/dhcp/10.0.1.0", {}),
    "POST /dhcp/<network>": ("/dhcp/10.0.1.0", {"name": "new", "mac": "52:54:00:00:00:20", "ip": "10.0.1.20"}),
    "GET /dhcp/<network>/unused_ip": ("/dhcp/10.0.1.0/unused_ip", {}),
    "HEAD /dhcp/<network>/unused_ip": ("/dhcp/10.0.1.0/unused_ip", {}),
    "GET /dhcp/<network>/ip/<ip>": ("/dhcp/10.0.1.0/ip/10.0.1.10", {}),
    "GET /dhcp/<network>/mac/<mac>": ("/dhcp/10.0.1.0/mac/52:54:00:00:00:10", {}),
    "DELETE /dhcp/<network>/ip/<ip>": ("/dhcp/10.0.1.0/ip/10.0.1.20", {}),
    "DELETE /dhcp/<network>/mac/<mac>": ("/dhcp/10.0.1.0/mac/52:54:00:00:00:20", {}),
    "POST /dhcp/<network>/ip/<ip>": ("/dhcp/10.0.1.0/ip/10.0.1.20", {"_method": "DELETE"}),
    "POST /dhcp/<network>/mac/<mac>": ("/dhcp/10.0.1.0/mac/52:54:00:00:00:20", {"_method": "DELETE"}),
    "GET /ipam/groups": ("/ipam/groups", {}),
    "GET /ipam/groups/<group>": ("/ipam/groups/Lab", {}),
    "GET /ipam/groups/<group>/subnets": ("/ipam/groups/Lab/subnets", {}),
    "GET /ipam/subnet/<address>/<prefix>": ("/ipam/subnet/10.0.1.0/24?group=Lab", {}),
    "GET /ipam/subnet/<address>/<prefix>/next_ip": ("/ipam/subnet/10.0.1.0/24/next_ip?group=Lab", {}),
    "HEAD /ipam/subnet/<address>/<prefix>/next_ip": ("/ipam/subnet/10.0.1.0/24/next_ip?group=Lab", {}),
    "GET /ipam/subnet/<address>/<prefix>/<ip>": ("/ipam/subnet/10.0.1.0/24/10.0.1.30?group=Lab", {}),
    "POST /ipam/subnet/<address>/<prefix>/<ip>": ("/ipam/subnet/10.0.1.0/24/10.0.1.30?group=Lab", {}),
    "DELETE /ipam/subnet/<address>/<prefix>/<ip>": ("/ipam/subnet/10.0.1.0/24/10.0.1.30?group=Lab", {}),
    "GET /logs": ("/logs", {}),
    "GET /logs/": ("/logs/", {}),
    **API_REQUESTS,
    **PHPIPAM_REQUESTS,
}
"""A request for every endpoint with which nothing is wrong. Writes come with addresses of their own."""


def as_sent(endpoint: Endpoint, headers: dict[str, str]) -> dict[str, str]:
    """The headers of somebody; at the log-in of /phpipam name and password stand for the token."""
    if endpoint.rule != f"{_APP}/user/" or endpoint.method != "POST":
        return headers
    known = headers.get("Authorization", "")
    if known.startswith("Basic"):
        return headers
    password = known.removeprefix("Bearer ") or "any"
    return headers | {"Authorization": "Basic " + b64encode(f"a-token:{password}".encode()).decode()}


@pytest.mark.parametrize("who", list(everybody()), ids=lambda who: who.key)
def test_each_may_do_what_the_table_says(who: Who, house, dump):
    visited = house(PEOPLE[who.key], most=1_000)
    problems = []
    for endpoint in endpoints(visited.app):
        path, form = REQUESTS[str(endpoint)]
        expected = who.status(endpoint)
        before = dump() if expected in REFUSED else None
        body = {"json": form} if endpoint.face == "api" and form is not None else {"data": form or None}
        answer = visited.ask(endpoint.method, path, headers=as_sent(endpoint, visited.headers), **body)
        if answer.status_code != expected:
            problems.append(f"{endpoint}: {answer.status_code}, not {expected}: {answer.text!r}")
        if expected in REFUSED and dump() != before:
            problems.append(f"{endpoint}: refused, and changed the book")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("who", list(everybody()), ids=lambda who: who.key)
def test_what_is_not_there_is_not_found_by_anybody(who, house):
    visited = house(PEOPLE[who.key])
    for method, path in (
        ("GET", "/nope"),
        ("PUT", "/dhcp"),
        ("OPTIONS", "/dhcp"),
        ("DELETE", "/features"),
        ("POST", "/ipam/groups"),
    ):
        answer = visited.ask(method, path)
        assert (answer.status_code, answer.text) == (404, "Requested url was not found"), f"{method} {path}"


def test_everybody_in_the_table_is_tried():
    keys = [who.key for who in everybody()]
    assert sorted(keys) == sorted(PEOPLE)


def test_the_page_shows_every_endpoint_that_is_served(house):
    assert endpoints(routes_only()) == endpoints(house().app)


def test_the_page_is_as_generated():
    made = CliRunner().invoke(config, ["access"])
    assert made.exit_code == 0
    assert (ROOT / "docs" / "access.md").read_text() == made.output, "leasehold config access > docs/access.md"


def test_what_changes_the_book_is_a_write(house):
    """A method says what it does; only asking for an address is a GET that changes something."""
    policies: dict[str, Policy] = {str(each): each.policy for each in endpoints(house().app)}
    for endpoint, policy in policies.items():
        method, _, rule = endpoint.partition(" ")
        if "/user/" in rule:  # logging in changes nothing, whatever the method
            continue
        asks = rule.endswith(("/unused_ip", "/next_ip", "/first_free/", "/first_free/<subnet_id>/"))
        assert policy.changes == (method not in {"GET", "HEAD"} or (asks and method == "GET")), endpoint


def test_only_two_routes_are_open(house):
    opened = {each.rule for each in endpoints(house().app) if each.policy is Policy.OPEN}
    assert opened == {"/features", "/version"}


@pytest.mark.parametrize("who", list(everybody()), ids=lambda who: who.key)
def test_an_admin_route_takes_a_token_of_that_scope(who, house):
    visited = house(PEOPLE[who.key])
    visited.app.add_url_rule("/administer", view_func=access(Policy.ADMIN)(lambda: ""))
    route = Endpoint("GET", "/administer", "", Policy.ADMIN, keeps_limits=False, good=200)
    expected = 200 if who.key == "token-admin" else who.status(route)
    assert visited.ask("GET", "/administer").status_code == expected
    assert (expected == 200) == (who.key == "token-admin")
