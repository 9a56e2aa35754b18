"""What a route of ``/api/v1`` takes and gives, said once: for reading requests and for the OpenAPI document.

::

    @face.post("/groups")
    @access(Policy.ADMIN, keeps_limits=True)
    @operation("groups", body=GroupBody, answer=GroupRow, status=201, refusals=(409,))
    def add_group(body: Loaded) -> Answer: ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Response, request
from marshmallow import RAISE, Schema, ValidationError

from providers.errors import InvalidValue
from proxy.api.answer import json_answer
from proxy.api.form import Parameters, query_parameters
from proxy.api.v1.body import json_body
from proxy.api.v1.errors import Unfit
from proxy.api.v1.fields import LONGEST_NAME

Loaded = Mapping[str, Any]
"""A query or body as its schema read it."""

Answer = Mapping[str, Any]
"""What a view returns: the object to be sent."""

NAMES = ("cluster", "name")
"""Segments of paths that are names; the others are addresses and the like, which are parsed."""

_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""What bytes that are not UTF-8 have become: different names would look the same."""
_ATTRIBUTE = "leasehold_operation"
_ALWAYS = (401, 403, 422, 429, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route takes and gives. ``refusals`` are statuses beyond those that every route may answer."""

    tag: str
    query: Schema
    body: Schema | None
    body_optional: bool
    answer: Schema | None
    status: int
    refusals: tuple[int, ...]

    def may_answer(self) -> list[int]:
        """All statuses of errors."""
        of_body = () if self.body is None else (400, 413, 415)
        return sorted({*_ALWAYS, *of_body, *self.refusals})


def operation(
    tag: str,
    *,
    query: type[Schema] = Schema,
    body: type[Schema] | None = None,
    body_optional: bool = False,
    answer: type[Schema] | None = None,
    status: int = 200,
    refusals: tuple[int, ...] = (),
) -> Callable[[Callable[..., Answer]], Callable[..., Response]]:
    """Let a view get the segments of its path, a ``query`` if it takes one, and a ``body`` if there is one.

    What does not fit the schemas is refused before the view is called, with names that nobody knows among it. The
    view returns the object to be sent with ``status``.
    """
    described = Operation(
        tag,
        query(unknown=RAISE),
        None if body is None else body(unknown=RAISE),
        body_optional,
        None if answer is None else answer(),
        status,
        refusals,
    )

    def declare(view: Callable[..., Answer]) -> Callable[..., Response]:
        @wraps(view)
        def handle(**segments: str) -> Response:
            _refuse_unfit_names(segments)
            given: dict[str, Any] = dict(segments)
            asked = _query(described.query)
            if described.query.fields:
                given["query"] = asked
            if described.body is not None:
                given["body"] = _loaded(described.body, json_body(request, optional=body_optional), "body")
            return json_answer(view(**given), status)

        setattr(handle, _ATTRIBUTE, described)
        return handle

    return declare


def described(view: Callable[..., Any] | None) -> Operation | None:
    """What was said about a view; None for one that is no operation."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None


def _refuse_unfit_names(segments: Mapping[str, str]) -> None:
    """Raise InvalidValue for a name in the path that nothing can have."""
    for what in NAMES:
        text = segments.get(what, "-")
        if len(text) > LONGEST_NAME or not text.isprintable() or _UNREADABLE in text:
            raise InvalidValue(f"The {what} in the path has 1 to {LONGEST_NAME} printable characters")


def _query(schema: Schema) -> Loaded:
    parameters: Parameters = query_parameters(request)
    # A bare name, as in ?force, has no value: that is not the null of JSON.
    return _loaded(schema, {name: "" if value is None else value for name, value in parameters.items()}, "query")


def _loaded(schema: Schema, value: Any, where: str) -> Loaded:  # noqa: ANN401 - whatever JSON can hold
    try:
        loaded: Loaded = schema.load(value)
    except ValidationError as error:
        raise Unfit(where, error) from error
    return loaded
