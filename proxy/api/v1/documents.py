"""``/openapi.json`` and ``/docs``: what this interface is, for programs and for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app

from proxy.access import Policy, access
from proxy.api.answer import json_answer
from proxy.api.v1.face import face

_KEY = "leasehold_openapi"
_SAFE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@face.get("/openapi.json")
@access(Policy.READ, keeps_limits=True)
def openapi() -> Response:
    """The OpenAPI document."""
    return json_answer(_document())


@face.get("/docs")
@access(Policy.READ, keeps_limits=True)
def docs() -> Response:
    """The same for people: one page that needs nothing from elsewhere."""
    from proxy.api.v1.page import page

    answer = Response(page(_document()), content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _SAFE
    return answer


def _document() -> Mapping[str, Any]:
    """The document of this application, made when somebody asks for the first time."""
    known: Mapping[str, Any] | None = current_app.extensions.get(_KEY)
    if known is None:
        from proxy.api.v1.openapi import document

        known = current_app.extensions[_KEY] = document(current_app)
    return known
