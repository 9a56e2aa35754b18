"""What the log says about access at every start, and whenever the settings are read again."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.access.trusted_hosts import is_loopback
from proxy.settings import Settings

_LOOPBACK_NAME = "localhost"


def access_notices(settings: Settings) -> Iterator[str]:
    """A line for everything that lets somebody in, or nobody, where an operator might not expect it."""
    names = settings.trusted_hosts
    if settings.insecure_http and names is None:
        yield ":insecure_http: is true: everybody who can connect over plain HTTP may change the book"
    elif settings.insecure_http:
        yield ":insecure_http: is true and has no effect, because :trusted_hosts: is set"
    if names is not None and not names:
        yield ":trusted_hosts: is empty: nobody gets in without a token"
    if settings.http_port and names is None and not settings.insecure_http:
        outside = [host for host in settings.bind_host if not _is_local(host)]
        if outside:
            yield (
                f"Plain HTTP on {', '.join(outside)}: everybody who can connect may read the book; to change it from "
                "another machine takes a token"
            )


def _is_local(host: str) -> bool:
    return host == _LOOPBACK_NAME or is_loopback(host)
