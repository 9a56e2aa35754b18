"""Web pages that make a browser on a trusted machine write."""

from __future__ import annotations

import logging

import pytest
from werkzeug.datastructures import Headers

from providers.tokens import Scope
from proxy.access.browsers import FOREIGN_PAGE, is_foreign_page, names_this_machine
from proxy.access.rights import WHAT_HELPS
from tests.proxy.access.people import LOOPBACK, PEOPLE, bearer

ASKING = "/dhcp/10.0.1.0/unused_ip"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "localhost:8000"),
        ("http://localhost:3000", "localhost:8000"),
        ("http://127.0.0.1:8000", "localhost:8000"),
        ("http://localhost:8000.evil.example", "localhost:8000"),
        ("http://localhost:8000, http://localhost:8000", "localhost:8000"),
        ("null", "localhost:8000"),
        ("null", ""),
        ("", ""),
        ("http://", ""),
        ("https://localhost", "localhost:80"),
    ],
)
def test_a_page_of_another_host_or_port_is_foreign(origin, host):
    assert is_foreign_page(Headers({"Origin": origin, "Host": host}))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://LocalHost:8000", "localHOST:8000"),
        ("http://localhost", "localhost:80"),
        ("http://[::1]:80", "[::1]"),
        ("https://proxy.example.org", "proxy.example.org:443"),
    ],
)
def test_a_page_of_the_same_host_and_port_is_not_foreign(origin, host):
    assert not is_foreign_page(Headers({"Origin": origin, "Host": host}))


@pytest.mark.parametrize(
    ("told", "foreign"), [("cross-site", True), ("Cross-Site ", True), ("same-origin", False), ("none", False)]
)
def test_what_the_browser_says_of_the_page(told, foreign):
    assert is_foreign_page(Headers({"Sec-Fetch-Site": told, "Host": "localhost"})) is foreign


def test_whoever_is_no_browser_is_no_foreign_page():
    assert not is_foreign_page(Headers({"Host": "localhost"}))


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "LOCALHOST:8000", "127.0.0.1", "127.9.9.9:8000", "[::1]", "[::1]:8000", "proxy.example.org:8000"],
)
def test_names_of_this_machine(host):
    assert names_this_machine(host, ("*", "Proxy.example.org"))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost:80:80",
        "localhost@evil.example",
        "localhost,evil.example",
        "0.0.0.0:8000",
        "[::]:8000",
        "*",
        "192.0.2.1",
        "[::1",
    ],
)
def test_names_that_may_be_of_others(host):
    assert not names_this_machine(host, ("*", "0.0.0.0", "::"))


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_the_refusal_says_why(house, headers, caplog):
    visited = house()
    visited.headers = headers
    with caplog.at_level(logging.WARNING):
        answer = visited.ask("GET", ASKING)
    assert (answer.status_code, answer.text) == (403, FOREIGN_PAGE)
    assert [record.getMessage() for record in caplog.records] == [
        f"Refused {LOOPBACK}: write by a web page of another site"
    ]


def test_a_name_that_leads_here_proves_nothing(house):
    visited = house()
    visited.headers = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000"}
    answer = visited.ask("GET", ASKING)
    assert (answer.status_code, answer.text) == (403, WHAT_HELPS)


def test_the_name_that_the_service_is_bound_to_is_this_machine(house):
    visited = house(bind_host="proxy.example.org")
    visited.headers = {"Host": "proxy.example.org:8000"}
    assert visited.ask("GET", ASKING).status_code == 200


def test_a_page_of_this_service_may_write(house):
    visited = house()
    visited.headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert visited.ask("GET", ASKING).status_code == 200


def test_whoever_shows_a_token_may_write_from_a_page(house, tokens, clock):
    visited = house()
    visited.headers = {
        "Authorization": bearer("a-token", Scope.RESERVE)(tokens, clock),
        "Origin": "http://evil.example",
        "Sec-Fetch-Site": "cross-site",
    }
    assert visited.ask("GET", ASKING).status_code == 200


def test_whoever_shows_a_certificate_may_write_whatever_the_origin(house):
    visited = house(PEOPLE["https-certificate"])
    visited.headers = {"Origin": "http://evil.example"}
    assert visited.ask("GET", ASKING).status_code == 200
