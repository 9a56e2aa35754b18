"""Failed attempts, counted per source in a fixed piece of memory that all workers share."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from mmap import mmap
from struct import Struct
from threading import Lock

from providers.clock import Clock, utc_now

_SLOT = Struct("=8sdI")
_SLOTS = 4096
_NETWORK_OF_ONE = 64


@dataclass(frozen=True, slots=True)
class Failures:
    """The failures of one source: how many in its present minute, and the seconds until that is over."""

    count: int
    seconds_left: int


class Throttle:
    """Counts failures; whoever has more than ``most`` in a minute is told to wait.

    The memory is taken here and never grows: a source has one of 4096 places, by a hash with a random key so that
    nobody can choose theirs, and takes it over from whoever was there. Processes forked after this share the counts.
    They do not wait for each other: of two failures in the same instant one may go uncounted.
    """

    def __init__(self, clock: Clock = utc_now, *, most: int = 10, period: timedelta = timedelta(minutes=1)) -> None:
        self._clock = clock
        self._most = most
        self._period = period.total_seconds()
        self._memory = mmap(-1, _SLOT.size * _SLOTS)
        self._key = secrets.token_bytes(16)
        self._lock = Lock()

    def failed(self, source: str) -> Failures:
        """Count a failure of ``source``, an address or any other text; returns how many there are."""
        now = self._clock().timestamp()
        mark = blake2b(_one(source).encode(), digest_size=8, key=self._key).digest()
        place = int.from_bytes(mark, "little") % _SLOTS * _SLOT.size
        with self._lock:
            owner, start, count = _SLOT.unpack_from(self._memory, place)
            if owner != mark or not start <= now < start + self._period:
                start, count = now, 0
            count = min(count + 1, 1_000_000)
            _SLOT.pack_into(self._memory, place, mark, start, count)
        return Failures(count, max(1, round(start + self._period - now)))

    def slows(self, failures: Failures) -> bool:
        """Whether that is too many."""
        return failures.count > self._most


def _one(source: str) -> str:
    """Who counts as one: an IPv6 address with all others of its /64, which one machine may have to itself."""
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, _NETWORK_OF_ONE), strict=False))
    return str(address)
