"""The words that CBSD gives its DHCP helper: ``name='value'`` with their quotes, broken at blanks.

They are put together again and read tolerantly (guest-hooks, section 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

_LONGEST_NUMBER = 9


class Wanted(NamedTuple):
    """What CBSD asks for: an address of a family out of a pool for some seconds, or addresses to be given back."""

    version: int
    pool: str
    lease_seconds: int
    cleanup: tuple[str, ...] | None


def understood(arguments: Sequence[str], environment: Mapping[str, str]) -> Wanted:
    """What is asked for; unknown names count for nothing, and of a name that comes twice the last value."""
    given = dict(_pairs(" ".join(arguments)))
    version = 6 if environment.get("CBSD_APP") == "dhcpdv6" else 4
    lease = given.get("lease_time", "").strip()
    cleanup = given.get("cleanup")
    return Wanted(
        version=version,
        # The reference page knows ip4pool alone; dhcpdv6 of CBSD 14.1 takes ip6pool.
        pool=given.get(f"ip{version}pool") or given.get("ip4pool", ""),
        lease_seconds=int(lease[:_LONGEST_NUMBER]) if lease.isascii() and lease.isdecimal() else 0,
        cleanup=None if cleanup is None else tuple(cleanup.replace(",", " ").split()),
    )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Names and values. A value ends with the quote that began it or, without one, at the next blank."""
    while text := text.lstrip():
        name, equals, rest = text.partition("=")
        if not equals:
            return
        name = name.split()[-1] if name.split() else ""
        quote = rest[:1]
        if quote in ("'", '"'):
            value, _, text = rest[1:].partition(quote)
        else:
            value, _, text = rest.partition(" ")
        yield name, value
