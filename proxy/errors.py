"""Errors become answers: the class decides the status, the text goes to the caller, the log gets one line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from flask import Flask, Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from providers.errors import (
    Conflict,
    Forbidden,
    InvalidValue,
    LeaseholdError,
    NotAuthenticated,
    NotFound,
    TooManyAttempts,
)
from proxy.api.answer import json_answer, text_answer
from proxy.logs.backtrace import summary
from proxy.logs.cleaning import clean
from proxy.request_id import request_id

NO_SUCH_URL = "Requested url was not found"

_STATUS: tuple[tuple[type[LeaseholdError], int], ...] = (
    (InvalidValue, 400),
    (NotAuthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooManyAttempts, 429),
)
_LOGGED_BY_ACCESS = (NotAuthenticated, Forbidden, TooManyAttempts)
_UNAVAILABLE = 503
_SERVER_ERRORS = 500

_log = logging.getLogger(__name__)


def status_of(error: LeaseholdError) -> int:
    """The status that says the same as ``error``."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), _UNAVAILABLE)


def as_text(error: LeaseholdError) -> Response:
    """The form of ``/dhcp`` and of the root face: the sentence itself."""
    return with_headers(text_answer(str(error), note(error)), error)


def as_object(error: LeaseholdError) -> Response:
    """The form of ``/ipam``: ``{"error": sentence}``."""
    return with_headers(json_answer({"error": str(error)}, note(error)), error)


Refused = Callable[[HTTPException], Response]


def handle_errors(app: Flask, below: Mapping[str, Refused]) -> None:
    """Give every error of ``app`` an answer; a face may have its own form for what is raised in its routes.

    ``below`` has the form of paths that lead to no route, by what they begin with.
    """
    app.register_error_handler(LeaseholdError, as_text)
    app.register_error_handler(HTTPException, lambda error: _refused(error, below))
    app.register_error_handler(ParseException, _unreadable)
    app.register_error_handler(Exception, _surprised)


def _refused(error: HTTPException, below: Mapping[str, Refused]) -> Response:
    """What the framework refuses. A wrong method is a URL that does not exist: the smart proxy knows no 405."""
    for prefix, refused in below.items():
        if request.path == prefix or request.path.startswith(f"{prefix}/"):
            return refused(error)
    if error.code in (404, 405):
        return text_answer(NO_SUCH_URL, 404)
    return text_answer(error.description or error.name, error.code or _SERVER_ERRORS)


def _unreadable(error: Exception) -> Response:
    return text_answer(unreadable(error), 400)


def unreadable(error: Exception) -> str:
    """Note what the parser finds wrong with a body only while it is read, such as a broken trailer behind its chunks.

    Returns what the caller hears.
    """
    _log.info("%s: 400 %s", _what(), clean(str(error)))
    return "The body of the request cannot be read"


def _surprised(error: Exception) -> Response:
    return text_answer(surprise(error), _SERVER_ERRORS)


def surprise(error: Exception) -> str:
    """Note a mistake of ours: the log learns where, the caller, by what is returned, only under which id to look."""
    _log.error("%s: %s", _what(), summary(error), exc_info=error)
    return f"Internal error; the log tells more under request id {request_id()}"


def with_headers(answer: Response, error: LeaseholdError) -> Response:
    """What HTTP wants beside the status."""
    if isinstance(error, NotAuthenticated):
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyAttempts):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def note(error: LeaseholdError) -> int:
    """Tell the log what was refused, or went wrong; returns the status that says the same."""
    status = status_of(error)
    if isinstance(error, _LOGGED_BY_ACCESS):
        return status
    level = logging.ERROR if status >= _SERVER_ERRORS else logging.INFO
    _log.log(level, "%s: %d %s", _what(), status, clean(str(error)))
    return status


def _what() -> str:
    return f"[{request_id()}] {request.method} {clean(request.path[:500])}"
