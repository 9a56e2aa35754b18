"""One request and its answer over HTTP/1.0: what a hook needs, and nothing that takes longer to import than to run.

``http.client`` brings the whole of ``email``, which alone takes longer than an interpreter needs to start
(``bench/hooks.py``). Version 1.0 has neither chunks nor connections that live on: the answer ends with the connection.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from hooks.errors import Misconfigured, Unreachable
from hooks.settings import Settings

if TYPE_CHECKING:
    import ssl

_LARGEST = 16 * 1024 * 1024
_PIECE = 65536
_STATUS_DIGITS = 3
_PORTS = {"http": 80, "https": 443}


class Answer(NamedTuple):
    """The status and the body of an answer."""

    status: int
    body: bytes


def exchange(
    url: str, method: str, target: str, headers: Mapping[str, str], body: bytes, settings: Settings, seconds: float
) -> Answer:
    """Send a request to the host of ``url``, for ``target`` there, and read the answer.

    ``seconds`` bounds each step, not all of them together: see ``bounded``. Raises Unreachable, Misconfigured.
    """
    split = urlsplit(url)
    host, port = split.hostname or "", split.port or _PORTS[split.scheme]
    lines = [f"{method} {target} HTTP/1.0", f"Host: {split.netloc.rpartition('@')[2]}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise Misconfigured("a line break in the token, a URL or a name would begin another header")
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            stream = connection
            if split.scheme == "https":
                stream = tls_context(settings).wrap_socket(connection, server_hostname=host)
            stream.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)
            return _answer(url, _all_of(stream))
    except OSError as error:
        raise Unreachable(f"{url}: {error.strerror or error}") from error
    except UnicodeError as error:
        raise Misconfigured(f"{url} has no host name that can be looked up") from error


def tls_context(settings: Settings) -> ssl.SSLContext:
    """How to speak TLS, as the settings say. Raises Misconfigured."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file or None)
    except OSError as error:
        raise Misconfigured(f"ca_file, cert_file or key_file cannot be used: {error.strerror or error}") from error
    return context


def _all_of(stream: socket.socket) -> bytes:
    pieces, size = [], 0
    while piece := stream.recv(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > _LARGEST:
            raise Unreachable(f"an answer of more than {_LARGEST} bytes is none of Leasehold")
    return b"".join(pieces)


def _answer(url: str, text: bytes) -> Answer:
    """Raises Unreachable when this is no HTTP, or was cut off."""
    head, blank, body = text.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    status = words[1] if len(words) > 1 and len(words[1]) == _STATUS_DIGITS else ""
    if not blank or not words[0].startswith("HTTP/") or not status.isdecimal():
        raise Unreachable(f"{url}: the connection ended before there was an answer")
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length" and value.strip() != str(len(body)):
            raise Unreachable(f"{url}: the connection ended in the middle of the answer")
    return Answer(int(status), body)
