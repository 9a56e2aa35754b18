"""The client that every IPAM over HTTP has: one session for each process, bounded, counted, and telling nothing."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from providers.errors import Refused
from providers.ipam.remote.client import Client, CutOff, NoAnswer, NotSent, Timeouts, printable
from providers.trace import Trace, begin, end


class _Handler(BaseHTTPRequestHandler):
    """Answers with the headers that came, slowly when asked to."""

    protocol_version = "HTTP/1.1"
    seen: list[dict[str, str]] = []  # noqa: RUF012 - emptied by the fixture
    ports: set[int] = set()  # noqa: RUF012
    closings = 0

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.ports.add(self.client_address[1])
        if _Handler.closings:
            _Handler.closings -= 1
            self.close_connection = True
            return
        if self.path == "/elsewhere":
            self.send_response(301)
            self.send_header("Location", "https://elsewhere.example.com/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/slow-head":
            for each in b"HTTP/1.1 200 OK\r\nX-Slow: yes\r\n":
                self.wfile.write(bytes([each]))
                time.sleep(0.5)
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """A server."""
    _Handler.seen, _Handler.ports, _Handler.closings = [], set(), 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """Its client."""
    made = Client(url, name="IPAM", timeouts=Timeouts(connect=60, read=60, call=60))
    yield made
    made.close()


def test_a_connection_is_used_again(client: Client):
    for _ in range(5):
        assert client.call("GET", "/").status_code == 200
    assert len(_Handler.ports) == 1


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_can_be_done_twice_is_sent_again_once(client: Client, method: str):
    client.call("GET", "/")
    _Handler.closings = 1
    assert client.call(method, "/").status_code == 200
    _Handler.closings = 2
    with pytest.raises(CutOff):
        client.call(method, "/")
    assert (len(_Handler.seen), client.calls[f"{method} failed"]) == (5, 1)


def test_a_post_is_sent_once(client: Client):
    _Handler.closings = 1
    with pytest.raises(CutOff):
        client.call("POST", "/")
    assert len(_Handler.seen) == 1


def test_calls_are_counted(client: Client):
    client.call("GET", "/")
    with pytest.raises(Refused):
        client.call("GET", "/elsewhere")
    assert client.calls == {"GET": 2, "GET failed": 1}


def test_the_request_that_it_is_for_is_passed_on(client: Client):
    trace = Trace("request-1", "session-1")
    begin(trace)
    try:
        client.call("GET", "/")
    finally:
        end(trace)
    client.call("GET", "/")
    assert [each.get("x-request-id") for each in _Handler.seen] == ["request-1", None]
    assert _Handler.seen[0]["x-session-id"] == "session-1"


def test_a_redirect_is_not_followed(client: Client):
    with pytest.raises(Refused, match=r"redirect to https://elsewhere\.example\.com/"):
        client.call("GET", "/elsewhere")


def test_headers_that_come_a_byte_at_a_time_end_in_time(url: str):
    """The server takes a quarter of a minute for them."""
    hasty = Client(url, name="IPAM", timeouts=Timeouts(connect=60, read=60, call=1))
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="within"):
        hasty.call("GET", "/slow-head")
    assert time.monotonic() - began < 10
    hasty.close()


def test_nobody_there_is_told_apart_from_no_answer(url: str):
    nobody = Client("http://127.0.0.1:1", name="IPAM", timeouts=Timeouts(60, 60, 60))
    with pytest.raises(NotSent, match=r"IPAM at http://127\.0\.0\.1:1 cannot be reached"):
        nobody.call("POST", "/")


def test_a_proxy_or_password_of_the_surroundings_is_not_used(
    client: Client, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    client.call("GET", "/")
    assert "authorization" not in _Handler.seen[0]


def test_a_forked_process_has_connections_of_its_own(client: Client):
    client.call("GET", "/")
    child = multiprocessing.get_context("fork").Process(target=client.call, args=("GET", "/"))
    child.start()
    child.join(60)
    client.call("GET", "/")
    assert (child.exitcode, len(_Handler.seen), len(_Handler.ports)) == (0, 3, 2)


@pytest.mark.parametrize(
    ("text", "shown"), [("a\nb", "a b"), ("x" * 300, "x" * 200 + "..."), ("", "")], ids=["lines", "long", "empty"]
)
def test_what_upstream_says_is_repeated_on_one_line_and_not_endlessly(text: str, shown: str):
    assert printable(text) == shown
