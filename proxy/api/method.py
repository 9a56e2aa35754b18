"""The method that a POST means: browsers and old clients cannot send a DELETE, so they say it in the request."""

from __future__ import annotations

from flask import Request

from proxy.api.form import Parameters


def meant_method(request: Request, form: Parameters) -> str:
    """The method in upper case: parameter ``_method``, else header ``X-HTTP-Method-Override``, else POST."""
    return (form.text("_method") or request.headers.get("X-HTTP-Method-Override") or request.method).upper()
