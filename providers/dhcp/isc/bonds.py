"""Hosts that share an address on purpose: the members of a bond, as Foreman writes them.

It calls them ``db-01``, ``db-02`` and gives all of them the hostname ``db``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from netaddr import IPAddress

from providers.address_book.incoming import IncomingAddress

_NUMBER = re.compile(r"-[0-9]{2}")


def with_related_macs(found: Iterable[IncomingAddress]) -> list[IncomingAddress]:
    """The same addresses in the same order, members of a bond knowing the MACs of one another."""
    entries = list(found)
    bonds: dict[tuple[IPAddress, str], set[str]] = defaultdict(set)
    for entry in entries:
        if entry.host is not None and _is_member(entry):
            bonds[entry.address, entry.host.hostname].add(entry.host.mac)
    return [
        replace(entry, related_macs=frozenset(bonds[entry.address, entry.host.hostname]))
        if entry.host is not None and _is_member(entry)
        else entry
        for entry in entries
    ]


def _is_member(entry: IncomingAddress) -> bool:
    host = entry.host
    if host is None or not host.name.startswith(host.hostname):
        return False
    return _NUMBER.fullmatch(host.name[len(host.hostname) :]) is not None
