"""A running service as the command line meets it: requests to ``/api/v1``, and its errors as our own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from providers.errors import (
    Claimed,
    Exhausted,
    Forbidden,
    InvalidValue,
    LeaseholdError,
    NotFound,
    TooManyAttempts,
    Unavailable,
)
from proxy.error_codes import KINDS, MISSING, NO_SUCH_PATH
from proxy.remote.reading import claim_from

_API = "/api/v1"
_PATIENCE = (5.0, 60.0)
"""Seconds until a connection is there, and until an answer begins."""
_PAGE = 1000
_FIRST_ERROR = 400
_A_MINUTE = 60
_SCHEMES = ("http", "https")
_CERTIFICATES = "The URL has to have a name that its certificate has, and --ca-file the CA that signed that."
_NOTHING_SHOWN = "Neither a token nor a certificate was shown: --token-file FILE or $LEASEHOLD_TOKEN shows one"

_BY_CODE: Mapping[str, type[LeaseholdError]] = {
    "bad_request": InvalidValue,
    "too_large": InvalidValue,
    **{code: kind for kind, code in KINDS},
}
_BY_MISSING: Mapping[str, type[NotFound]] = {what: kind for kind, what in MISSING}

Row = Mapping[str, Any]


class RemoteService:
    """Sends requests to one service."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        ca_file: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """``url`` is what ``/api/v1`` is below. ``ca_file`` None trusts what the machine trusts.

        Raises InvalidValue when it is no URL, or when one of the files cannot be used.
        """
        if not _fit(url):
            # Not repeated: there may be a password in it.
            raise InvalidValue("--url is to be that of a service, such as https://leasehold.example.com:8443")
        _refuse_unfit_files(ca_file, certificate, key)
        self._base = url.rstrip("/") + _API
        self._session = requests.Session()
        # What is not said on the command line is not wanted: no proxies, no .netrc.
        self._session.trust_env = False
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.verify = True if ca_file is None else str(ca_file)
        if certificate is not None:
            self._session.cert = str(certificate) if key is None else (str(certificate), str(key))

    def get(self, *segments: object, **query: object) -> Row:
        """What is at a path; the segments are encoded here, as the values of the query, of which None is left out."""
        return self.send("GET", segments, query)

    def pages(
        self, *segments: object, most: int | None = None, after: str | None = None, **query: object
    ) -> Iterator[Row]:
        """The items of a list from ``after`` on, page by page, ``most`` of them at most."""
        left = most
        while left is None or left > 0:
            limit = _PAGE if left is None else min(_PAGE, left)
            page = self.get(*segments, **query, limit=limit, after=after)
            items: list[Row] = page["items"]
            yield from items
            left = None if left is None else left - len(items)
            after = page["next"]
            if after is None:
                return

    def send(self, method: str, segments: tuple[object, ...], query: Mapping[str, object], body: object = None) -> Row:
        """Send a request and return the object of the answer.

        Raises what the service raised, and Unavailable when it does not answer or is none.
        """
        url = self._base + "".join(f"/{quote(str(segment), safe='')}" for segment in segments)
        asked = {key: _text(value) for key, value in query.items() if value is not None and value != ""}
        try:
            answer = self._session.request(
                method, url, params=asked, json=body, timeout=_PATIENCE, allow_redirects=False
            )
        except requests.exceptions.SSLError as error:
            raise Unavailable(
                f"{self._base} cannot be trusted or does not take this client: {_reason(error)}. {_CERTIFICATES}"
            ) from error
        except requests.RequestException as error:
            raise Unavailable(f"{self._base} does not answer: {_reason(error)}. Try again later.") from error
        try:
            found = answer.json(object_hook=partial(_Told, self._base, answer.status_code))
        except (ValueError, RecursionError):
            found = None
        if answer.status_code >= _FIRST_ERROR:
            refusal = _error(answer.status_code, found, self._base)
            if isinstance(refusal, Forbidden) and not self._shows_something():
                raise Forbidden(f"{refusal}. {_NOTHING_SHOWN}")
            raise refusal
        if not isinstance(found, dict):
            raise _stranger(answer.status_code, self._base)
        return found

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def _shows_something(self) -> bool:
        return "Authorization" in self._session.headers or self._session.cert is not None


class _Told(dict[str, Any]):
    """An object in an answer: where something is missing that ours always have, somebody else has answered."""

    def __init__(self, base: str, status: int, told: Mapping[str, Any]) -> None:
        super().__init__(told)
        self._whose = status, base

    def __missing__(self, key: str) -> object:
        raise _stranger(*self._whose)


def _fit(url: str) -> bool:
    """Whether ``url`` has a scheme, a host and maybe a port and a path, and nothing else."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and parts.username is None and not (parts.query or parts.fragment)


def _refuse_unfit_files(ca_file: Path | None, certificate: Path | None, key: Path | None) -> None:
    """Raise InvalidValue now for what would otherwise look as if the service did not answer, or ask for a password."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise InvalidValue(f"{ca_file} has no certificates of authorities that can be read") from error
    if certificate is not None:
        where = f"{certificate} and {key}" if key is not None else f"{certificate}"
        try:
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as error:
            raise InvalidValue(f"{where}: not a certificate and its key in PEM, without password") from error


def _stranger(status: int, base: str) -> Unavailable:
    return Unavailable(
        f"{base} answers {status} with something that is not the API of Leasehold: is the URL right, and api enabled?"
    )


def _error(status: int, found: object, base: str) -> LeaseholdError:
    """What the service raised, as its one shape of errors tells it."""
    told = found.get("error") if isinstance(found, dict) else None
    if not isinstance(told, dict):
        return _stranger(status, base)
    code, message = str(told.get("code")), str(told.get("message"))
    if code == "not_found" and message.startswith(NO_SUCH_PATH):
        return _stranger(status, base)
    if code == "exhausted":
        used, held = told["used"], told["held"]
        if not (isinstance(used, int) and isinstance(held, int)):
            raise _stranger(status, base)
        return Exhausted(message, used=used, held=held)
    if code == "claimed":
        return Claimed(message, claim=claim_from(told["holder"]))
    if code == "too_many_attempts":
        seconds = told.get("retry_after")
        return TooManyAttempts(message, retry_after=seconds if isinstance(seconds, int) else _A_MINUTE)
    if code == "not_found":
        return _BY_MISSING.get(str(told.get("missing")), NotFound)(message)
    return _BY_CODE.get(code, Unavailable)(message)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: requests.RequestException) -> str:
    """The innermost cause, in one line: what the libraries wrap around it tells nobody anything."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    text = getattr(cause, "strerror", None) or getattr(cause, "verify_message", None) or str(cause)
    return " ".join(str(text).split()) or type(cause).__name__
