"""Addresses that the service tells, before anything on the host hears them.

CBSD, iocage and their users take what we print into shell scripts that run as root. Whatever answers at a URL of the
settings, and whoever is between it and us, must not be able to say anything there but an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hooks.addresses import normal_address
from hooks.errors import Unreachable


def told_address(answer: Mapping[str, Any], *, version: int | None = None) -> str:
    """The ``address`` of an answer, of IP ``version`` 4 or 6 if given. Raises Unreachable when it has none."""
    told = answer.get("address")
    # What may stand behind an address in settings of guests is no part of one here.
    address = normal_address(told) if isinstance(told, str) and set("/%").isdisjoint(told) else None
    if address is None or version not in (None, 6 if ":" in address else 4):
        raise _no_leasehold("address", told)
    return address


def told_prefix(answer: Mapping[str, Any], key: str) -> int:
    """The length of the prefix of the network that an answer names. Raises Unreachable when it names none."""
    told = answer.get(key)
    base, _, prefix = told.partition("/") if isinstance(told, str) else ("", "", "")
    address = normal_address(base)
    longest = 128 if address is not None and ":" in address else 32
    if address is None or not (prefix.isascii() and prefix.isdecimal() and len(prefix) <= 3 and int(prefix) <= longest):
        raise _no_leasehold(key, told)
    return int(prefix)


def _no_leasehold(key: str, told: object) -> Unreachable:
    return Unreachable(f"the answer has {str(told)[:60]!r} as {key}: that is no Leasehold")
