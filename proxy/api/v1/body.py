"""The JSON body of a request: bounded, UTF-8, and saying everything once."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from proxy.api.answer import JSON
from proxy.api.form import LARGEST_BODY

_ONLY_JSON = f"Send the body as {JSON}"


def json_body(request: Request, *, optional: bool = False) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """The value that the body of ``request`` holds; an empty object for no body, if it is ``optional``.

    Raises UnsupportedMediaType, RequestEntityTooLarge, or BadRequest for what is no JSON.
    """
    text = request.get_data(cache=False)
    if len(text) > LARGEST_BODY:
        raise RequestEntityTooLarge
    if not text and optional:
        return {}
    if request.mimetype != JSON:
        raise UnsupportedMediaType(_ONLY_JSON)
    try:
        value = json.loads(text.decode(), object_pairs_hook=_each_once, parse_constant=_refuse_constant)
        # A half of a surrogate pair is JSON, and nothing that could be kept or sent back.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is no JSON that can be read: {_reason(error)}") from error
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
