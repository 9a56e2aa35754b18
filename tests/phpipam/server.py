"""The double on a socket: HTTP/1.1 with connections that stay, a thread for each."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.phpipam.asked import Request
from tests.phpipam.errors import AnswerLost

Response = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was answered: ``kind`` is its method and what it is about, without names and numbers."""

    method: str
    app: str
    path: str
    kind: str
    status: int


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    answer: Callable[[Request], Response]
    tls: ssl.SSLContext | None = None

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer is one segment, and the client must not wait for it.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        if self.server.tls is not None:
            # Here and not where connections are accepted: a handshake that never ends must not keep others out.
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        if self.server.tls is not None:
            self.request.close()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        asked = Request(self.command, self.path, headers, body, self.client_address[0], tls=self.server.tls is not None)
        try:
            status, headers, body = self.server.answer(asked)
        except AnswerLost:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Nothing is logged."""


@contextmanager
def served(answer: Callable[[Request], Response], tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[str]:
    """An HTTP server on 127.0.0.1 for as long as the block lasts; the URL, without a slash at the end."""
    server = _Server(("127.0.0.1", port), _Handler)
    server.answer = answer
    server.tls = tls
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https://localhost' if tls else 'http://127.0.0.1'}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        # Connections that clients keep open would go on being answered.
        for connection in list(server.open):
            _close(connection)
        thread.join(5)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def wait(seconds: float) -> None:
    """What a slow server does."""
    if seconds:
        time.sleep(seconds)
