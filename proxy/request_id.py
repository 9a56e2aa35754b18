"""X-Request-Id: taken from the caller or made here, told to the event log and the log, and returned in the answer.

Foreman sends one with every call, so that a line in its log can be found again in ours, and X-Session-Id, which is
the same for all calls of one of its users' sessions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

from flask import request

from providers.trace import REQUEST_HEADER as HEADER

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["HEADER", "request_id", "request_id_of", "session_id", "session_id_of"]

_ENVIRON_KEY = "leasehold.request_id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:/@=+-]{1,128}")


def request_id() -> str:
    """The id of this request, the same however often it is asked for; see :func:`request_id_of`."""
    return request_id_of(request.environ)


def session_id() -> str | None:
    """The id of the session that this request is part of; see :func:`session_id_of`."""
    return session_id_of(request.environ)


def request_id_of(environ: WSGIEnvironment) -> str:
    """The id of the request with that environment.

    The caller's own is taken if it is one of 1 to 128 letters, digits and ``._:/@=+-``; anything else could break
    the log and is replaced by a fresh one.
    """
    known: str | None = environ.get(_ENVIRON_KEY)
    if known is None:
        known = environ[_ENVIRON_KEY] = _clean(environ, "HTTP_X_REQUEST_ID") or uuid4().hex
    return known


def session_id_of(environ: WSGIEnvironment) -> str | None:
    """The caller's session, by the same rule; None when it has none, or one that could break the log."""
    return _clean(environ, "HTTP_X_SESSION_ID")


def _clean(environ: WSGIEnvironment, key: str) -> str | None:
    """The id in that header, if it is one. What looks like one of our tokens is none: it would be passed on."""
    offered: str = environ.get(key, "")
    return offered if _ACCEPTED.fullmatch(offered) and "lh_" not in offered.lower() else None
