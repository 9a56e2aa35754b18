"""One connection of a client: the TLS handshake, and requests as they come in, without ever waiting for the client."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from enum import Enum, auto
from types import SimpleNamespace
from typing import Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import TConn

from proxy.api.form import LARGEST_BODY
from proxy.receiving import Incoming, Refusal, State
from proxy.sending import Outgoing, WaitingRoom

_READ_AT_ONCE = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Step(Enum):
    """What a connection waits for."""

    READ = auto()
    """That more comes from the client."""
    WRITE = auto()
    """That the client takes what the handshake has to send."""
    REQUEST = auto()
    """Nothing: a request is there."""
    REFUSAL = auto()
    """Nothing: what came is to be refused."""
    GONE = auto()
    """Nothing: the client has gone."""


class Connection(TConn):  # type: ignore[misc] # gunicorn has no type hints
    """A connection as gunicorn's threads know it, which hands them requests that are there as a whole.

    With a ``context`` it speaks TLS. ``deadline`` is when its present state has to end, on the monotonic clock.
    Raises OSError when the client has gone already.
    """

    def __init__(
        self,
        cfg: object,
        sock: socket.socket,
        client: tuple[Any, ...],
        server: tuple[Any, ...],
        context: ssl.SSLContext | None,
    ) -> None:
        super().__init__(cfg, sock, client, server)
        self.secure = context is not None
        self.deadline = 0.0
        self.incoming = Incoming(LARGEST_BODY)
        self.last = False
        self.told_to_continue = False
        self.data_ready = True
        self._tls: ssl.SSLSocket | None = None
        if context is not None:
            self.sock = self._tls = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._shaking_hands = self.secure

    @property
    def address(self) -> str:
        """The address of the client, for the log."""
        return str(self.client[0])

    @property
    def idle(self) -> bool:
        """Whether no part of a request has come."""
        return not self.incoming.data

    def advance(self) -> Step:
        """Take what the client has sent, without waiting. Raises ssl.SSLError when the handshake fails."""
        try:
            if self._tls and self._shaking_hands:
                self._tls.do_handshake()
                self._shaking_hands = False
            while self.incoming.state is State.MORE:
                data = self.sock.recv(_READ_AT_ONCE)
                if not data:
                    return Step.GONE
                self.feed(data)
        except ssl.SSLWantWriteError:
            return Step.WRITE
        except (ssl.SSLWantReadError, BlockingIOError):
            return Step.READ
        return Step.REFUSAL if self.incoming.state is State.REFUSED else Step.REQUEST

    def feed(self, data: bytes) -> None:
        """Take in what was read already. An interim answer goes out when the client waits for one."""
        self.incoming.feed(data)
        if self.incoming.wants_continue and self.incoming.state is State.MORE and not self.told_to_continue:
            self.told_to_continue = True
            with suppress(OSError):
                self.sock.send(_CONTINUE)

    def init(self) -> None:
        """Give the parser the request that is there. Called by the thread that handles it."""
        if not self.initialized:
            # Without the socket: a thread must not wait for more, whatever the parser makes of what is there.
            self.parser = get_parser(self.cfg, iter(()), self.client)
        super().init()
        received, self.incoming = self.incoming, Incoming(LARGEST_BODY)
        self.last = received.state is State.LAST
        self.parser.unreader.unread(bytes(received.data))

    def answering(self, room: WaitingRoom) -> SimpleNamespace:
        """What gunicorn needs of this connection to answer one request, without waiting for the client for ever."""
        return SimpleNamespace(sock=Outgoing(self.sock, room), client=self.client, server=self.server)

    def take_back(self) -> bool:
        """Take what came behind a request back from the parser; False when nothing did."""
        self.sock.setblocking(False)
        self.told_to_continue = False
        rest = self.parser.unreader.take_buffered()
        if rest:
            self.feed(rest)
        # What OpenSSL has decrypted already does not make the socket readable.
        return bool(rest) or (self._tls is not None and self._tls.pending() > 0)

    def refuse(self, refusal: Refusal) -> None:
        """Answer for the application, if the client takes it at once."""
        if self._shaking_hands:
            return
        text = refusal.text.encode()
        head = (
            f"HTTP/1.1 {refusal.status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(text)}\r\n\r\n"
        )
        with suppress(OSError):
            self.sock.send(head.encode() + text)

    def part(self) -> bool:
        """Tell the client that nothing more comes; False when it has gone.

        The connection has to be kept until the client closes it: closed at once, with something unread in it, it is
        reset, and the client may lose the end of the answer (RFC 9112, 9.6).
        """
        try:
            self.sock.setblocking(False)
            if self._tls and not self._shaking_hands:
                with suppress(ssl.SSLError):
                    self._tls.unwrap()
            self.sock.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            return False
        return True

    def drain(self) -> bool:
        """Throw away what still comes; True when the client has closed its side."""
        try:
            return not self.sock.recv(_READ_AT_ONCE)
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except (OSError, ValueError):
            return True
