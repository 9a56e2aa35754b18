"""On whose behalf this thread works right now, for log lines and for calls to IPAM and DHCP servers behind us."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

REQUEST_HEADER = "X-Request-Id"
SESSION_HEADER = "X-Session-Id"


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A request: the id that it came with or was given, the caller's session, and the address of the peer.

    The texts are fit for a log line and for a header; each request has its own object, equal to no other.
    """

    request_id: str
    session_id: str | None = None
    remote_ip: str | None = None


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """The request that this thread handles; None outside of requests."""
    return _current.get()


def begin(trace: Trace) -> None:
    """From now on this thread handles ``trace``."""
    _current.set(trace)


def end(trace: Trace) -> None:
    """Leave ``trace``, unless this thread is with another request by now."""
    if _current.get() is trace:
        _current.set(None)


def headers_to_pass_on() -> dict[str, str]:
    """What a call to a server behind us has to carry, so that its log can be read together with ours and Foreman's."""
    trace = _current.get()
    if trace is None:
        return {}
    named = {REQUEST_HEADER: trace.request_id, SESSION_HEADER: trace.session_id}
    return {name: value for name, value in named.items() if value is not None}
