"""The service, as a guest host sees it: JSON over HTTP to one of several URLs, within a bounded time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from hooks.bounded import bounded
from hooks.errors import InternalError, NotAllowed, Refused, Unreachable
from hooks.exchange import exchange
from hooks.settings import Settings, secret

_TRY_ANOTHER = {429, 500, 502, 503, 504}
_FAILED = 500
_PAGE = "500"
_MOST_PAGES = 10_000
_NOT_ALLOWED = {401, 403}


class Call(NamedTuple):
    """One request to ``/api/v1``. ``path`` begins after that; its parts are quoted already (see ``segment``)."""

    method: str
    path: str
    query: Mapping[str, str] | None = None
    body: Any = None


class Service:
    """The service at the URLs of the settings, tried in turn."""

    def __init__(self, settings: Settings, *, seconds: float | None = None, longest: float | None = None) -> None:
        """``seconds`` bounds everything that is asked here, together; ``longest`` each call at one URL.

        By default both are ``timeout`` of the settings.
        """
        self._settings = settings
        self._ends = time.monotonic() + (settings.timeout if seconds is None else seconds)
        self._longest = settings.timeout if longest is None else longest
        self._urls = list(settings.urls)

    @property
    def seconds_left(self) -> float:
        """How long the service may still take."""
        return self._ends - time.monotonic()

    def call(self, call: Call) -> Any:  # noqa: ANN401 - whatever JSON can hold
        """The answer of the first URL that has one; that one is asked first from then on.

        Raises Refused when the service says no, NotAllowed when it does not know us or we may not, Unreachable when no
        URL answers in time: InternalError when one did, and failed.
        """
        said, kind = [], Unreachable
        for place, url in enumerate(tuple(self._urls)):
            # Those that come after get their share of the time too.
            share = min(self.seconds_left / (len(self._urls) - place), self._longest)
            if share <= 0:
                break
            try:
                return bounded(self._asking(url, call, share), share, url)
            except Unreachable as failure:
                said.append(str(failure))
                kind = InternalError if isinstance(failure, InternalError) else kind
                self._urls.append(self._urls.pop(0))
        raise kind("; ".join(said) or f"{self._urls[0]}: no time is left")

    def items(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Everything in the list at ``path`` that fits ``query``, page by page; a page may be empty and not the last.

        Raises what ``call`` raises.
        """
        after: str | None = None
        for _ in range(_MOST_PAGES):
            page = self.call(Call("GET", path, {**query, "limit": _PAGE} | ({"after": after} if after else {})))
            items = page.get("items")
            if not isinstance(items, list):
                raise Unreachable(f"{self._urls[0]}: an answer of {path} without items: that is no Leasehold")
            yield from items
            after = page.get("next")
            if after is None:
                return

    def _asking(self, url: str, call: Call, seconds: float) -> Callable[[], Any]:
        return lambda: self._ask(url, call, seconds)

    def _ask(self, url: str, call: Call, seconds: float) -> Any:  # noqa: ANN401
        target = f"{urlsplit(url).path.rstrip('/')}/api/v1{call.path}"
        if call.query:
            target += f"?{urlencode(call.query)}"
        headers = {"Accept": "application/json", "User-Agent": "leasehold-hook"}
        # Read here and not before: a report that cannot be sent for want of it is kept.
        token = secret(self._settings)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = b""
        if call.body is not None:
            body = json.dumps(call.body).encode()
            headers["Content-Type"] = "application/json"
        answer = exchange(url, call.method, target, headers, body, self._settings, seconds)
        return _understood(url, answer.status, answer.body)


def segment(text: str) -> str:
    """``text`` as one part of a path."""
    return quote(text, safe="")


def _understood(url: str, status: int, text: bytes) -> Any:  # noqa: ANN401
    try:
        answer = json.loads(text) if text else None
    except (ValueError, RecursionError):
        raise Unreachable(f"{url}: status {status}, but no JSON: that is no Leasehold") from None
    if status < 300:
        if not isinstance(answer, dict):
            # Taken for a yes, it would let a guest start and drop what waits.
            raise Unreachable(f"{url}: status {status}, but no JSON object: that is no Leasehold")
        return answer
    error = answer.get("error") if isinstance(answer, dict) else None
    detail = error if isinstance(error, dict) else {}
    message = str(detail.get("message") or (error if isinstance(error, str) else "") or f"status {status}")
    if status in _TRY_ANOTHER:
        # Without a reason of its own it is something before the service that failed.
        raise (InternalError if status == _FAILED and error else Unreachable)(f"{url}: {message}")
    if not error and status not in _NOT_ALLOWED:
        # What the service refuses has a reason. Something before it, such as a redirection, may be gone tomorrow.
        raise Unreachable(f"{url}: status {status} and no reason: that is no Leasehold")
    kind = NotAllowed if status in _NOT_ALLOWED else Refused
    raise kind(message, status, str(detail.get("code", "")), detail)
