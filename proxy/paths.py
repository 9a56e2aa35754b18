"""Paths as the routes see them: no doubled slashes, and group names with everything that was in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_DOUBLED = re.compile("/{2,}")
_ENCODED = ("/ipam/groups/", "/phpipam/api/")


class Paths:
    """WSGI layer that straightens the path before the routes see it.

    Runs of slashes become one, because Foreman's External IPAM client writes ``/ipam//groups``. In general ``%2F``
    separates like ``/``, as it does in the smart proxy. Below ``/ipam/groups/`` and ``/phpipam/api/`` the path stays
    percent-encoded instead, so that a slash can be part of a name; the routes there decode their segments themselves.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        path: str = environ["PATH_INFO"]
        if "//" in path:
            path = environ["PATH_INFO"] = _DOUBLED.sub("/", path)
        if path.startswith(_ENCODED):
            environ["PATH_INFO"] = _encoded(path, environ)
        return self._app(environ, start_response)


def _encoded(path: str, environ: WSGIEnvironment) -> str:
    """The path as the caller wrote it, as far as the server tells us; otherwise ``path`` encoded again."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    raw = target.partition("?")[0]
    if not raw.startswith("/"):  # RFC 9112, 3.2.2: a proxy may be sent the absolute form
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    raw = _DOUBLED.sub("/", raw).removeprefix(environ.get("SCRIPT_NAME", ""))
    return raw if raw.startswith(_ENCODED) else quote(path, encoding="latin-1")
