"""The Logs face: the last log lines of the service, for the page of a proxy in Foreman."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Blueprint, Response, request

from proxy.access import Policy, access
from proxy.api.answer import JSON, to_json
from proxy.api.form import query_parameters
from proxy.logs.destinations import current_ring
from proxy.service import Service, current_service

face = Blueprint("logs", __name__, url_prefix="/logs")

_ERRORS = 3
"""The level from which lines are kept longer, as Ruby numbers levels: ERROR."""

_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?)")


@face.get("")
@face.get("/")
@access(Policy.READ)
def lines() -> Response:
    """The lines since ``from_timestamp`` (seconds since 1970), the oldest first, and how many there can be."""
    since = _seconds(query_parameters(request).get("from_timestamp"))
    ring = current_ring()
    bodies = [] if ring is None else [kept.body for kept in ring.records(since)]
    info = to_json(_info(current_service())).encode()
    return Response(b'{"info":' + info + b',"logs":[' + b",".join(bodies) + b"]}", content_type=JSON)


def _info(service: Service) -> Mapping[str, object]:
    return {
        "size": service.settings.log_buffer,
        "tail_size": service.settings.log_buffer_errors,
        "level": None,
        "level_tail": _ERRORS,
        "failed_modules": dict(service.failed_modules),
    }


def _seconds(text: object) -> float:
    """The number that ``text`` begins with, as Ruby's ``to_f`` has it; anything else counts as 0."""
    found = _NUMBER.match(text) if isinstance(text, str) else None
    return float(found[1]) if found else 0.0
