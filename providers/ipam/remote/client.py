"""Calling an HTTP API: one session per process with its connections kept, every call bounded and counted."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests import Response, Session
from requests.exceptions import ConnectTimeout, RequestException, SSLError
from urllib3.exceptions import InsecureRequestWarning, NewConnectionError

from providers.errors import Refused, Unavailable
from providers.ipam.remote.deadline import BoundedAdapter, Deadline
from providers.trace import headers_to_pass_on

log = logging.getLogger(__name__)

_CONNECTIONS = 32
_SHOWN = 200
_REPEATABLE = frozenset({"GET", "PATCH", "DELETE"})
"""What says the same when it is done twice (RFC 9110 9.2.2; our PATCHes set values and count nothing up)."""
_AT_ONCE = 5.0
"""Seconds: a call that ends later than that without an answer was worked on."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to wait for the next piece of an answer to a question, and for a whole call.

    Whoever writes waits for as long as the whole call may take: servers let writers wait for each other.
    """

    connect: float = 5
    read: float = 10
    call: float = 35


class NotSent(Unavailable):
    """The call did not reach the server: nothing was done there."""


class NoAnswer(Unavailable):
    """The call was sent, and there is no whole answer: it may have been done."""


class CutOff(NoAnswer):
    """The connection ended at once and without any of an answer, as a kept one does that the server had just closed."""


class Client:
    """Calls one server. Threads share it; after a fork the new process has a session of its own."""

    def __init__(self, base: str, *, name: str, timeouts: Timeouts, verify: bool | Path = True) -> None:
        """``base`` is the URL that paths are appended to, ``name`` what messages call the server."""
        self.base = base.rstrip("/")
        self.name = name
        self.calls: Counter[str] = Counter()
        """How often each method was called, and how often it failed (``GET failed``), in this process."""
        self._timeouts = timeouts
        if verify is False:
            # Said once at the start, not with every call.
            urllib3.disable_warnings(InsecureRequestWarning)
        self._verify: bool | str = str(verify) if isinstance(verify, Path) else verify
        self._session: Session | None = None
        self._process = 0
        self._opening = threading.Lock()

    @property
    def where(self) -> str:
        """The server in messages: without user and password, should the URL have them."""
        parts = urlsplit(self.base)
        return f"{self.name} at {parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Response:
        """The answer to ``method`` on ``path``, whatever its status, but for redirects.

        What was cut off is sent once more, within the same time, but for a POST: that raises CutOff. Raises NotSent
        when the server cannot be reached, NoAnswer when it did not answer in time or not to the end, Refused when its
        certificate is not good or it sends us elsewhere.
        """
        silence = self._timeouts.read if method == "GET" else self._timeouts.call
        sent = {"Accept": "application/json", **headers_to_pass_on(), **(headers or {})}
        deadline = Deadline(self._timeouts.call)
        started = time.monotonic()
        self.calls[method] += 1
        try:
            with deadline.running():
                for attempt in (1, 2):
                    try:
                        answer = self._open().request(
                            method,
                            self.base + path,
                            params=params,
                            json=json,
                            headers=sent,
                            auth=auth,
                            timeout=(self._timeouts.connect, silence),
                            allow_redirects=False,
                            verify=self._verify,
                        )
                        break
                    except requests.ConnectionError as error:
                        again = method in _REPEATABLE and attempt == 1 and not deadline.passed
                        if not again or not _was_cut_off(error):
                            raise
        except RequestException as error:
            self.calls[f"{method} failed"] += 1
            raise self._failure(error, deadline, time.monotonic() - started) from error
        if answer.is_redirect or answer.is_permanent_redirect:
            self.calls[f"{method} failed"] += 1
            target = printable(answer.headers.get("Location", ""))
            raise Refused(f"{self.where} answers with a redirect to {target}: set :url: to where it really is")
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _open(self) -> Session:
        if self._session is None or self._process != os.getpid():
            with self._opening:
                if self._session is None or self._process != os.getpid():
                    session = Session()
                    # Neither proxies nor passwords from the surroundings: what is called, and as whom, is a setting.
                    session.trust_env = False
                    adapter = BoundedAdapter(pool_connections=2, pool_maxsize=_CONNECTIONS)
                    session.mount("https://", adapter)
                    session.mount("http://", adapter)
                    self._session, self._process = session, os.getpid()
        return self._session

    def _failure(self, error: RequestException, deadline: Deadline, seconds: float) -> Unavailable:
        if isinstance(error, SSLError) and not deadline.passed:
            return Refused(f"{self.where}: its certificate is not accepted ({_reason(error)}): set :ca_file:")
        if isinstance(error, ConnectTimeout) or _not_connected(error):
            return NotSent(f"{self.where} cannot be reached ({_reason(error)})")
        if deadline.passed or isinstance(error, requests.Timeout):
            return NoAnswer(f"{self.where} gave no answer within {seconds:.1f} seconds")
        cut_off = isinstance(error, requests.ConnectionError) and _was_cut_off(error) and seconds < _AT_ONCE
        return (CutOff if cut_off else NoAnswer)(f"{self.where} broke off its answer ({_reason(error)})")


def printable(text: str, most: int = _SHOWN) -> str:
    """Text from upstream as a message may repeat it: on one line, not endless."""
    shown = "".join(char if char.isprintable() else " " for char in text[: most + 1]).strip()
    return shown if len(text) <= most else f"{shown[:most]}..."


def _not_connected(error: RequestException) -> bool:
    return any(isinstance(getattr(each, "reason", None), NewConnectionError) for each in error.args)


def _was_cut_off(error: requests.ConnectionError) -> bool:
    """Whether the connection ended under the call, as a kept one does when the server closes it just then."""
    return not isinstance(error, requests.Timeout | SSLError) and not _not_connected(error)


def _reason(error: RequestException) -> str:
    """The innermost cause in a few words: the outer ones have the whole URL in them."""
    cause: BaseException = error
    while True:
        inner = cause.__cause__ or cause.__context__ or getattr(cause, "reason", None)
        if not isinstance(inner, BaseException):
            break
        cause = inner
    told = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or str(cause)
    return printable(str(told) or type(cause).__name__)
