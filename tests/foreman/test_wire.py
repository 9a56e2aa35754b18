"""The stand-in says what Foreman's own client said when it was recorded, octet for octet.

``client-wire.txt`` holds the requests of Foreman 3.13-develop (eb66c09e) with rest-client 2.1.0, as they arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from flask import Flask

from tests.foreman.client import DHCP, IPAM, NOT_FOUND, Record, Root
from tests.foreman.wire import Answer, ProxyError, Wire

RECORDED = Path(__file__).parent / "client-wire.txt"

MACS = [f"52:54:00:00:00:0{number}" for number in (1, 2, 3)]


def posted(**more: Any) -> Callable[[Wire], object]:
    def ask(wire: Wire) -> object:
        return Record("h", "h", "192.168.10.9", MACS[0], "192.168.10.0", **more).create(DHCP(wire))

    return ask


REQUESTS: tuple[Callable[[Wire], object], ...] = (
    lambda wire: DHCP(wire).subnets(),
    posted(),
    posted(next_server="1.2.3.4", filename="a/b.0", related_macs=MACS[1:]),
    posted(vendor={"ztp_firmware": {"core": "a", "web": "b"}, "ztp_vendor": "huawei"}),
    posted(vendor={"<Sun-Fire-V210>root_path_name": "/a b"}),
    lambda wire: DHCP(wire).unused_ip("192.168.10.0", MACS[0], "192.168.10.5", "192.168.10.9"),
    lambda wire: DHCP(wire).unused_ip("192.168.10.0"),
    lambda wire: DHCP(wire).delete("192.168.10.0", MACS[0]),
    lambda wire: IPAM(wire).next_ip("2001:db8::/64", None, "Lab two"),
    lambda wire: IPAM(wire).next_ip("10.0.0.0/24", MACS[0], None),
    lambda wire: IPAM(wire).add_ip("10.0.0.5", "10.0.0.0/24", "Lab two & co"),
    lambda wire: IPAM(wire).delete_ip("10.0.0.5", "10.0.0.0/24"),
    lambda wire: IPAM(wire).group("R&D / B"),
    lambda wire: IPAM(wire).subnet("10.0.0.0/24"),
    lambda wire: IPAM(wire).ip_exists("10.0.0.5", "10.0.0.0/24", "a b"),
    lambda wire: Root(wire).features(),
)


def recorded() -> list[str]:
    """Every recorded request without the headers that a connection adds."""
    requests = RECORDED.read_text().split("\n----\n")
    return [
        "\n".join(line for line in request.splitlines() if not line.startswith("Host: "))
        for request in requests
        if request.strip()
    ]


def ids() -> list[str]:
    return [request.partition("\n")[0] for request in recorded()]


class HeardError(Exception):
    """Raised instead of an answer, with the request."""


@pytest.mark.parametrize(("ask", "expected"), list(zip(REQUESTS, recorded(), strict=True)), ids=ids())
def test_request_is_as_recorded(ask, expected):
    def hear(environ: dict[str, Any], start: object) -> NoReturn:
        raise HeardError(raw(environ))

    app = Flask("heard")
    app.wsgi_app = hear  # type: ignore[method-assign,assignment]
    lines = dict(line.split(": ", 1) for line in expected.splitlines()[1:] if ": " in line)
    with pytest.raises(HeardError) as heard:
        ask(Wire(app, request_id=lines["X-Request-Id"], session_id=lines["X-Session-Id"]))
    assert str(heard.value) == expected.rstrip("\n")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (Answer(200, '{"ip":"10.0.0.1"}'), {"ip": "10.0.0.1"}),
        (Answer(200, ""), True),
        (Answer(201, ""), True),
        (Answer(204, ""), True),
        (Answer(200, "not JSON"), False),
        (Answer(200, "false"), False),
    ],
)
def test_answer_that_foreman_takes(answer, value):
    assert answer.parsed() == value


@pytest.mark.parametrize("status", [301, 400, 404, 409, 500, 503])
def test_answer_that_is_an_error(status):
    with pytest.raises(ProxyError):
        Answer(status, "{}").parsed()


@pytest.mark.parametrize(
    "ask", [lambda dhcp: dhcp.record("10.0.0.0", "x"), lambda dhcp: dhcp.records_by_ip("10.0.0.0", "x")]
)
def test_only_a_record_that_is_not_found_is_no_error(ask):
    app = Flask("nothing")
    assert ask(DHCP(Wire(app))) is None
    with pytest.raises(ProxyError) as error:
        DHCP(Wire(app)).subnets()
    assert error.value.status == NOT_FOUND


def raw(environ: dict[str, Any]) -> str:
    """The request as it was recorded, from what a WSGI server makes of it."""
    form = [
        f"{name}: {environ[key]}"
        for name, key in (("Content-Length", "CONTENT_LENGTH"), ("Content-Type", "CONTENT_TYPE"))
        if environ["REQUEST_METHOD"] == "POST"
    ]
    headers = [
        f"{name}: {environ['HTTP_' + name.upper().replace('-', '_')]}"
        for name in ("Accept", "User-Agent", "X-Request-Id", "X-Session-Id")
    ]
    last = f"Accept-Encoding: {environ['HTTP_ACCEPT_ENCODING']}"
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length).decode()
    first = f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}"
    return "\n".join([first, *headers, *form, last, *([body] if body else [])])
