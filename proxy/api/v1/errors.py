"""The one shape of errors on ``/api/v1``: ``{"error": {"code", "message", "request_id", ...}}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from providers.errors import Claimed, Conflict, Exhausted, InvalidValue, LeaseholdError, TooManyAttempts
from proxy.api.answer import empty_answer, json_answer
from proxy.error_codes import KINDS, MISSING, NO_SUCH_PATH
from proxy.request_id import request_id
from proxy.rows import claim_row

UNPROCESSABLE = 422
_SERVER_ERROR = 500
_UNAVAILABLE = 503

_OF_HTTP = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_TEXTS = {
    404: f"{NO_SUCH_PATH}: see /api/v1/docs",
    405: "This path does not take that method: see the header Allow",
    413: "The body is larger than 64 KiB: send less at a time",
}
CODES = {
    400: ("bad_request",),
    401: ("not_authenticated",),
    403: ("forbidden",),
    404: ("not_found",),
    405: ("method_not_allowed",),
    409: ("conflict", "claimed", "exhausted"),
    413: ("too_large",),
    415: ("unsupported_media_type",),
    UNPROCESSABLE: ("invalid_value",),
    429: ("too_many_attempts",),
    _SERVER_ERROR: ("internal",),
    _UNAVAILABLE: ("unavailable",),
}
"""The codes that go with each status."""


class Unfit(InvalidValue):
    """A body or query with values that do not fit; ``fields`` maps the place of each to what is wrong with it."""

    def __init__(self, where: str, error: ValidationError) -> None:
        self.fields = dict(_flat(error.messages, ""))
        told = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in list(self.fields.items())[:5])
        super().__init__(f"The {where} does not fit: {told}")


def error_object(code: str, message: str, **more: object) -> dict[str, Any]:
    """An error as it is sent."""
    return {"error": {"code": code, "message": message, **more, "request_id": request_id()}}


def error_of(error: LeaseholdError) -> dict[str, Any]:
    """What was refused on purpose, or cannot be done now, as it is sent."""
    return error_object(status_and_code(error)[1], str(error), **_more(error))


def answer_to(error: LeaseholdError) -> Response:
    """The answer to :func:`error_of`."""
    return json_answer(error_of(error), status_and_code(error)[0])


def status_and_code(error: LeaseholdError) -> tuple[int, str]:
    """What says the same as ``error``."""
    code = next((code for kind, code in KINDS if isinstance(error, kind)), "unavailable")
    return next(status for status, codes in CODES.items() if code in codes), code


def answer_to_http(error: HTTPException) -> Response:
    """The answer to what the framework refuses. OPTIONS is told which methods there are, and that is no error."""
    status = error.code or _SERVER_ERROR
    methods = sorted(error.valid_methods or ()) if isinstance(error, MethodNotAllowed) else []
    if methods and request.method == "OPTIONS":
        answer = empty_answer(204)
    else:
        message = _TEXTS.get(status) or error.description or error.name
        answer = json_answer(error_object(_OF_HTTP.get(status, "bad_request"), message), status)
    if methods:
        answer.headers["Allow"] = ", ".join([*methods, "OPTIONS"])
    return answer


def answer_to_surprise(message: str, status: int) -> Response:
    """The answer to a mistake of ours, or to a body that cannot be read to its end."""
    return json_answer(error_object("internal" if status >= _SERVER_ERROR else "bad_request", message), status)


def _more(error: LeaseholdError) -> Mapping[str, object]:
    if isinstance(error, Unfit):
        return {"fields": error.fields}
    if isinstance(error, Claimed):
        return {"holder": claim_row(error.claim)}
    if missing := next((what for kind, what in MISSING if isinstance(error, kind)), None):
        return {"missing": missing}
    if isinstance(error, Exhausted):
        return {"used": error.used, "held": error.held}
    if isinstance(error, TooManyAttempts):
        return {"retry_after": error.retry_after}
    return {"owner": dict(error.owner)} if isinstance(error, Conflict) and error.owner else {}


def _flat(messages: object, place: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            # marshmallow's name for what concerns the whole.
            whole = key == "_schema"
            shown = "".join(char if char.isprintable() else "?" for char in str(key)[:100])
            yield from _flat(inner, place if whole else f"{place}.{shown}" if place else shown)
    elif isinstance(messages, list):
        yield place or "body", [str(each) for each in messages]
    else:
        yield place or "body", [str(messages)]
