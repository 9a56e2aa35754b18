"""How an error leaves the program: one message on standard error and an exit code.

====  ==========================================================================
code  meaning
====  ==========================================================================
0     done; also when there was nothing left to do
1     refused: somebody else has it, or there is no such thing
2     wrong on the command line: an option, an argument or a value in it
3     no free address
4     the database or a peer does not answer now; trying again later may help
5     the settings or the database's schema need the operator
====  ==========================================================================
"""

from __future__ import annotations

from providers.errors import (
    Exhausted,
    GroupNotFound,
    GuestNotFound,
    InvalidValue,
    LeaseholdError,
    Misconfigured,
    SubnetNotFound,
    Unavailable,
)

_REFUSED = 1
_HINTS: dict[type[LeaseholdError], str] = {
    Exhausted: "See who has them: leasehold address list, leasehold hold list",
    SubnetNotFound: "See which there are: leasehold subnet list",
    GroupNotFound: "See which there are: leasehold subnet list",
    GuestNotFound: "See which there are: leasehold guest list",
}
_CODES: dict[type[LeaseholdError], int] = {InvalidValue: 2, Exhausted: 3, Unavailable: 4, Misconfigured: 5}


def exit_code(error: LeaseholdError) -> int:
    """The code that the program ends with because of ``error``."""
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), _REFUSED)


def message(error: LeaseholdError) -> str:
    """What happened, in lines without anything that a terminal would obey: parts of it may come from elsewhere."""
    return "".join(char if char.isprintable() or char in "\t\n" else "?" for char in str(error))


def hint(error: LeaseholdError) -> str | None:
    """What to type next, where the message itself does not say."""
    return next((text for kind, text in _HINTS.items() if isinstance(error, kind)), None)
