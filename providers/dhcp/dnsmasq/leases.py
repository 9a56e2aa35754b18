"""dnsmasq's leases file: what it gave out, one line a lease; see lease_update_file() of its src/lease.c.

``1795181043 52:54:00:00:00:02 10.77.0.11 db 01:52:54:00:00:00:02``: when it ends (seconds since 1970, 0 for never),
MAC, address, name and client id, a ``*`` for what is missing. After a line that begins with ``duid`` come those of
IPv6. dnsmasq writes the whole file in place, so it may be found empty or cut off.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from netaddr import IPAddress, IPNetwork

from providers.addresses import parse_address, parse_mac
from providers.clock import Clock
from providers.dhcp.dnsmasq.confirmed import Signature, signature
from providers.errors import InvalidValue, Unavailable
from providers.model import Lease

LOOK_SECONDS = 1.0
_NONE = "*"
_WORDS = 5


@dataclass(frozen=True, slots=True)
class _Seen:
    """The leases as of one look, by address and by MAC; ``missing`` were there before and may come back."""

    file: Signature = None
    by_address: Mapping[IPAddress, Lease] = field(default_factory=dict)
    by_mac: Mapping[str, list[Lease]] = field(default_factory=dict)
    missing: Mapping[IPAddress, Lease] = field(default_factory=dict)


_NOTHING = _Seen()


class LeasesFile:
    """Follows the file; answers from memory, and looks at most once a second whether it changed."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._seen = _NOTHING
        self._failure: str | None = None
        self._looked = float("-inf")
        self._looking = threading.Lock()

    @property
    def failure(self) -> str | None:
        """Why the file could not be read when it was last looked at."""
        return self._failure

    def all(self) -> Iterator[Lease]:
        """The active leases, by address."""
        self.refresh()
        now = self._clock()
        found = self._seen.by_address
        for address in sorted(found):
            if _active(found[address], now):
                yield found[address]

    def within(self, network: IPNetwork) -> Iterator[Lease]:
        """The active leases of a network, by address."""
        return (lease for lease in self.all() if lease.address in network)

    def at(self, address: IPAddress) -> Lease | None:
        """The active lease of an address."""
        self.refresh()
        lease = self._seen.by_address.get(address)
        return lease if lease is not None and _active(lease, self._clock()) else None

    def of(self, mac: str, network: IPNetwork) -> Lease | None:
        """The active lease that a MAC has in a network."""
        self.refresh()
        now = self._clock()
        found = self._seen.by_mac.get(mac, ())
        return next((lease for lease in found if lease.address in network and _active(lease, now)), None)

    def refresh(self, *, at_once: bool = False) -> None:
        """Read the file if it changed; a file that is not there has no leases.

        One that cannot be read leaves what was known, which ends in its time. Raises Unavailable when it never could.
        """
        due = at_once or time.monotonic() - self._looked >= LOOK_SECONDS
        # Whoever comes while another one looks takes what is known, unless nothing is known yet.
        if due and self._looking.acquire(blocking=at_once or self._seen is _NOTHING):
            try:
                self._look()
                self._looked = time.monotonic()
            finally:
                self._looking.release()
        if self._failure is not None and self._seen is _NOTHING:
            raise Unavailable(self._failure)

    def _look(self) -> None:
        known = self._seen
        try:
            before = signature(self._path)
            if known is not _NOTHING and before == known.file and not known.missing:
                return
            text = self._path.read_bytes() if before is not None else b""
            whole = signature(self._path) == before
        except OSError as error:
            self._failure = f"The leases file {self._path} cannot be read: {error.strerror}"
            return
        except Unavailable as error:
            self._failure = str(error)
            return
        self._failure = None
        found = {lease.address: lease for lease in _leases(text, known.by_address, self._clock())}
        # A lease that is gone may only not have been written again yet: it goes when it is missed a second time.
        missing = {
            address: lease
            for address, lease in known.by_address.items()
            if address not in found and address not in known.missing
        }
        found |= missing
        by_mac: dict[str, list[Lease]] = defaultdict(list)
        for lease in found.values():
            by_mac[lease.mac].append(lease)
        self._seen = _Seen(before if whole else None, found, dict(by_mac), missing)


def _leases(octets: bytes, known: Mapping[IPAddress, Lease], now: datetime) -> Iterator[Lease]:
    """The leases of the lines that end, which a line that is being written does not."""
    for line in octets.decode(errors="replace").split("\n")[:-1]:
        words = line.split(" ")
        if words[0] == "duid":
            return
        if len(words) < _WORDS:
            continue
        try:
            yield _lease(words, known, now)
        except (InvalidValue, ValueError, OverflowError, OSError):
            # Hardware that is no Ethernet, and what is no lease at all.
            continue


def _lease(words: list[str], known: Mapping[IPAddress, Lease], now: datetime) -> Lease:
    ends, mac, address, name, client = words[:_WORDS]
    at = parse_address(address, version=4)
    before = known.get(at)
    mac = parse_mac(mac)
    return Lease(
        address=at,
        mac=mac,
        # The file does not say when it began, so it is when it was first seen.
        starts=before.starts if before is not None and before.mac == mac else now,
        ends=datetime.fromtimestamp(int(ends), UTC) if int(ends) else None,
        state="active",
        hostname=None if name == _NONE else name,
        uid=None if client == _NONE else client,
    )


def _active(lease: Lease, now: datetime) -> bool:
    return lease.ends is None or lease.ends > now
