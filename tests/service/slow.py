"""Clients that say a part of their request and then nothing more."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

HEAD = b"GET /features HTTP/1.1\r\nHost: a\r\nX-Slow: "
BODY = b"POST /dhcp/10.0.0.0 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nname="
CHUNKS = b"POST /dhcp/10.0.0.0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nname=\r\n"
CONTINUE = b"POST /dhcp/10.0.0.0 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
HELLO = b"\x16\x03\x01\x02\x00\x01"
"""The beginning of a TLS handshake."""


@contextmanager
def slow_clients(port: int, sent: bytes, number: int, context: ssl.SSLContext | None = None) -> Iterator[None]:
    """``number`` connections on which ``sent`` was sent, with TLS if there is a ``context``."""
    with ExitStack() as open_connections:
        for _ in range(number):
            connection = open_connections.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            if context is not None:
                connection = open_connections.enter_context(
                    context.wrap_socket(connection, server_hostname="127.0.0.1")
                )
            connection.sendall(sent)
        yield


def said(port: int, *parts: bytes) -> bytes:
    """All that is answered to ``parts``, until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        while data := connection.recv(65536):
            answer += data
        return answer
