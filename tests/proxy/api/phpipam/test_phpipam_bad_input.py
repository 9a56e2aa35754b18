"""Whatever is sent, the answer is an object that says no, nothing is changed, and nothing surprises us."""

from __future__ import annotations

import json
import logging
from itertools import product

import pytest
from netaddr import IPAddress

from providers.model import Caller, Use
from tests.proxy.api.phpipam.replay import parsed

ODD = (
    "",
    "0",
    "-1",
    "1e3",
    "٣",
    "x" * 5000,
    "9" * 400,
    "..",
    "%00",
    "%ff",
    "%F0%9F%92%A9",
    "<b>",
    "'; drop table",
    "10.0.1.5/29",
    "::ffff:10.0.1.5",
    "2001:db8::1%25eth0",
    "010.0.1.5",
    "10.0.1",
)
PATHS = (
    "subnets/{}/",
    "subnets/{}/usage/",
    "subnets/{}/addresses/",
    "subnets/{}/first_free/",
    "subnets/1/addresses/{}/",
    "subnets/cidr/{}/24/",
    "subnets/cidr/10.0.1.0/{}/",
    "subnets/overlapping/{}/24/",
    "subnets/overlapping/10.0.1.0/{}/",
    "sections/{}/",
    "sections/{}/subnets/",
    "addresses/{}/",
    "addresses/{}/1/",
    "addresses/10.0.1.5/{}/",
    "addresses/search/{}/",
    "addresses/search_mac/{}/",
    "addresses/first_free/{}/",
    "addresses/tags/{}/",
    "subnets/?filter_by={}&filter_value=1",
    "subnets/?filter_by=id&filter_value={}",
    "addresses/first_free/?subnetId={}",
)


@pytest.fixture
def taken(address_book, lab):
    """10.0.1.5, described."""
    return address_book.reserve(lab, IPAddress("10.0.1.5"), Use.GUEST, Caller("seed"), name="j1", note="node1")


def refused(answer) -> None:
    told = parsed(answer)
    assert told is not None, answer.text[:200]
    assert (told["success"], told["code"]) == (False, answer.status_code), answer.text[:200]
    assert "Internal error" not in told["message"]


def test_odd_paths(ask, taken, dump, caplog):
    before = dump()
    with caplog.at_level(logging.ERROR):
        for path in PATHS:
            for odd in ODD:
                answer = ask("GET", path.format(odd))
                if answer.status_code != 200:
                    refused(answer)
    assert dump() == before
    assert caplog.records == []


KEYS = ("subnetId", "ip", "hostname", "mac", "note", "description", "owner", "tag", "id")
VALUES = (["a"], {"a": 1}, True, 1e400, 10**400, "\ud800", "a\x00b", "a\nb", "x" * 5000)


BODIES = (b"\xff\xfe", b'{"a":', b"{" * 3000, b'{"hostname": "\xff"}', b"null", b"hostname=%ff", b"%")


def test_odd_values_in_a_new_address(ask, taken, dump, caplog):
    before = dump()
    with caplog.at_level(logging.ERROR):
        for key, value in product(KEYS, VALUES):
            body = json.dumps({"subnetId": 1, "ip": "10.0.1.5", key: value})
            refused(ask("POST", "addresses/", data=body, content_type="application/json"))
    assert dump() == before
    assert caplog.records == []


def test_odd_values_in_a_change(ask, taken, dump, caplog):
    with caplog.at_level(logging.ERROR):
        for key, value in product(KEYS, VALUES):
            before = dump()
            body = json.dumps({key: value})
            answer = ask("PATCH", f"addresses/{2**32 + 5}/", data=body, content_type="application/json")
            if answer.status_code != 200:
                refused(answer)
                assert dump() == before, body
    assert caplog.records == []


def test_odd_bodies(ask, lab, dump, caplog):
    before = dump()
    with caplog.at_level(logging.ERROR):
        for body, content_type in product(BODIES, ("application/json", "application/x-www-form-urlencoded")):
            refused(ask("POST", f"addresses/first_free/{lab.id}/", data=body, content_type=content_type))
    assert dump() == before
    assert caplog.records == []
