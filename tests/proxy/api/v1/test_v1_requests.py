"""What holds for every request: bodies, queries, methods, and the one shape of errors."""

from __future__ import annotations

import json

import pytest

from providers.errors import Unavailable
from proxy.api.form import LARGEST_BODY
from tests.providers.soundness import dump
from tests.proxy.api.v1.refusal import error

BROKEN = {
    "no JSON": b"{",
    "not UTF-8": b'{"name": "\xff"}',
    "a name twice": b'{"name": "a", "name": "b"}',
    "half a pair": b'{"name": "\\ud800"}',
    "no number": b'{"name": NaN}',
    "an endless number": b'{"name": ' + b"9" * 10_000 + b"}",
    "too deep": b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_body_that_cannot_be_read(body, ask, book):
    before = dump(book)
    error(ask("PUT", "/addresses/10.0.1.7", data=body, content_type="application/json"), 400, "bad_request")
    assert dump(book) == before


@pytest.mark.parametrize("body", [[], "x", 7, None, True])
def test_a_body_that_is_no_object(body, ask):
    answer = ask("PUT", "/addresses/10.0.1.7", data=json.dumps(body), content_type="application/json")
    error(answer, 422, "invalid_value")


def test_a_body_that_is_too_large(ask):
    body = b'{"name": "' + b"x" * LARGEST_BODY + b'"}'
    error(ask("PUT", "/addresses/10.0.1.7", data=body, content_type="application/json"), 413, "too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json2"])
def test_a_body_of_another_type(kind, ask):
    answer = ask("PUT", "/addresses/10.0.1.7", data=b'{"name": "x"}', content_type=kind)
    error(answer, 415, "unsupported_media_type")


def test_a_charset_is_no_other_type(ask):
    answer = ask("PUT", "/addresses/10.0.1.7", data=b"{}", content_type="application/json; charset=utf-8")
    assert answer.status_code == 201


def test_a_body_may_be_left_out_only_where_nothing_in_it_has_to_be_there(ask):
    assert ask("POST", "/subnets/10.0.1.0/24/next").status_code == 200
    error(ask("POST", "/holds"), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("PUT", "/addresses/10.0.1.7", {"nmae": "x"}, {"nmae"}),
        ("PUT", "/addresses/10.0.1.7", {"name": 7, "mac": "52:54"}, {"name", "mac"}),
        ("PUT", "/addresses/10.0.1.7", {"name": "a\nb"}, {"name"}),
        ("PUT", "/addresses/10.0.1.7", {"use": "upstream"}, {"use"}),
        ("GET", "/addresses?nmae=x", None, {"nmae"}),
        ("GET", "/addresses?limit=0", None, {"limit"}),
        ("GET", "/addresses?limit=1001", None, {"limit"}),
        ("GET", "/addresses?limit=-1", None, {"limit"}),
        ("GET", "/addresses?limit[]=1", None, {"limit"}),
        ("GET", "/subnets?dhcp=perhaps", None, {"dhcp"}),
        ("POST", "/subnets/10.0.1.0/24/next", {"minutes": True}, {"minutes"}),
        ("POST", "/subnets/10.0.1.0/24/next", {"minutes": "5"}, {"minutes"}),
        ("POST", "/subnets", {"dhcp": "yes"}, {"network", "dhcp"}),
        ("POST", "/subnets", {"network": "10.0.9.1/24"}, {"network"}),
        ("POST", "/subnets", {"network": "10.0.9.0/24", "dns": ["10.0.9.2", "x"]}, {"dns.1"}),
        ("PUT", "/guests/east/web1", {"node": "n", "at": "2026-01-31T09:30:00"}, {"at"}),
        ("PUT", "/guests/east/web1", {"node": "n", "addresses": [{"nic": "a"}]}, {"addresses.0.address"}),
        ("PUT", "/guests", {"cluster": "e", "node": "n", "guests": [{"name": "a/b"}]}, {"guests.0.name"}),
    ],
)
def test_values_that_do_not_fit_are_named(method, path, body, fields, ask, book):
    before = dump(book)
    assert set(error(ask(method, path, body), 422, "invalid_value")["fields"]) == fields
    assert dump(book) == before


@pytest.mark.parametrize(
    "path",
    [
        "/addresses/10.0.1",
        "/subnets/10.0.1.1/24",
        "/subnets/10.0.1.0/33",
        "/subnets/10.0.1.0/x",
        "/addresses?after=x",
        "/addresses?after=1:x",
        "/subnets?after=x",
        "/guests?after=x",
        "/events?after=x",
        "/events?group=Lab",
        "/addresses?a=%zz",
    ],
)
def test_paths_and_cursors_that_are_none(path, ask):
    error(ask("GET", path), 422, "invalid_value")


def test_a_path_that_leads_nowhere(ask, client):
    error(ask("GET", "/nothing"), 404, "not_found")
    error(client.get("/api/v1"), 404, "not_found")
    assert client.get("/api/v1x").text == "Requested url was not found"


def test_a_method_that_a_path_does_not_take(ask):
    answer = ask("PUT", "/groups")
    error(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_options_tells_the_methods(ask):
    answer = ask("OPTIONS", "/addresses/10.0.1.7")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PATCH, PUT, OPTIONS"


def test_head_is_get_without_a_body(ask):
    got, asked = ask("GET", "/subnets"), ask("HEAD", "/subnets")
    assert (asked.status_code, asked.data) == (200, b"")
    assert asked.headers["Content-Length"] == str(len(got.data))


def test_what_is_missing_is_named(ask):
    assert error(ask("GET", "/subnets/10.9.0.0/24"), 404, "not_found")["missing"] == "subnet"
    assert error(ask("GET", "/subnets?group=Nope"), 404, "not_found")["missing"] == "group"
    assert error(ask("GET", "/guests/east/nobody"), 404, "not_found")["missing"] == "guest"
    assert error(ask("GET", "/addresses/192.0.2.1"), 404, "not_found")["missing"] == "subnet"


def test_a_bad_token_is_told_in_the_same_shape(client):
    answer = client.get("/api/v1/groups", headers={"Authorization": "Bearer lh_" + "A" * 43})
    error(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_mistake_of_ours_is_told_in_the_same_shape(ask, lab, monkeypatch):
    monkeypatch.setattr(lab, "groups", lambda: 1 / 0)
    error(ask("GET", "/groups"), 500, "internal")


def test_a_server_that_does_not_answer(ask, lab, server):
    server.failure = Unavailable("The DHCP server does not answer")
    body = {"name": "web1", "mac": "52:54:00:00:00:01"}
    error(ask("PUT", "/addresses/10.0.1.7", body), 503, "unavailable")
    error(ask("GET", "/addresses/10.0.1.7"), 404, "not_found")
