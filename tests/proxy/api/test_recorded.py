"""Everything recorded from Foreman's own smart proxy is asked again; where our answer differs, the table says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.proxy.api.seeds import RECORDED, seed_dhcp, seed_ipam

SKIP = object()
"""A body that nothing is expected of."""

BAD_REQUEST = 400
"""What is wrong with a value is said in our own words."""


@dataclass(frozen=True)
class Difference:
    """What we answer instead, and why; what is not given is as recorded."""

    reason: str
    status: int | None = None
    body: Any = None


_NOT_HARD_CODED = "dhcpd has hosts of its own configuration file that OMAPI cannot delete; the book has no such hosts"
_LEASE = "a lease is in nobody's way: Foreman deletes before it creates, and could not change such a machine's address"
_INNER = "section 10: an address inside the subnet finds the subnet, and what is in it"
_OUTSIDE = "section 10: an address outside the subnet is refused"
_NETWORK = "section 10: network and broadcast address are refused"
_ZTP = "dhcpd stores what the smart proxy made of the file name; here the DHCP provider makes it when it publishes"
_GROUP = "section 10: an unknown group is 404, with the same body"
_SUBNET = "section 10: next_ip of an unknown subnet is 404, with the same body"
_SLASH = "section 10: %2F is part of a group name"
_PHPIPAM = "phpIPAM on PHP 8 fails for a subnet without addresses; the book does not"

DIFFERENCES: dict[str, Difference] = {
    "root/v2-features/v2-features": Difference("modules that Leasehold does not have are not named", body=SKIP),
    "root/version/version": Difference("our own version", body=SKIP),
    "dhcp/unused-ip-known-mac/res-mac-upper": Difference(
        "design, rule 2: a MAC is the same in upper case", body={"ip": "192.168.10.10"}
    ),
    "dhcp/by-ip/inner-net": Difference(_INNER, status=200, body=SKIP),
    "dhcp/by-mac/inner-net": Difference(_INNER, status=200, body=SKIP),
    "dhcp/ip-outside/outside-all": Difference(_OUTSIDE, status=400, body="text"),
    "dhcp/ip-outside/in-other-net": Difference(_OUTSIDE, status=400, body="text"),
    "dhcp/ip-outside/in-other-net-there": Difference(_OUTSIDE, status=404, body="text"),
    "dhcp/ip-outside/network-address": Difference(_NETWORK, status=400, body="text"),
    "dhcp/ip-outside/broadcast": Difference(_NETWORK, status=400, body="text"),
    "dhcp/vendor-options/sparc-get": Difference(
        "dhcpd reports addresses in hexadecimal and its own name of the option space; the book what was posted",
        body=SKIP,
    ),
    "dhcp/vendor-options/ztp-get": Difference(_ZTP, body=SKIP),
    "dhcp/vendor-options/poap-get": Difference(_ZTP, body=SKIP),
    "dhcp/vendor-options/ztp-huawei-get": Difference(_ZTP, body=SKIP),
    "dhcp/delete-static/static-mac": Difference(_NOT_HARD_CODED, status=200, body=""),
    "dhcp/delete-static/static-ip": Difference(_NOT_HARD_CODED, status=200, body=""),
    "dhcp/delete-static/static-still": Difference(_NOT_HARD_CODED, status=404, body="text"),
    "dhcp/delete-static/lease-mac": Difference(_LEASE, status=200, body=""),
    "dhcp/delete-static/lease-ip": Difference(_LEASE, status=200, body=""),
    "dhcp/browser-guards/foreign-referer": Difference(
        "section 10: the 403 on a foreign Referer is not reproduced", status=200, body=SKIP
    ),
    "dhcp/browser-guards/foreign-origin": Difference(
        "safety: a web page of another site may not write through a browser on this machine", status=403, body="text"
    ),
    "ipam/groups/absent": Difference(_GROUP, status=404),
    "ipam/groups/digits": Difference("a name of digits is a name first, and an id only if no group has it", 200, SKIP),
    "ipam/groups/specials-cgi": Difference(_SLASH, 200, SKIP),
    "ipam/groups/specials-pct": Difference(_SLASH, 200, SKIP),
    "ipam/group-subnets/absent-group": Difference(_GROUP, status=404),
    "ipam/subnet/group-absent": Difference(_GROUP, status=404),
    "ipam/next-ip/group-wrong": Difference(_SUBNET, status=404),
    "ipam/next-ip/group-absent": Difference(_GROUP, status=404),
    "ipam/next-ip/absent": Difference(_SUBNET, status=404),
    "ipam/next-ip/marked-full": Difference(
        "phpIPAM can mark an empty subnet as full; the book counts", body={"data": "10.99.1.1"}
    ),
    "ipam/ip-exists/v6-taken-long": Difference("section 8, 19: a long spelling is the same address", body=True),
    "ipam/empty-subnet/exists-in-empty": Difference(_PHPIPAM, status=200, body=False),
    "ipam/empty-subnet/delete-in-empty": Difference(_PHPIPAM, status=204, body=""),
    "ipam/empty-subnet/next-ip-2": Difference(_PHPIPAM, status=200, body={"data": "10.60.0.2"}),
}

DHCPD_ONLY = {"tstp", "cltt"}
"""Keys of a lease that only dhcpd's leases file has: DHCP providers do not tell them."""

OWN_VALUE = {
    "id": "phpIPAM's own numbers",
    "deleteable": _NOT_HARD_CODED,
    "message": "section 10: an exhausted unused_ip says how many are used and held",
}
"""Keys whose values, or presence, are not compared."""


def sequences() -> list[Any]:
    return [
        pytest.param(name, sequence, id=f"{name}/{sequence['name']}")
        for name in ("root", "dhcp", "ipam")
        for sequence in json.loads((RECORDED / f"{name}.json").read_text())
    ]


@pytest.fixture
def seeded(started: Callable[..., Flask], address_book, server) -> Callable[[str], Flask]:
    """The application with the state behind a file."""

    def seeded(file: str) -> Flask:
        if file == "ipam":
            seed_ipam(address_book)
        else:
            server.written = seed_dhcp(address_book)
        return started()

    return seeded


@pytest.mark.parametrize(("file", "sequence"), sequences())
def test_answers_as_recorded(file, sequence, seeded):
    app = seeded(file)
    problems = []
    for exchange in sequence["exchanges"]:
        name = f"{file}/{sequence['name']}/{exchange['id']}"
        answer = ask(app, exchange)
        try:
            compare(exchange, answer, DIFFERENCES.get(name))
        except AssertionError as error:
            problems.append(f"{name}: {error}")
    assert not problems, "\n".join(problems)


def test_every_difference_is_about_something_recorded():
    recorded = {
        f"{file}/{sequence['name']}/{exchange['id']}"
        for file, sequence in (parameter.values for parameter in sequences())
        for exchange in sequence["exchanges"]
    }
    assert DIFFERENCES.keys() <= recorded


def ask(app: Flask, exchange: dict[str, Any]) -> TestResponse:
    """Send the request octet for octet: the path goes in as it was, also with two slashes at its start."""
    path, _, query = exchange["path"].partition("?")
    return app.test_client().open(
        method=exchange["method"],
        query_string=query,
        headers=exchange["headers"],
        data=exchange.get("body", ""),
        environ_overrides={
            "PATH_INFO": unquote(path, encoding="latin-1"),
            "RAW_URI": exchange["path"],
            "REQUEST_URI": exchange["path"],
        },
    )


def compare(exchange: dict[str, Any], answer: TestResponse, difference: Difference | None) -> None:
    """Raise AssertionError where ``answer`` is not as recorded and not as ``difference`` says."""
    recorded = exchange["answer"]
    status = difference.status if difference is not None and difference.status else recorded["status"]
    assert answer.status_code == status, f"status {answer.status_code}, not {status}: {answer.text!r}"
    assert answer.content_type == (None if status == 204 else "application/json"), answer.content_type
    differs = difference is not None and difference.body is not None
    expected = difference.body if differs else body_of(recorded["body"])
    if expected is SKIP:
        return
    found = body_of(answer.text)
    if exchange["method"] == "HEAD" or expected == "":
        assert found == "", f"body {found!r}"
    else:
        same(plain(expected), plain(found), values=status != BAD_REQUEST and not exchange.get("varies"))


def body_of(text: str) -> Any:
    """JSON as a value; any other text only as being there."""
    try:
        return json.loads(text)
    except ValueError:
        return "text" if text else ""


def plain(value: Any) -> Any:
    """The value without what is not compared; subnets in the order of their networks."""
    if isinstance(value, list):
        members = [plain(member) for member in value]
        return sorted(members, key=lambda member: json.dumps(member, sort_keys=True, ensure_ascii=False))
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items() if key not in DHCPD_ONLY | OWN_VALUE.keys()}
    return value


def same(expected: Any, found: Any, *, values: bool) -> None:
    """Raise AssertionError unless both have the same keys in the same order, the same types and, if asked, values."""
    assert type(found) is type(expected), f"{found!r}, not {expected!r}"
    if isinstance(expected, dict):
        assert list(found) == list(expected), f"keys {list(found)}, not {list(expected)}"
        for key, member in expected.items():
            same(member, found[key], values=values)
    elif isinstance(expected, list):
        assert len(found) == len(expected), f"{len(found)} members, not {len(expected)}: {found!r}"
        for one, other in zip(expected, found, strict=True):
            same(one, other, values=values)
    elif values:
        assert found == expected, f"{found!r}, not {expected!r}"
