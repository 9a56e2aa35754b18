"""The blueprint: how paths are read, which bodies are taken, and how what goes wrong is told."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from flask import Blueprint, Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from providers.errors import Exhausted, LeaseholdError, NotAuthenticated, TooManyAttempts
from proxy import errors
from proxy.api.phpipam.envelope import Refused, refusal, start_counting

PREFIX = "/phpipam/api"

face = Blueprint("phpipam", __name__, url_prefix=PREFIX)

_LOG_IN = "phpipam.log_in"
_USER = "/user"
_CONTENT_TYPES = ("", "application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_ERROR = 500


@face.url_value_preprocessor
def _decode(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Segments come encoded (see :mod:`proxy.paths`): a slash can be part of one, and a ``+`` is a blank."""
    for name, value in (values or {}).items():
        if isinstance(value, str) and values is not None:
            values[name] = unquote_plus(value)


@face.before_request
def _refuse_foreign_body() -> None:
    start_counting()
    if request.mimetype not in _CONTENT_TYPES:
        shown = "".join(char for char in request.mimetype[:100] if char.isprintable())
        raise Refused(415, f"Invalid Content type {shown}")


@face.errorhandler(Refused)
def _refused(error: Refused) -> Response:
    return refusal(error.status, str(error))


def answer_to_http(error: HTTPException) -> Response:
    """The answer to what the framework refuses, such as a method that there is not."""
    return refusal(error.code or _ERROR, error.description or error.name)


@face.errorhandler(LeaseholdError)
def _failed(error: LeaseholdError) -> Response:
    errors.note(error)
    return errors.with_headers(refusal(*_told(error)), error)


@face.errorhandler(ParseException)
def _unreadable(error: Exception) -> Response:
    return refusal(400, errors.unreadable(error))


@face.errorhandler(Exception)
def _surprised(error: Exception) -> Response:
    return refusal(_ERROR, errors.surprise(error))


face.register_error_handler(HTTPException, answer_to_http)


def _told(error: LeaseholdError) -> tuple[int, str]:
    """Status and message; where phpIPAM has words of its own for it, and a client may look for them, those."""
    at_log_in = request.endpoint == _LOG_IN
    if isinstance(error, TooManyAttempts):
        blocked = f"Your IP has been blocked for {error.retry_after} seconds because of excessive login failures"
        return (_ERROR, blocked) if at_log_in else (429, str(error))
    if isinstance(error, NotAuthenticated):
        if at_log_in:
            return _ERROR, "Invalid username or password"
        return (403, "Invalid token") if _concerns_user() else (401, "Unauthorized")
    if isinstance(error, Exhausted):
        return 404, "No free addresses found"
    return errors.status_of(error), str(error)


def _concerns_user() -> bool:
    return request.url_rule is not None and _USER in request.url_rule.rule
