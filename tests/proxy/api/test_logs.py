"""The Logs face: as recorded, in its own right, and without secrets or forged lines wherever they come from."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from gunicorn.config import Config
from gunicorn.glogging import Logger
from werkzeug.test import EnvironBuilder

from providers.trace import current_trace, end
from proxy.logs.configuration import for_gunicorn, start_log
from proxy.logs.destinations import Destination, SystemLog
from tests.proxy.api.seeds import RECORDED
from tests.proxy.api.test_recorded import ask, same

log = logging.getLogger("proxy.somewhere")


def leave_request() -> None:
    """The test client does not close its answers."""
    if trace := current_trace():
        end(trace)


@pytest.fixture(autouse=True)
def no_log_left_behind() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    leave_request()
    yield
    root.setLevel(before)
    for handler in root.handlers[:]:
        if isinstance(handler, Destination):
            root.removeHandler(handler)
            handler.close()
    leave_request()


@pytest.fixture
def logging_app(started: Callable[..., Flask], configured: Callable[..., Any]) -> Callable[..., Flask]:
    """An application with the given settings, and the log that they ask for."""

    def logging_app(**keys: Any) -> Flask:
        start_log(configured(**keys))
        return started(**keys)

    return logging_app


@pytest.fixture
def logged(logging_app: Callable[..., Flask]) -> FlaskClient:
    """A client of an application that logs."""
    return logging_app().test_client()


def recorded() -> list[Any]:
    (sequence,) = json.loads((RECORDED / "logs.json").read_text())
    return [pytest.param(exchange, id=exchange["id"]) for exchange in sequence["exchanges"]]


@pytest.mark.parametrize("exchange", recorded())
def test_answers_as_recorded(logging_app, exchange):
    app = logging_app()
    log.warning("no request")
    app.test_client().get("/dhcp/10.9.9.0", headers={"X-Request-Id": "b81716a8"})
    answer, expected = ask(app, exchange), exchange["answer"]
    assert (answer.status_code, answer.content_type) == (expected["status"], expected["content_type"])
    if not expected["body"].startswith("{"):
        assert answer.text == expected["body"]
        return
    then, now = json.loads(expected["body"]), json.loads(answer.text)
    assert list(now) == list(then)
    assert list(now["info"]) == list(then["info"])
    assert now["info"] == then["info"]
    assert bool(now["logs"]) == bool(then["logs"])
    forms = {tuple(line): line for line in then["logs"]}
    for line in now["logs"]:
        same(forms[tuple(line)], line, values=False)
    assert {tuple(line) for line in now["logs"]} == forms.keys()


class TestLines:
    def test_an_error_has_a_backtrace(self, logging_app):
        app = logging_app()

        @app.get("/failing")
        def failing():
            raise RuntimeError("two\nlines")

        from proxy.access import Policy, access

        access(Policy.OPEN)(app.view_functions["failing"])
        client = app.test_client()
        client.get("/failing", headers={"X-Request-Id": "r-1"})
        (line,) = [line for line in client.get("/logs").json["logs"] if line["level"] == "ERROR"]
        assert list(line) == ["timestamp", "level", "message", "backtrace", "request_id"]
        assert re.fullmatch(r"\[r-1\] GET /failing: RuntimeError: two lines \(test_logs.py:\d+\)", line["message"])
        assert line["backtrace"].startswith("RuntimeError: two lines\n")
        assert ":in failing\n" in line["backtrace"]
        assert line["request_id"] == "r-1"

    @pytest.mark.parametrize(
        ("since", "seen"),
        [
            ("2000.5", ["b", "c"]),
            ("2000.6", ["c"]),
            ("2e3", ["b", "c"]),
            ("3000.0", ["c"]),
            ("3000.1xyz", []),
            ("  2500", ["c"]),
            ("-1", ["a", "b", "c"]),
            ("", ["a", "b", "c"]),
            ("abc", ["a", "b", "c"]),
            ("nan", ["a", "b", "c"]),
            ("inf", ["a", "b", "c"]),
            ("٣٠٠٠", ["a", "b", "c"]),
            ("9" * 400, []),
        ],
    )
    def test_only_lines_since_that_moment_are_shown(self, logged, since, seen):
        for message, created in (("a", 1000.0), ("b", 2000.5), ("c", 3000.0)):
            record = log.makeRecord(log.name, logging.INFO, "x.py", 1, message, (), None)
            record.created = created
            log.handle(record)
        answer = logged.get("/logs", query_string={"from_timestamp": since})
        assert [line["message"] for line in answer.json["logs"] if line["message"] in "abc"] == seen

    @pytest.mark.parametrize("query", ["from_timestamp", "from_timestamp[]=5", "from_timestamp[x]=5", "x=%20"])
    def test_what_is_no_number_counts_as_zero(self, logged, query):
        log.info("a")
        assert [line["message"] for line in logged.get("/logs", query_string=query).json["logs"]] == ["a"]

    def test_a_query_that_cannot_be_read(self, logged):
        assert logged.get("/logs", query_string="from_timestamp=%zz").status_code == 400

    def test_the_sizes_are_those_of_the_settings(self, logging_app):
        client = logging_app(log_buffer=4, log_buffer_errors=2).test_client()
        for number in range(9):
            log.log(logging.ERROR if number < 3 else logging.INFO, "%d", number)
        answer = client.get("/logs").json
        assert (answer["info"]["size"], answer["info"]["tail_size"]) == (4, 2)
        assert [line["message"] for line in answer["logs"]] == ["1", "2", "5", "6", "7", "8"]

    def test_without_a_log_there_are_no_lines(self, client):
        assert client.get("/logs").json["logs"] == []

    def test_a_token_that_is_limited_does_not_see_what_others_do(self):
        from proxy.access.policy import Policy, declared
        from proxy.api.logs import lines

        declaration = declared(lines)
        assert declaration is not None
        assert (declaration.policy, declaration.keeps_limits) == (Policy.READ, False)


class TestSession:
    def test_it_is_part_of_the_event(self, logged, address_book, caller):
        from providers.addresses import parse_network
        from providers.model import SubnetSpec

        address_book.add_subnet(SubnetSpec(network=parse_network("10.0.1.0/24"), group="Lab"), caller)
        headers = {"X-Request-Id": "r-1", "X-Session-Id": "s-1"}
        assert logged.get("/dhcp/10.0.1.0/unused_ip", headers=headers).status_code == 200
        (event,) = address_book.events(limit=1)
        assert (event.request_id, event.detail["session"]) == ("r-1", "s-1")

    def test_an_event_without_one_does_not_name_it(self, address_book, caller):
        address_book.add_group("Lab", "", caller)
        (event,) = address_book.events(limit=1)
        assert "session" not in event.detail


SECRET = "c0ffee-C0FFEE"
TOKEN = "lh_Zm9vYmFyYmF6cXV4LXRoaXMtaXMtbm90LWEtdG9rZW4"
BASIC = "dXNlcjpjMGZmZWUtQzBGRkVF"
HIDDEN = (SECRET, TOKEN[3:], BASIC)
FORGED = "2026-01-02T03:04:05 abcdefgh [I] forged"

REQUESTS: list[dict[str, Any]] = [
    {"path": "/dhcp", "headers": {"Authorization": f"Bearer {TOKEN}"}},
    {"path": "/dhcp", "headers": {"Authorization": f"Basic {BASIC}"}},
    {"path": "/dhcp", "headers": {"Authorization": f"Bearer {TOKEN} {SECRET}"}},
    {
        "path": "/dhcp",
        "headers": {"Cookie": f"session={SECRET}", "X-Api-Key": SECRET, "Referer": f"http://u:{SECRET}@h"},
    },
    {"path": "/dhcp", "headers": {"X-Request-Id": TOKEN, "X-Session-Id": TOKEN}},
    {"path": f"/dhcp/{TOKEN}"},
    {"path": f"/ipam/groups/{TOKEN}"},
    {"path": f"/ipam/groups/password={SECRET}"},
    {"path": f"/{TOKEN}/x"},
    {"path": "/dhcp/10.0.1.0/unused_ip", "query_string": f"mac={TOKEN}&password={SECRET}"},
    {"path": "/dhcp/10.0.1.0/unused_ip", "query_string": f"from=token={SECRET}"},
    {"path": "/logs", "query_string": f"from_timestamp={TOKEN}&token={SECRET}"},
    {"path": "/ipam/groups", "query_string": f"group=http://u:{SECRET}@h/"},
    {"path": "/dhcp/10.0.1.0", "method": "POST", "data": {"mac": TOKEN, "ip": TOKEN, "name": TOKEN}},
    {"path": "/dhcp/10.0.1.0", "method": "POST", "data": {"password": SECRET, "mac": f"Bearer {SECRET}", "name": "x"}},
    {"path": "/dhcp/10.9.9.9\n" + FORGED},
    {"path": "/ipam/groups/x\r\n" + FORGED},
    {"path": "/dhcp", "query_string": "x=\n" + FORGED},
    {"path": "/dhcp/10.0.1.0", "method": "POST", "data": {"mac": f"x\n{FORGED}", "name": f"x\u2028{FORGED}"}},
    {"path": "/dhcp", "headers": {"X-Request-Id": "x\x85" + FORGED, "X-Session-Id": "y\x0b" + FORGED}},
]


@pytest.fixture
def system_log(tmp_path, monkeypatch):
    path = str(tmp_path / "log")
    monkeypatch.setattr(SystemLog.__init__, "__defaults__", ((path,),))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        yield listener


class TestWhatComesFromOutside:
    """Everything is sent everywhere, and everything that is written anywhere is searched."""

    @pytest.mark.parametrize("log_format", ["text", "json"])
    @pytest.mark.parametrize("log_level", ["DEBUG", "INFO"])
    def test_in_a_file_and_on_the_page(self, logging_app, tmp_path, log_format, log_level):
        keys = {"log_format": log_format, "log_level": log_level}
        app = logging_app(log_file="leasehold.log", **keys)
        send_everything(app, keys)
        self.assert_clean((tmp_path / "leasehold.log").read_text(), pattern=log_format == "text")
        self.assert_clean(app.test_client().get("/logs").text.replace("\\n", " "), pattern=False)

    def test_on_the_standard_output(self, logging_app, capsys):
        send_everything(logging_app(log_level="DEBUG"), {"log_level": "DEBUG"})
        out, err = capsys.readouterr()
        self.assert_clean(out, pattern=True)
        assert err == ""

    @pytest.mark.parametrize("part", range(len(REQUESTS)))
    def test_in_the_system_log(self, logging_app, system_log, part):
        send_everything(logging_app(log_file="SYSLOG"), {}, REQUESTS[part : part + 1])
        system_log.setblocking(False)
        received = []
        while True:
            try:
                received.append(system_log.recv(65536).decode())
            except BlockingIOError:
                break
        assert received
        self.assert_clean("\n".join(text.rstrip("\0") for text in received), pattern=False)
        assert all(re.match(r"<\d+>leasehold\[\d+\]: ", text) for text in received)

    def assert_clean(self, text: str, *, pattern: bool) -> None:
        assert text
        assert not [secret for secret in HIDDEN if secret in text]
        for line in text.rstrip("\n").split("\n"):
            assert line.isprintable()
            if pattern:
                assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d [0-9A-Za-z._:/@=+-]{0,8} \[[DIWEF]\] ", line)
                assert not line.startswith(FORGED)


def send_everything(app: Flask, keys: dict[str, Any], requests: list[dict[str, Any]] = REQUESTS) -> None:
    """Send the requests, with gunicorn's access line for each; then raise what a bug of ours might."""
    config = Config()
    for key, value in for_gunicorn(app.extensions["leasehold"].settings).items():
        config.set(key, value)
    access_line = "authorization: %({authorization}i)s referer: %(f)s x-api-key: %({x-api-key}i)s cookie: %({cookie}i)s"
    config.set("access_log_format", f'%(h)s "%(r)s" %(s)s {access_line}')
    server = Logger(config)
    for sent in requests:
        answer = app.test_client().open(**sent)
        builder = EnvironBuilder(**sent)
        environ = builder.get_environ()
        environ["RAW_URI"] = f"{sent['path']}?{sent.get('query_string', '')}"
        answer.sent = 0
        server.access(answer, builder.headers, environ, timedelta(milliseconds=1))
    for told in (f"Authorization: Bearer {TOKEN}", f"password={SECRET}\n{FORGED}", f"lost http://u:{SECRET}@h/x"):
        try:
            fail(told)
        except RuntimeError:
            log.exception("It failed: %s", told)


def fail(text: str) -> NoReturn:
    raise RuntimeError(text)
