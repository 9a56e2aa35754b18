"""Commands to a running Kea, over its Unix socket or HTTP(S), and its answers.

Kea Administrator Reference Manual, "Management API": a command is a JSON object with ``command``, ``service`` and
``arguments``; an answer has ``result`` (0 done, 1 error, 2 unsupported, 3 empty, 4 conflict), ``text`` and
``arguments``. Over HTTP answers come as a list of one. ``service`` names exactly one server always: the Control Agent
needs it, Unix sockets bear it, and Kea 3.2 refuses any other.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any
from urllib.parse import urlsplit

from providers.errors import Misconfigured, Unavailable, Unreached

SERVICE = "dhcp4"

_CHUNK = 1 << 20
_POLL_SECONDS = 0.005
_LARGEST_ANSWER = 1 << 30
_UNAUTHORIZED = (401, 403)
_OK = 200


class Result(IntEnum):
    """What Kea says of a command."""

    SUCCESS = 0
    ERROR = 1
    UNSUPPORTED = 2
    EMPTY = 3
    CONFLICT = 4


class Refused(Unavailable):
    """Kea answered that it did not do it; ``text`` is what it said."""

    result: int = Result.ERROR
    text: str = ""

    @classmethod
    def by(cls, command: str, result: int, text: str) -> Refused:
        """The refusal of a command."""
        error = cls(f"Kea refused {command}: {text}")
        error.result, error.text = result, text
        return error


@dataclass(frozen=True, slots=True)
class Answer:
    """What Kea answered; ``arguments`` is empty where there were none."""

    result: int
    text: str
    arguments: Any = field(default_factory=dict)


class Control:
    """One control channel. Threads may share it: every command has a connection of its own."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """``settings`` are those of ``KeaSchema``."""
        self.place: str = settings["control"]
        self._seconds: float = settings["timeout"]
        self._headers = {"Content-Type": "application/json", "Connection": "close"}
        if settings["user"] is not None:
            both = f"{settings['user']}:{settings['password']}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(both).decode()}"
        self._context = _context(settings) if self.place.startswith("https://") else None

    def command(
        self, name: str, arguments: Mapping[str, Any] | None = None, *, bear: tuple[Result, ...] = ()
    ) -> Answer:
        """Have a command done; returns the answer, which is a success or one of ``bear``.

        Raises Refused when Kea says no, Unreached when it is not there, Unavailable when it does not answer, or not in
        time.
        """
        document: dict[str, Any] = {"command": name, "service": [SERVICE]}
        if arguments is not None:
            document["arguments"] = arguments
        body = json.dumps(document).encode()
        try:
            text = self._over_unix(body) if self.place.startswith("/") else self._over_http(body)
        except TimeoutError as error:
            raise Unavailable(f"Kea at {self.place} has not answered {name} for {self._seconds:g} s") from error
        except ssl.SSLError as error:
            raise Unavailable(f"Kea at {self.place} cannot be reached over TLS: {error.reason or error}") from error
        except (ConnectionRefusedError, FileNotFoundError) as error:
            raise Unreached(f"Kea at {self.place} cannot be reached: {error.strerror}") from error
        except OSError as error:
            raise Unavailable(f"Kea at {self.place} cannot be reached: {error.strerror or error}") from error
        except http.client.HTTPException as error:
            raise Unavailable(f"Kea at {self.place} does not speak HTTP as it should: {error!r}") from error
        answer = _answer(text, self.place)
        if answer.result != Result.SUCCESS and answer.result not in bear:
            raise Refused.by(name, answer.result, answer.text)
        return answer

    def _over_unix(self, body: bytes) -> bytes:
        deadline = time.monotonic() + self._seconds
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self._seconds)
            self._connect(connection, deadline)
            connection.sendall(body)
            parts: list[bytes] = []
            size = 0
            while True:
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                part = connection.recv(_CHUNK)
                if not part:
                    return b"".join(parts)
                parts.append(part)
                size += len(part)
                if size > _LARGEST_ANSWER:
                    raise OSError("its answer has no end")

    def _connect(self, connection: socket.socket, deadline: float) -> None:
        """Connect, and wait for a place in the queue of a socket to which many connect at once."""
        while True:
            try:
                connection.connect(self.place)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError from None
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _over_http(self, body: bytes) -> bytes:
        url = urlsplit(self.place)
        host, port = url.hostname or "", url.port
        connection: http.client.HTTPConnection
        if self._context is not None:
            connection = http.client.HTTPSConnection(host, port or 443, timeout=self._seconds, context=self._context)
        else:
            connection = http.client.HTTPConnection(host, port or 80, timeout=self._seconds)
        try:
            connection.request("POST", url.path or "/", body, self._headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status in _UNAUTHORIZED:
            raise Unavailable(f"Kea at {self.place} does not accept :user: and :password: ({response.status})")
        if response.status != _OK:
            raise Unavailable(f"Kea at {self.place} answered {response.status} {response.reason}")
        return text


def _answer(text: bytes, place: str) -> Answer:
    """The answer in either shape. Raises Unavailable when it is none: Kea was stopped in the middle of it."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Unavailable(f"Kea at {place} broke off its answer") from error
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not (isinstance(found, dict) and isinstance(found.get("result"), int)):
        raise Unavailable(f"Kea at {place} answered what is no answer")
    return Answer(found["result"], str(found.get("text", "")), found.get("arguments", {}))


def _context(settings: Mapping[str, Any]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings["ca_file"])
        if settings["certificate"] is not None:
            context.load_cert_chain(settings["certificate"], settings["private_key"])
    except (OSError, ssl.SSLError) as error:
        keys = ":ca_file:, :certificate: or :private_key:"
        raise Misconfigured(f"dhcp_kea.yml: {keys} cannot be used: {error}") from error
    return context
