"""What can go wrong on a guest host. An error says what happened, to which guest or address, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def printable(text: str) -> str:
    """``text`` on one line, with a blank in place of what is no letter, digit or sign."""
    return "".join(char if char.isprintable() else " " for char in text)


class HookError(Exception):
    """Base of everything that the commands here report by one line.

    Parts of it come from elsewhere: nothing that a terminal would obey is in it.
    """

    def __str__(self) -> str:
        """The line."""
        return printable(super().__str__())


class Misconfigured(HookError):
    """The settings cannot be used; no other host will answer differently."""


class BadInput(HookError):
    """What the calling tool said cannot be understood."""


class Unreachable(HookError):
    """No service answered in time, or it cannot answer now: the same call may work later."""


class InternalError(Unreachable):
    """The service answered that it failed on this call (500): it may fail on it for ever, and on no other."""


class Refused(HookError):
    """The service understood and said no: the same call will be refused again.

    ``status`` is the HTTP status, ``code`` and ``detail`` are the error object of the answer.
    """

    def __init__(self, message: str, status: int, code: str = "", detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.detail = dict(detail or {})


class NotAllowed(Refused):
    """The token or certificate does not suffice (401, 403): mend the settings, then the same call works."""

    @property
    def for_this_alone(self) -> bool:
        """Whether others of our calls may be allowed: a token may reach the addresses of most guests and not of one."""
        return self.status == _FORBIDDEN


_FORBIDDEN = 403
