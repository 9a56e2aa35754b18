"""A bad line: stands in front of an HTTP server and breaks chosen calls."""

from __future__ import annotations

import enum
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.phpipam.double import kind_of

_PATIENCE = 60
_OF_ONE_CONNECTION = {"connection", "keep-alive", "content-length", "transfer-encoding"}
"""Headers that are not passed on: the body is, as a whole."""


class Fault(enum.Enum):
    """What happens to a call. Those marked * are done by the server behind, and only the answer suffers."""

    REFUSE = "nobody listens"
    HANG = "read, and never answered"
    CLOSED = "read, and the connection closed without an answer"
    ERROR_500 = "500 with an empty body"
    HTML_502 = "502 with a page in HTML"
    WRONG_JSON = "200 with JSON that is of something else"
    REDIRECT = "302 to a log-in page"
    RESET = "* reset in the middle of the answer"
    DRIP = "* the answer comes a byte at a time"
    TRUNCATED_JSON = "* the JSON ends in the middle, the length says so"
    SHORT_BODY = "* the length promises more than comes"
    LOST_ANSWER = "* the connection is closed in place of an answer"
    SLOW_ANSWER = "* the answer comes after the delay"


_INSTEAD = {
    Fault.ERROR_500: (500, {"Content-Type": "text/html; charset=UTF-8"}, b""),
    Fault.HTML_502: (502, {"Content-Type": "text/html"}, b"<html><head><title>502 Bad Gateway</title></head></html>\n"),
    Fault.WRONG_JSON: (200, {"Content-Type": "application/json"}, b'["somebody", "else", 42]'),
    Fault.REDIRECT: (302, {"Location": "/login/", "Content-Type": "text/html"}, b""),
}


@dataclass
class _Turn:
    fault: Fault
    only: str | None
    left: int


class FaultProxy:
    """``with FaultProxy(url) as front:`` listens at ``front.url`` and passes on what no fault is due for.

    ``calls`` keeps (fault or None, kind of call) in order; ``delay`` and ``drip`` are seconds, ``wrong`` is what
    WRONG_JSON says. ``meanwhile`` maps a kind of call to what runs once before the next of that kind; ``adds`` are
    headers that it adds to every call, as a proxy that speaks TLS does.
    """

    def __init__(self, behind: str) -> None:
        parts = urlsplit(behind)
        self._behind = (parts.hostname or "", parts.port or 80)
        self._turns: list[_Turn] = []
        self._always: _Turn | None = None
        self._hand = threading.Lock()
        self._over = threading.Event()
        self._server: _Server | None = None
        self._port = 0
        self.calls: list[tuple[Fault | None, str]] = []
        self.meanwhile: dict[str, Callable[[], object]] = {}
        self.adds: dict[str, str] = {}
        self.delay = 0.5
        self.drip = 0.2
        self.wrong: bytes = _INSTEAD[Fault.WRONG_JSON][2]

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def next(self, fault: Fault, times: int = 1, only: str | None = None) -> None:
        """Break the next calls, or the next of one kind (``"POST addresses"``)."""
        if fault is Fault.REFUSE:
            raise ValueError("A port that nobody listens on refuses everything: use always()")
        with self._hand:
            self._turns.append(_Turn(fault, only, times))

    def always(self, fault: Fault, only: str | None = None) -> None:
        """Break all calls, or all of one kind, until ``heal``."""
        if fault is Fault.REFUSE:
            self._stop()
            return
        with self._hand:
            self._always = _Turn(fault, only, 1)

    def heal(self) -> None:
        """From now on everything passes; what hangs is let go of."""
        with self._hand:
            self._turns.clear()
            self._always = None
            self._over.set()
            self._over = threading.Event()
        if self._server is None:
            self._start()

    def broken(self) -> int:
        """How many calls met a fault."""
        return sum(fault is not None for fault, _ in self.calls)

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        self._stop()

    def due(self, method: str, target: str) -> tuple[Fault | None, threading.Event]:
        """The fault of a call that arrives now, and when it is over."""
        kind = kind_of(method, target)
        happens = self.meanwhile.pop(kind, None)
        if happens is not None:
            happens()
        with self._hand:
            turns = [*self._turns, *([self._always] if self._always else [])]
            turn = next((turn for turn in turns if turn.only in {None, kind}), None)
            if turn is not None and turn is not self._always:
                turn.left -= 1
                if not turn.left:
                    self._turns.remove(turn)
            fault = None if turn is None else turn.fault
            self.calls.append((fault, kind))
            return fault, self._over

    def pass_on(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> _Answer:
        """Ask the server behind."""
        connection = http.client.HTTPConnection(*self._behind, timeout=_PATIENCE)
        try:
            sent = {name: value for name, value in headers if name.lower() not in _OF_ONE_CONNECTION}
            connection.request(method, target, body or None, sent | self.adds)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_ONE_CONNECTION}
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def _start(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.front = self
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            for connection in list(server.open):
                _reset(connection)


_Answer = tuple[int, dict[str, str], bytes]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    front: FaultProxy

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections break here on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _meet(self) -> None:
        front = self.server.front
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault, over = front.due(self.command, self.path)
        if fault is Fault.WRONG_JSON:
            self._say(200, _INSTEAD[fault][1], front.wrong)
        elif fault in _INSTEAD:
            self._say(*_INSTEAD[fault])
        elif fault in {Fault.HANG, Fault.CLOSED}:
            if fault is Fault.HANG:
                over.wait(_PATIENCE)
            self.close_connection = True
        else:
            self._after(fault, over, front.pass_on(self.command, self.path, self.headers.items(), body))

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _meet  # noqa: N815

    def _after(self, fault: Fault | None, over: threading.Event, answer: _Answer) -> None:
        """Give the answer of the server behind, or what is left of it."""
        front = self.server.front
        status, headers, body = answer
        if fault is Fault.SLOW_ANSWER:
            over.wait(front.delay)
        if fault is Fault.LOST_ANSWER:
            self.close_connection = True
        elif fault is Fault.TRUNCATED_JSON:
            self._say(status, headers, body[: len(body) // 2])
        elif fault in {Fault.SHORT_BODY, Fault.RESET}:
            self._say(status, headers, body[: len(body) // 2], length=len(body))
            self.close_connection = True
            if fault is Fault.RESET:
                _reset(self.connection)
        elif fault is Fault.DRIP:
            self._say(status, headers, b"", length=len(body))
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                if over.wait(front.drip):
                    break
            self.close_connection = True
        else:
            self._say(status, headers, body)

    def _say(self, status: int, headers: dict[str, str], body: bytes, length: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Nothing is logged."""


def _reset(connection: socket.socket) -> None:
    """Close it so that the other side hears a reset."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A file made of it keeps it open after close().
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        return
