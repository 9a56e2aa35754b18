"""What the errors of ``/api/v1`` are called: by the face that sends them, and by the command line that reads them."""

from __future__ import annotations

from providers.errors import (
    Claimed,
    Conflict,
    Exhausted,
    Forbidden,
    GroupNotFound,
    GuestNotFound,
    InvalidValue,
    LeaseholdError,
    NotAuthenticated,
    NotFound,
    SubnetNotFound,
    TooManyAttempts,
)

KINDS: tuple[tuple[type[LeaseholdError], str], ...] = (
    (InvalidValue, "invalid_value"),
    (NotAuthenticated, "not_authenticated"),
    (Forbidden, "forbidden"),
    (NotFound, "not_found"),
    (Claimed, "claimed"),
    (Conflict, "conflict"),
    (Exhausted, "exhausted"),
    (TooManyAttempts, "too_many_attempts"),
)
"""The code of each kind, the narrower kind first; what is of none of them is ``unavailable``."""

MISSING: tuple[tuple[type[NotFound], str], ...] = (
    (SubnetNotFound, "subnet"),
    (GroupNotFound, "group"),
    (GuestNotFound, "guest"),
)
"""What ``not_found`` is about, where a program may want to know."""

NO_SUCH_PATH = "There is nothing at this path"
"""How the face begins to say that it has no such route, which it never says about a path that it has."""
