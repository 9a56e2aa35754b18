"""Log-in and token. The name is that of a token and the password its secret; the secret is also what is answered.

So there is nothing to keep, nothing for other workers to learn, and a token that was revoked is refused at once. As
long as the book has no token at all, every name and password gets ``NO_TOKEN``, with which a caller is whoever they are
without one.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request

from proxy.access import Policy, access, current_identity
from proxy.access.credentials import NO_TOKEN
from proxy.api.phpipam.envelope import Refused, found
from proxy.api.phpipam.face import face
from proxy.api.phpipam.shapes import local_time
from proxy.service import current_book

_LIFETIME = timedelta(hours=6)
"""As phpIPAM's. A client comes back then; the token is as good as before."""


@face.post("/<app>/user/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def log_in(app: str) -> Response:
    """The token for whoever sent name and password (Basic)."""
    basic = request.authorization
    if basic is None or basic.type != "basic" or basic.password is None:
        raise Refused(400, "Please provide username and password")
    token = NO_TOKEN if current_identity().token is None else basic.password
    return found({"token": token, "expires": _expires()})


@face.get("/<app>/user/", strict_slashes=False)
@face.get("/<app>/user/token_expires/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def token(app: str) -> Response:
    """When to log in again."""
    return found({"expires": _expires()})


@face.route("/<app>/user/", methods=["PATCH", "PUT"], strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def extend(app: str) -> Response:
    """The same: every call extends."""
    return found({"expires": _expires()})


@face.delete("/<app>/user/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def log_out(app: str) -> Response:
    """Nothing was kept, so nothing ends: only an operator revokes a token."""
    return found(["Token removed"])


def _expires() -> str:
    end = current_book().clock() + _LIFETIME
    held = current_identity().token
    if held is not None and held.expires_at is not None:
        end = min(end, held.expires_at)
    return local_time(end)
