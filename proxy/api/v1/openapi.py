"""The OpenAPI document of ``/api/v1``, made of the routes and of the schemas that read their requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from inspect import getdoc
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from marshmallow import Schema, fields

from proxy import __version__
from proxy.access.policy import Policy, declared
from proxy.api.answer import JSON
from proxy.api.v1.errors import CODES
from proxy.api.v1.operation import Operation, described

_VERSION = "3.1.0"
_SEGMENT = re.compile(r"<([a-z_]+)>")
_ADDRESS = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
_NAME = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^/]+$"}
_SEGMENTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "address": ("The address of the network, without host bits.", _ADDRESS),
    "prefix": ("The length of its prefix.", {"type": "integer", "minimum": 0, "maximum": 128}),
    "ip": ("The address.", _ADDRESS),
    "cluster": ("The cluster of the guest; the name of its node if that is in none.", _NAME),
    "name": ("The name of the guest.", _NAME),
}
_TAGS = {
    "groups": "Names in which networks are apart: the same network may be in several.",
    "subnets": "What addresses are handed out of.",
    "addresses": "What is reserved.",
    "holds": "What is promised, and free again when nobody reserves it in time.",
    "guests": "Jails and virtual machines, known by cluster and name.",
    "claims": "The right of one node at a time to run a guest.",
    "events": "Who changed what, when.",
    "about": "This interface itself.",
}
_REFUSALS = {
    400: "The body or the query cannot be read.",
    401: "The token is not valid.",
    403: "Whoever calls may not do this.",
    404: "There is no such thing.",
    409: "Somebody else has it, or nothing is free: see `code`.",
    413: "The body is larger than 64 KiB.",
    415: "The body is not application/json.",
    422: "A value in the path, the query or the body does not fit; `fields` says which, if it can be told.",
    429: "Refused too often: wait for as long as `Retry-After` says.",
    503: "The book, the IPAM or the DHCP server does not answer: nothing was changed, try again.",
}
_CODES = sorted({code for codes in CODES.values() for code in codes})
_NEEDS = {
    Policy.READ: "Needs the right to read: any scope.",
    Policy.HOLD: "Needs a token of scope reserve, guest or admin, or what stands for one.",
    Policy.GUEST: "Needs a token of scope guest (of that node) or admin, or what stands for one.",
    Policy.WRITE: "Needs a token of scope reserve or admin, or what stands for one.",
    Policy.ADMIN: "Needs a token of scope admin.",
}

_TOO_MANY = 429
_INFO = {
    "description": (
        "Hands out IP addresses and never hands out the same one twice. Requests and answers are JSON; times are in "
        "UTC. Names that a body or query does not know are refused. Every error has one shape."
    ),
    "license": {"name": "BSD-2-Clause", "identifier": "BSD-2-Clause"},
}


class ErrorBody(Schema):
    """What went wrong."""

    code = fields.String(required=True, metadata={"description": "For programs.", "enum": _CODES})
    message = fields.String(required=True, metadata={"description": "For people: what happened, and what to do."})
    request_id = fields.String(required=True, metadata={"description": "Under which the log and the events have it."})
    fields_ = fields.Dict(
        data_key="fields",
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "With `invalid_value`: what is wrong, by field."},
    )
    owner = fields.Dict(metadata={"description": "With `conflict`: who has it, if that is known."})
    missing = fields.String(metadata={"description": "With `not_found`: `subnet`, `group` or `guest`, if it is that."})
    holder = fields.Dict(metadata={"description": "With `claimed`: the claim that is in the way."})
    used = fields.Integer(metadata={"description": "With `exhausted`: how many are reserved."})
    held = fields.Integer(metadata={"description": "With `exhausted`: how many are held."})
    retry_after = fields.Integer(metadata={"description": "With `too_many_attempts`: in how many seconds."})


class Error(Schema):
    """The one shape of errors."""

    error = fields.Nested(ErrorBody, required=True)


def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the routes of ``app``."""
    marshmallow = MarshmallowPlugin(schema_name_resolver=lambda schema: _name(schema))
    spec = APISpec("Leasehold", __version__, _VERSION, plugins=[marshmallow], info=_INFO, tags=_tags())
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Error", schema=Error)
    for status, text in _REFUSALS.items():
        headers = {"Retry-After": {"schema": {"type": "integer"}}} if status == _TOO_MANY else {}
        spec.components.response(
            str(status), {"description": text, "content": {JSON: {"schema": "Error"}}, "headers": headers}
        )
    by_path: dict[str, dict[str, Any]] = {}
    for rule, method, view, said in operations(app):
        by_path.setdefault(_path(rule), {})[method.lower()] = _operation(rule, view, said)
    for path, of_methods in sorted(by_path.items()):
        spec.path(path, operations=of_methods)
    made: dict[str, Any] = spec.to_dict()
    return made


def operations(app: Flask) -> Iterator[tuple[str, str, Callable[..., Any], Operation]]:
    """Every operation of the face, by path: the rule, the method, the view, what was said about it."""
    order = ("GET", "POST", "PUT", "PATCH", "DELETE")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        said = described(view)
        if said is not None:
            for method in sorted((rule.methods or set()) & set(order), key=order.index):
                yield rule.rule, method, view, said


def summary_and_text(view: Callable[..., Any]) -> tuple[str, str]:
    """The first sentence of a view's docstring without its full stop, and the rest of it in one line."""
    first, _, rest = (getdoc(view) or "").partition("\n")
    return first.removesuffix("."), " ".join(rest.split())


def needs(view: Callable[..., Any]) -> str:
    """What a route needs of whoever calls it, in words."""
    declaration = declared(view)
    return "" if declaration is None else _NEEDS[declaration.policy]


def _operation(rule: str, view: Callable[..., Any], said: Operation) -> dict[str, Any]:
    summary, text = summary_and_text(view)
    parameters: list[dict[str, Any]] = [_segment(name) for name in _SEGMENT.findall(rule)]
    if said.query.fields:
        parameters.append({"in": "query", "schema": said.query})
    made: dict[str, Any] = {
        "operationId": view.__name__,
        "tags": [said.tag],
        "summary": summary,
        "description": " ".join(filter(None, (text, needs(view)))),
        "parameters": parameters,
        "security": [{}, {"token": []}],
        "responses": {str(said.status): {"description": "Done.", "content": {JSON: {"schema": said.answer}}}}
        | {str(status): str(status) for status in said.may_answer()},
    }
    if said.body is not None:
        made["requestBody"] = {"required": not said.body_optional, "content": {JSON: {"schema": said.body}}}
    return made


def _segment(name: str) -> dict[str, Any]:
    text, schema = _SEGMENTS[name]
    return {"name": name, "in": "path", "required": True, "description": text, "schema": dict(schema)}


def _path(rule: str) -> str:
    return _SEGMENT.sub(r"{\1}", rule)


def _name(schema: Any) -> str:  # noqa: ANN401 - apispec hands over a class or an instance
    found = schema if isinstance(schema, type) else type(schema)
    return str(found.__name__)


def _tags() -> list[dict[str, str]]:
    return [{"name": name, "description": text} for name, text in _TAGS.items()]
