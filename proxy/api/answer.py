"""Answers in the forms that Foreman's client reads."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

from flask import Response

from providers.errors import LeaseholdError

JSON = "application/json"

_log = logging.getLogger(__name__)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_json(value: object) -> str:
    """``value`` as compact JSON; characters beyond ASCII stay as they are."""
    return _encode(value)


def json_answer(value: object, status: int = 200) -> Response:
    """``value`` as JSON."""
    return Response(_encode(value).encode(errors="replace"), status, content_type=JSON)


def text_answer(text: str, status: int) -> Response:
    """A sentence for the caller. It is typed as JSON and is none, as the smart proxy's own errors."""
    return Response(text.encode(errors="replace"), status, content_type=JSON)


def empty_answer(status: int = 200) -> Response:
    """No body: what Foreman's client takes as ``true``."""
    answer = Response(b"", status, content_type=JSON)
    if status == 204:
        del answer.headers["Content-Type"]
    return answer


def streamed_answer(chunks: Iterator[bytes]) -> Response:
    """An answer that is sent while ``chunks`` are made, or as a whole if there is only one.

    The first two are made before the status is, so that what goes wrong at the start still has its own status.
    Later there is only one way left to say so: the connection ends before the body does.
    """
    first = next(chunks)
    second = next(chunks, None)
    if second is None:
        return Response(first, content_type=JSON)
    return Response(_rest(first, second, chunks), content_type=JSON)


def _rest(first: bytes, second: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    try:
        yield from chunks
    except LeaseholdError as error:
        _log.error("answer cut short: %s", error)
        raise
