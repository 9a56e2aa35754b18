"""CBSD's ``ip4_addr``: a list of addresses of both families, and words for addresses that CBSD does not know.

``[IFACE#|vhid_N#]ADDR[/PREFIX]`` separated by commas, or ``DHCP``, ``DHCPv6``, ``REALDHCP``, ``0``, or nothing
(guest-hooks, section 2).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from hooks.addresses import Address, normal_address

REAL_DHCP = "realdhcp"
DHCP = frozenset({"dhcp", "dhcpv4"})
_LATER = DHCP | {REAL_DHCP, "dhcpv6", "0", ""}
_CARP = "vhid_"


class Addresses(NamedTuple):
    """What a guest has. ``known`` is False when it has, or will have, addresses that CBSD does not tell."""

    listed: tuple[Address, ...]
    known: bool
    unread: tuple[str, ...] = ()
    """Items that are neither an address nor one of CBSD's words."""
    words: tuple[tuple[int, str], ...] = ()
    """CBSD's words in lower case, each with its place in the list."""


def read_ip4_addr(text: str, shared: Collection[str] = ()) -> Addresses:
    """The addresses in ``text``; those of a vhid, and those in ``shared``, may be on several guests at once."""
    listed: dict[str, Address] = {}
    unread: list[str] = []
    words: list[tuple[int, str]] = []
    for place, item in enumerate(text.split(",")):
        before, mark, after = item.strip().rpartition("#")
        interface = before if mark else None
        word = after.strip().lower()
        if word in _LATER:
            words.append((place, word))
            continue
        address = normal_address(after)
        if address is None:
            unread.append(item.strip())
            continue
        carp = any(part.startswith(_CARP) for part in before.split("#"))
        listed.setdefault(address, Address(address, interface, carp or address in shared))
    return Addresses(tuple(listed.values()), not words and not unread, tuple(unread), tuple(words))
