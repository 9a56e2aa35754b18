import logging
import re
from io import BytesIO

import pytest

from providers.errors import Misconfigured, Unavailable
from proxy.access import Policy, access
from proxy.api.form import LARGEST_BODY
from proxy.app import create_app
from proxy.settings import load

NOT_FOUND = "Requested url was not found"


@pytest.fixture
def app(address_book, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return create_app(address_book, load(environ={}))


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.mark.parametrize("path", ["/features", "/dhcp", "/dhcp/", "/ipam/groups", "/nope", "/dhcp/foo"])
def test_every_answer_is_marked(client, path):
    answer = client.get(path, headers={"X-Request-Id": "r-1"})
    assert answer.content_type == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"] == "r-1"


def test_a_request_without_an_id_gets_one(client):
    assert re.fullmatch("[0-9a-f]{32}", client.get("/features").headers["X-Request-Id"])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nope",
        "/features/",
        "/Features",
        "/features.json",
        "/v2",
        "/v2/features/",
        "/version/",
        "/dhcp/192.168.10.0/",
        "/dhcp/192.168.10.0/unused_ip/",
        "/ipam",
        "/ipam/",
        "/ipam/groups/",
        "/logs/x",
        "/static/x",
    ],
)
def test_any_other_path_is_not_found(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (404, NOT_FOUND)


@pytest.mark.parametrize("path", ["/features", "/dhcp", "/dhcp/192.168.10.0", "/ipam/groups", "/nope"])
@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH", "TRACE"])
def test_a_wrong_method_is_a_wrong_path(client, method, path):
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.text) == (404, NOT_FOUND)
    assert "Allow" not in answer.headers


@pytest.mark.parametrize("path", ["/features", "/version", "/dhcp", "/ipam/groups", "/nope"])
def test_head_is_get_without_a_body(client, path):
    answer, full = client.head(path), client.get(path)
    assert (answer.status_code, answer.content_length) == (full.status_code, full.content_length)
    assert answer.data == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/dhcp/192.168.10.0", "/ipam/subnet/10.0.1.0/24/10.0.1.5", "/nope"])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json"])
def test_a_body_that_is_too_large(client, method, path, content_type):
    answer = client.open(path, method=method, data=b"x" * (LARGEST_BODY + 1), content_type=content_type)
    assert answer.status_code == 413
    assert answer.content_type == "application/json"


def test_a_body_that_does_not_say_how_large_it_is(client):
    chunked = {
        "wsgi.input": BytesIO(b"x" * (LARGEST_BODY + 1)),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    answer = client.post(
        "/dhcp/192.168.10.0", content_type="application/x-www-form-urlencoded", environ_overrides=chunked
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("module", "path"), [("dhcp", "/dhcp"), ("dhcp", "/dhcp/foo"), ("externalipam", "/ipam/groups")]
)
def test_a_module_for_another_listener_has_no_paths(address_book, tmp_path, monkeypatch, module, path):
    monkeypatch.chdir(tmp_path)
    client = create_app(address_book, load(environ={}, **{module: {"enabled": "http"}})).test_client()
    assert client.get(path).text != NOT_FOUND
    answer = client.get(path, base_url="https://localhost")
    assert (answer.status_code, answer.text) == (404, NOT_FOUND)
    assert client.get("/features", base_url="https://localhost").status_code == 200


@pytest.mark.parametrize("error", [Unavailable("The book is away"), Misconfigured("The book is too new")])
def test_what_cannot_be_done_now(app, error, caplog):
    _add_failing(app, error)
    answer = app.test_client().get("/failing", headers={"X-Request-Id": "r-1"})
    assert (answer.status_code, answer.text) == (503, str(error))
    assert f"[r-1] GET /failing: 503 {error}" in caplog.text


def test_a_mistake_of_ours_tells_the_caller_nothing(app):
    _add_failing(app, RuntimeError("secret"))
    answer = app.test_client().get("/failing", headers={"X-Request-Id": "r-1"})
    assert answer.status_code == 500
    assert answer.content_type == "application/json"
    assert answer.headers["X-Request-Id"] == "r-1"
    assert "r-1" in answer.text
    assert "secret" not in answer.text


def test_a_mistake_of_ours_is_one_line_in_the_log(app, caplog):
    _add_failing(app, RuntimeError("two\nlines"))
    with caplog.at_level(logging.INFO):
        app.test_client().get("/failing?x=y", headers={"X-Request-Id": "r-1"})
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(lines) == 1
    assert re.fullmatch(r"\[r-1\] GET /failing: RuntimeError: two lines \(test_app.py:\d+\)", lines[0])


def test_a_path_cannot_write_lines_into_the_log(client, caplog):
    with caplog.at_level(logging.INFO):
        client.get("/dhcp/10.9.9.9%0Aforged")
    assert all("\n" not in record.getMessage() for record in caplog.records)


def _add_failing(app, error):
    @access(Policy.OPEN)
    def failing():
        raise error

    app.add_url_rule("/failing", view_func=failing)
