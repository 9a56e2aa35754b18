"""``leasehold-hook check`` against a server that answers as ours, one that does not, and none."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hooks.main import main


class _Answering(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output stays readable."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    listening = HTTPServer(("127.0.0.1", 0), type("Handler", (_Answering,), {}))
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listening
    listening.shutdown()
    thread.join()
    listening.server_close()


def _url(server: HTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_names_the_version_of_the_service(server, capsys):
    server.RequestHandlerClass.body = json.dumps({"version": "1.2.3", "modules": {}}).encode()
    assert main(["check", "--url", _url(server)]) == 0
    assert capsys.readouterr().out == f"Leasehold 1.2.3 answers at {_url(server)}\n"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}"])
def test_an_answer_of_something_else_is_a_failure(server, capsys, body):
    server.RequestHandlerClass.body = body
    assert main(["check", "--url", _url(server)]) == 1
    assert "no Leasehold answers" in capsys.readouterr().err


def test_nobody_listening_is_a_failure(capsys):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        assert main(["check", "--url", url]) == 1
    assert url in capsys.readouterr().err


def test_the_url_comes_from_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("LEASEHOLD_URL", "ftp://example.com")
    assert main(["check"]) == 2
    assert "ftp://example.com" in capsys.readouterr().err
