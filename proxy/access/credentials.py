"""What a request shows as proof of who sent it: ``Authorization``, or what phpIPAM's clients send in place of it.

Those log in with name and password (Basic), which are a token's name and secret here, and send what they were answered
in the header ``token`` or ``phpipam-token`` from then on.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass

from flask import Request

NO_TOKEN = "leasehold-without-tokens"  # noqa: S105 - opens nothing
"""What a log-in is answered while the book has no tokens. It proves nothing: whoever sends it has sent no token."""

_FACE = "phpipam"
_LOG_IN = "phpipam.log_in"
_HEADERS = ("token", "phpipam-token")
_BASIC = "basic "


@dataclass(frozen=True, slots=True)
class Credential:
    """``authorization`` as it is to be read, and the ``name`` that its token has to have.

    ``optional``: it counts only once there are tokens.
    """

    authorization: str | None
    name: str | None = None
    optional: bool = False


def credential_of(request: Request) -> Credential:
    """What ``request`` shows."""
    authorization = request.environ.get("HTTP_AUTHORIZATION")
    if request.blueprint != _FACE:
        return Credential(authorization)
    if request.endpoint == _LOG_IN and authorization is not None and authorization.lower().startswith(_BASIC):
        return _of_log_in(authorization[len(_BASIC) :])
    for header in _HEADERS:
        token = request.headers.get(header)
        if token == NO_TOKEN:
            return Credential(None)
        if token is not None:
            return Credential(f"Bearer {token}")
    return Credential(authorization)


def _of_log_in(encoded: str) -> Credential:
    try:
        name, _, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (NotBase64, ValueError):
        name, password = "", ""
    return Credential(f"Bearer {password}", name, optional=True)
