"""Kea's leases in memory, found by address and by MAC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from netaddr import IPAddress, IPNetwork

from providers.addresses import Range
from providers.clock import Clock
from providers.model import Lease

ASSIGNED = 0
DECLINED = 1
"""Kea's states of a lease: default and declined (a client found the address in use). Others are over."""

_FOREVER = 0xFFFFFFFF
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """A lease as Kea keeps it: seconds since 1970, seconds, and a state by its number."""

    address: int
    mac: str
    ends: int
    lifetime: int
    state: int
    hostname: str
    client_id: str


class LeaseTable:
    """What was read; only ever replaced or added to by one thread at a time, and read by many."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._of_mac: dict[str, set[int]] = defaultdict(set)

    def put(self, row: Row) -> None:
        """A lease in the place of an earlier one on its address."""
        self._forget(row.address)
        if row.state in (ASSIGNED, DECLINED) and row.lifetime > 0:
            self._rows[row.address] = row
            self._of_mac[row.mac].add(row.address)

    def at(self, address: IPAddress, clock: Clock) -> Lease | None:
        """The active lease on an address, a declined one too: nobody may have it."""
        row = self._rows.get(int(address))
        return None if row is None or _is_over(row, clock()) else _lease(row)

    def first_unleased(self, within: Range, clock: Clock) -> IPAddress | None:
        """The first address of a range that nobody has."""
        now = clock()
        rows, last = self._rows, int(within.last)
        for address in range(int(within.first), last + 1):
            row = rows.get(address)
            if row is None or _is_over(row, now):
                return IPAddress(address, 4)
        return None

    def of(self, mac: str, network: IPNetwork, clock: Clock) -> Lease | None:
        """The active lease of a MAC in a network, the one that ends last."""
        now = clock()
        found = [self._rows.get(address) for address in tuple(self._of_mac.get(mac, ()))]
        active = [
            row
            for row in found
            if row is not None
            and row.state == ASSIGNED
            and network.first <= row.address <= network.last
            and not _is_over(row, now)
        ]
        return _lease(max(active, key=lambda row: row.ends)) if active else None

    def within(self, network: IPNetwork, clock: Clock) -> Iterator[Lease]:
        """The active leases of a network that a client has, by address."""
        now = clock()
        found = [row for row in tuple(self._rows.values()) if network.first <= row.address <= network.last]
        for row in sorted(found):
            if row.state == ASSIGNED and not _is_over(row, now):
                yield _lease(row)

    def _forget(self, address: int) -> None:
        before = self._rows.pop(address, None)
        if before is not None:
            there = self._of_mac[before.mac]
            there.discard(address)
            if not there:
                del self._of_mac[before.mac]


def _is_over(row: Row, now: datetime) -> bool:
    return row.lifetime != _FOREVER and row.ends <= now.timestamp()


def _lease(row: Row) -> Lease:
    forever = row.lifetime == _FOREVER
    return Lease(
        address=IPAddress(row.address, 4),
        mac=row.mac,
        starts=_moment(row.ends - row.lifetime) if row.ends >= row.lifetime else _EARLIEST,
        ends=None if forever else _moment(row.ends),
        state="active" if row.state == ASSIGNED else "abandoned",
        next_state="free",
        hostname=row.hostname.rstrip(".") or None,
        uid=row.client_id or None,
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
