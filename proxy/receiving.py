"""A request on its way in, until all of it is there: what nginx calls request buffering.

No thread waits for a client that sends slowly; a request gets one when it is complete. Bytes go in, and what to do
comes out; sockets are the business of :mod:`proxy.connection`. The text of the request is not judged here beyond its
size and where it ends: that is for gunicorn's parser, which gets the same bytes.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

LARGEST_HEAD = 32 * 1024
"""Request line and headers together, in bytes."""
LONGEST_LINE = 8190
"""The request line, and every header, in bytes."""
MOST_HEADERS = 100

_END_OF_HEAD = b"\r\n\r\n"
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = rb'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e\x80-\xff])*"'
_CHUNK_SIZE = re.compile(
    rb"([0-9a-fA-F]{1,8})"
    rb"(?:[ \t]*;[ \t]*" + _TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?)*"
)
"""The size of a chunk and its extensions (RFC 9112, 7.1.1), as gunicorn reads them."""
_LENGTH = re.compile(rb"[0-9]{1,15}")
_LONGEST_CHUNK_LINE = 256


class State(Enum):
    """How far a request has come."""

    MORE = auto()
    """There is more to come."""
    COMPLETE = auto()
    """It can be handled, and the connection may go on after it."""
    LAST = auto()
    """It can be handled as far as it is there (the body is too large), and the connection has to end."""
    REFUSED = auto()
    """It must not be handled; ``refusal`` says why."""


class Refusal(NamedTuple):
    """A status and what it means here."""

    status: str
    text: str


TOO_SLOW = Refusal("408 Request Timeout", "The request did not arrive in time")
_LONG_TARGET = Refusal("414 URI Too Long", f"The request line is longer than {LONGEST_LINE} bytes")
_LONG_HEADER = Refusal("431 Request Header Fields Too Large", f"A header is longer than {LONGEST_LINE} bytes")
_MANY_HEADERS = Refusal("431 Request Header Fields Too Large", f"There are more than {MOST_HEADERS} headers")
_LARGE_HEAD = Refusal("431 Request Header Fields Too Large", f"The headers are longer than {LARGEST_HEAD} bytes")
_LARGE_BODY = Refusal("413 Content Too Large", "The body is too large")
_UNKNOWN_CODING = Refusal("501 Not Implemented", "Transfer-Encoding can be chunked and nothing else")
_UNCLEAR_LENGTH = Refusal("400 Bad Request", "The headers do not say clearly how long the body is")
_BROKEN_CHUNK = Refusal("400 Bad Request", "The chunks of the body cannot be read")


class Incoming:
    """One request. ``data`` is what has come so far, with the beginning of the next one behind it, if any."""

    def __init__(self, largest_body: int) -> None:
        self.data = bytearray()
        self.refusal: Refusal | None = None
        self.wants_continue = False
        """True once the head is there and the client waits for "100 Continue" before it sends the body."""
        self.state = State.MORE
        self._largest_body = largest_body
        self._searched = 0
        self._body: int | None = None
        self._length: int | None = None
        self._chunk = 0
        self._decoded = 0

    def feed(self, data: bytes) -> State:
        """Take in what has come; the state after it."""
        self.data += data
        if self.state is State.MORE and self._body is None:
            self._look_for_head()
        if self.state is State.MORE and self._body is not None:
            self._look_for_end(self._body)
        return self.state

    def _look_for_head(self) -> None:
        end = self.data.find(_END_OF_HEAD, self._searched)
        self._searched = max(0, len(self.data) - len(_END_OF_HEAD) + 1)
        head = self.data[: end if end >= 0 else LARGEST_HEAD + 1]
        line_end = head.find(b"\r\n", 1)
        if (line_end if line_end >= 0 else len(head)) > LONGEST_LINE:
            self._refuse(_LONG_TARGET)
        elif len(head) > LARGEST_HEAD:
            self._refuse(_LARGE_HEAD)
        elif end >= 0:
            self._read_head(bytes(head).split(b"\r\n")[1:])
            self._body = end + len(_END_OF_HEAD)

    def _read_head(self, lines: list[bytes]) -> None:
        if len(lines) > MOST_HEADERS:
            return self._refuse(_MANY_HEADERS)
        if any(len(line) > LONGEST_LINE for line in lines):
            return self._refuse(_LONG_HEADER)
        headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        lengths = [value for name, value in headers if name == b"content-length"]
        codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
        if len(codings) + len(lengths) > 1 or not all(_LENGTH.fullmatch(value) for value in lengths):
            return self._refuse(_UNCLEAR_LENGTH)
        if codings and codings != [b"chunked"]:
            return self._refuse(_UNKNOWN_CODING)
        if not codings:
            self._length = int(lengths[0]) if lengths else 0
            if self._length > self._largest_body:
                self.state = State.LAST
        self.wants_continue = self.state is State.MORE and (b"expect", b"100-continue") in (
            (name, value.lower()) for name, value in headers
        )
        return None

    def _look_for_end(self, body: int) -> None:
        if self._length is not None:
            if len(self.data) - body >= self._length:
                self.state = State.COMPLETE
            return
        if self._chunk == 0:
            self._chunk = body
        while self.state is State.MORE and self._next_chunk():
            pass
        if self.state is State.MORE and len(self.data) - body > 2 * self._largest_body:
            self._refuse(_LARGE_BODY)

    def _next_chunk(self) -> bool:
        """Step over one chunk; False when it is not there yet, or when it was the last."""
        end = self.data.find(b"\r\n", self._chunk)
        if end < 0:
            if len(self.data) - self._chunk > _LONGEST_CHUNK_LINE:
                self._refuse(_BROKEN_CHUNK)
            return False
        match = _CHUNK_SIZE.fullmatch(self.data, self._chunk, end) if end - self._chunk <= _LONGEST_CHUNK_LINE else None
        if match is None:
            self._refuse(_BROKEN_CHUNK)
            return False
        size = int(match[1], 16)
        if size == 0:
            # Trailers, if any, end with an empty line, as the head does.
            if self.data.find(_END_OF_HEAD, end) >= 0:
                self.state = State.COMPLETE
            return False
        following = end + 2 + size + 2
        there = min(len(self.data) - end - 2, size)
        if self._decoded + there > self._largest_body:
            self.state = State.LAST
            return False
        if len(self.data) < following:
            return False
        if not self.data.startswith(b"\r\n", following - 2):
            self._refuse(_BROKEN_CHUNK)
            return False
        self._decoded += size
        self._chunk = following
        return True

    def _refuse(self, refusal: Refusal) -> None:
        self.refusal = refusal
        self.state = State.REFUSED
