"""X-Request-Id: taken from the caller or made here, told to the event log and the log, and returned in the answer.

Foreman sends one with every call, so that a line in its log can be found again in ours.
"""

from __future__ import annotations

import re
from uuid import uuid4

from flask import request

HEADER = "X-Request-Id"

_ENVIRON_KEY = "leasehold.request_id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:/@=+-]{1,128}")


def request_id() -> str:
    """The id of this request, the same however often it is asked for.

    The caller's own is taken if it is one of 1 to 128 letters, digits and ``._:/@=+-``; anything else could break
    the log and is replaced by a fresh one.
    """
    environ = request.environ
    known: str | None = environ.get(_ENVIRON_KEY)
    if known is None:
        offered = environ.get("HTTP_X_REQUEST_ID", "")
        known = offered if _ACCEPTED.fullmatch(offered) else uuid4().hex
        environ[_ENVIRON_KEY] = known
    return known
