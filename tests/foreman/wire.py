"""Requests as Foreman puts them on the wire, and answers as it takes them, through Flask's test client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, unquote
from uuid import uuid4

from flask import Flask

Values = Iterable[tuple[str, Any]]
"""Fields in the order in which they are sent: a text, None, a list of texts or a table of texts."""


class ProxyError(Exception):
    """Foreman could not get what it wanted. ``status`` is None when no answer came at all."""

    def __init__(self, status: int | None, text: str = "") -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str

    def parsed(self) -> Any:
        """True for an empty body, the value of a JSON one, False for anything else; ProxyError unless it is a 2xx."""
        if not 200 <= self.status < 300:
            raise ProxyError(self.status, self.text)
        if not self.text.strip():
            return True
        try:
            return json.loads(self.text)
        except ValueError:
            return False


Send = Callable[[], Answer]
Trouble = Callable[[Send], Answer]
"""What happens to one request instead of being sent."""


def refused(send: Send) -> Answer:
    """The proxy cannot be reached."""
    raise ProxyError(None, "connection refused")


def lost(send: Send) -> Answer:
    """The proxy does what it was asked to, and its answer never arrives."""
    send()
    raise ProxyError(None, "timed out")


def after(other: Callable[[], object]) -> Trouble:
    """Something else happens right before the request."""

    def trouble(send: Send) -> Answer:
        other()
        return send()

    return trouble


@dataclass
class Wire:
    """The way from one Foreman to one smart proxy; each of its actions has a request id of its own."""

    app: Flask
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path with query, and body of every request so far."""
    request_id: str = field(default_factory=lambda: str(uuid4()))
    session_id: str = field(default_factory=lambda: str(uuid4()))
    _troubles: list[tuple[str, str, Trouble]] = field(default_factory=list)

    def trouble(self, method: str, start: str, trouble: Trouble) -> None:
        """Let ``trouble`` happen to the next request with that method whose path starts so, and to no other."""
        self._troubles.append((method, start, trouble))

    @property
    def troubled(self) -> bool:
        """Whether every trouble that was prepared has happened."""
        return not self._troubles

    def new_action(self) -> str:
        """Take a new request id, as Foreman does for everything that a user asks of it."""
        self.request_id = str(uuid4())
        return self.request_id

    def get(self, path: str, query: str | None = None) -> Answer:
        """GET; an empty query still leaves its question mark."""
        return self._request("GET", path if query is None else f"{path}?{query}")

    def post(self, path: str, fields: Values) -> Answer:
        """POST a form."""
        return self._request("POST", path, encoded(fields))

    def delete(self, path: str) -> Answer:
        """DELETE, without a body."""
        return self._request("DELETE", path)

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {
            "Accept": "application/json",
            "User-Agent": "rest-client/2.1.0 (linux-gnu x86_64) ruby/3.1.2p20",
            "X-Request-Id": self.request_id,
            "X-Session-Id": self.session_id,
            "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
        }

    def _request(self, method: str, target: str, body: str | None = None) -> Answer:
        for index, (of_method, start, trouble) in enumerate(self._troubles):
            if method == of_method and target.startswith(start):
                del self._troubles[index]
                return trouble(lambda: self._send(method, target, body))
        return self._send(method, target, body)

    def _send(self, method: str, target: str, body: str | None) -> Answer:
        """Octet for octet: neither path nor query nor body is spelled anew on the way."""
        self.sent.append((method, target, body or ""))
        path, _, query = target.partition("?")
        form = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.app.test_client().open(
            method=method,
            headers=self.headers() | form,
            data=body,
            query_string=query,
            environ_overrides={
                "PATH_INFO": unquote(path, encoding="latin-1"),
                "RAW_URI": target,
                "REQUEST_URI": target,
            },
        )
        return Answer(answer.status_code, answer.text)


def encoded(fields: Values) -> str:
    """A form or a query: no value is a bare name, so is an empty list, and brackets stay as they are."""
    return "&".join(part for name, value in fields for part in _field(escaped(name, brackets=True), value))


def escaped(text: str, *, brackets: bool = False) -> str:
    """As Ruby escapes: a blank is ``+``, a tilde is escaped and an asterisk is not."""
    return quote_plus(text, safe="*[]" if brackets else "*").replace("~", "%7E")


def _field(name: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{name}[{escaped(key)}]={escaped(text)}" for key, text in value.items()]
    if isinstance(value, list) and value:
        return [f"{name}[]={escaped(text)}" for text in value]
    return [name if value is None or value == [] else f"{name}={escaped(value)}"]
