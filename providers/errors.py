"""One hierarchy for everything that can go wrong.

An error says what happened, to which address, and what to do. Faces turn the class into a status; nothing below them
knows about HTTP:

=====================  ==========================================  ==================
class                  meaning                                     usual status
=====================  ==========================================  ==================
InvalidValue           the caller's value is wrong                 400
NotFound               no such subnet, group, hold or reservation  404
Conflict               somebody else has it; the text says who     409
NotAuthenticated       what should prove who calls does not        401
Forbidden              whoever calls may not do this               403
TooManyAttempts        refused too often in a short time           429
Exhausted              nothing left to hand out                    by contract
Unavailable            the book or a peer cannot answer now        503
Refused                a peer answers no until somebody acts       503
Unreached              a peer could not be told anything           503
Uncertain              a peer may have done what was asked         503
Misconfigured          the operator has to act                     start is refused
=====================  ==========================================  ==================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from providers.guests import Claim


class LeaseholdError(Exception):
    """Root of all errors that Leasehold raises on purpose; ``str()`` is fit for the caller's eyes."""


class InvalidValue(LeaseholdError):
    """A value from the caller is wrong; nothing was changed."""


class NotFound(LeaseholdError):
    """What the caller named does not exist."""


class SubnetNotFound(NotFound):
    """No such subnet in the book."""


class GroupNotFound(NotFound):
    """No such group in the book."""


class Conflict(LeaseholdError):
    """Somebody else has what the caller wants; the text names the other party. Nothing was changed.

    ``owner`` says the same for programs, where it is known: of an address ``address``, ``name``, ``mac`` and ``uses``,
    of a guest's also ``cluster``, ``guest`` and ``node``.
    """

    def __init__(self, message: str, *, owner: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.owner = owner


class Claimed(Conflict):
    """Another node holds the claim of a guest; ``claim`` says which and since when. Nothing was changed."""

    def __init__(self, message: str, *, claim: Claim) -> None:
        super().__init__(message)
        self.claim = claim


class GuestNotFound(NotFound):
    """No such guest in the book."""


class NotAuthenticated(LeaseholdError):
    """A credential was given and is not good; the text is the same whatever is wrong with it."""


class Forbidden(LeaseholdError):
    """Whoever calls may not do this; the text says what would help. Nothing was changed."""


class TooManyAttempts(LeaseholdError):
    """Refused too often; ``retry_after`` counts the seconds after which it is worth trying again."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Exhausted(LeaseholdError):
    """No free address in the asked range; ``used`` and ``held`` count what is in the way."""

    def __init__(self, message: str, *, used: int, held: int) -> None:
        super().__init__(message)
        self.used = used
        self.held = held


class Unavailable(LeaseholdError):
    """The database, an IPAM or a DHCP server does not answer; trying again later may help."""


class Refused(Unavailable):
    """A peer answered, and will say the same again until somebody changes something there or in the settings."""


class Unreached(Unavailable):
    """A peer does not run, or nobody listens there: it was told nothing, and has done nothing."""


class Uncertain(Unavailable):
    """A peer was told to do something and did not say whether it did; it may still do it."""


class Misconfigured(LeaseholdError):
    """The operator has to act before the service can run: a wrong setting, a schema of another version."""
