"""Answers on their way out: how long a thread waits for a client to take one, and how many threads do so at once."""

from __future__ import annotations

import socket
import ssl
import time
from threading import Lock
from typing import Any

PATIENCE = 10.0
"""How many seconds in all a client may let its answer wait."""
SLOWEST = 64 * 1024
"""For so many bytes sent, a client may let its answer wait one second more."""

_PIECE = 64 * 1024
_LOOK_UP = 0.05
"""In seconds; how soon a waiting thread notices that its place was given away."""
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class WaitingRoom:
    """The places for threads that wait for clients. When all are taken, whoever waited longest gives its place up."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._waiting: set[Outgoing] = set()
        self._lock = Lock()

    def enter(self, outgoing: Outgoing) -> None:
        """Take a place for ``outgoing``."""
        with self._lock:
            if len(self._waiting) >= self._places:
                longest = max(self._waiting, key=lambda each: each.waited)
                longest.given_up = True
                self._waiting.remove(longest)
            outgoing.given_up = False
            self._waiting.add(outgoing)

    def leave(self, outgoing: Outgoing) -> None:
        """Free the place of ``outgoing``, if it still has one."""
        with self._lock:
            self._waiting.discard(outgoing)


class Outgoing:
    """A socket for one answer; what does not concern sending is the socket's own. Seconds are monotonic."""

    def __init__(self, sock: socket.socket, room: WaitingRoom) -> None:
        self.given_up = False
        self.sock = sock
        self._room = room
        self._sent = 0
        self._waited = 0.0
        self._since: float | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.sock, name)

    @property
    def waited(self) -> float:
        """How many seconds the client has let this answer wait so far."""
        since = self._since
        return self._waited + (0.0 if since is None else time.monotonic() - since)

    def sendall(self, data: bytes) -> None:
        """Send ``data``. Raises TimeoutError when the client is too slow, or when others need the thread more."""
        rest = memoryview(data)
        while rest:
            piece = rest[:_PIECE]
            self.sock.setblocking(False)
            try:
                sent = self.sock.send(piece)
            except _WOULD_BLOCK:
                sent = self._wait_and_send(piece)
            self._sent += sent
            rest = rest[sent:]

    def _wait_and_send(self, piece: memoryview) -> int:
        self._room.enter(self)
        self._since = time.monotonic()
        try:
            while True:
                left = PATIENCE + self._sent / SLOWEST - self.waited
                if self.given_up or left <= 0:
                    raise TimeoutError
                self.sock.settimeout(min(left, _LOOK_UP))
                try:
                    return self.sock.send(piece)
                except TimeoutError:
                    continue
        finally:
            self._room.leave(self)
            self._waited, self._since = self.waited, None
