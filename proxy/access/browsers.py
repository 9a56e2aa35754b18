"""What a web page may not do through the browser that shows it.

A browser sends requests for every page, from the address of its own machine. Where an address is all that is known of
a caller, a page from anywhere could therefore change the book. Two things give it away: the headers that browsers add
(``Origin``, https://fetch.spec.whatwg.org/#origin-header, and ``Sec-Fetch-Site``, https://www.w3.org/TR/fetch-metadata/),
and the name in ``Host`` when the page's own name was made to lead to this machine.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from werkzeug.datastructures import Headers

from proxy.access.trusted_hosts import is_loopback

FOREIGN_PAGE = (
    "A web page of another site may not change the book through a browser: this request names another Origin than its "
    "Host, or says Sec-Fetch-Site: cross-site. Send it without a browser, or with a token (leasehold token create)"
)

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_EVERYWHERE = frozenset({"*", "0.0.0.0", "::"})  # noqa: S104 - what is bound, not where to bind
_HOST = re.compile(r"\[([^\[\]]*)\](?::\d*)?|([^\[\]:]*)(?::\d*)?")


def is_foreign_page(headers: Headers) -> bool:
    """Whether a request was sent by a browser for a page that is not of the host and port it was sent to."""
    if headers.get("Sec-Fetch-Site", "").strip().lower() == "cross-site":
        return True
    origin = headers.get("Origin")
    if origin is None:
        return False
    scheme, _, authority = origin.strip().lower().partition("://")
    port = _DEFAULT_PORTS.get(scheme, "")
    host = headers.get("Host", "").strip().lower()
    # "null" is what pages send that have no origin, or hide it.
    return not authority or authority.removesuffix(port) != host.removesuffix(port)


def names_this_machine(host: str, bind_host: Collection[str]) -> bool:
    """Whether a header ``Host`` has a name that can only mean this machine: of loopback, or one of ``:bind_host:``.

    HTTP/1.0 has none, which is good too: no browser sends that.
    """
    match = _HOST.fullmatch(host.strip().lower())
    if match is None:
        return False
    name = match[1] or match[2] or ""
    return name in {"", "localhost"} or is_loopback(name) or name in {each.lower() for each in bind_host} - _EVERYWHERE
