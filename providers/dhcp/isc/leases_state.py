"""What dhcpd's leases file says at its end: hosts made through OMAPI, and active leases, found by MAC and by address.

dhcpd writes each block in one shape, the name on its first line and a closing brace alone on its last (dhcpd.leases(5),
and 4.4.3-P1 as it is), so blocks are found without reading all of their words; what is inside one is read when
somebody asks for it. What does not have that shape, as a block that was cut off, is passed over.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from socket import inet_aton
from typing import TypeVar

from netaddr import IPAddress, IPNetwork

from providers.dhcp.isc import values
from providers.dhcp.isc.grammar import Statement, parse
from providers.dhcp.isc.statements import is_mark, told_by
from providers.errors import InvalidValue
from providers.model import Lease

log = logging.getLogger(__name__)

_Key = TypeVar("_Key")
_Inner = TypeVar("_Inner")
_Value = TypeVar("_Value")

_BLOCK = re.compile(rb"^(lease|host) ([^\s{]+) \{\n((?:[ \t][^\n]*\n|\n)*)\}\n", re.MULTILINE)
_HARDWARE = re.compile(rb"^  hardware [a-z0-9-]+ ([0-9a-f:]+);$", re.MULTILINE)
_ADDRESSES = re.compile(rb"^  fixed-address ([0-9., ]+);$", re.MULTILINE)
_QUOTED = re.compile(r'^  (uid|client-hostname) "(.*)";$', re.MULTILINE)
_ACTIVE = b"\n  binding state active;\n"
_ABANDONED = b"\n  binding state abandoned;\n"
_DELETED = b"  deleted;\n"
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class WrittenHost:
    """A host that was made through OMAPI; ``body`` is what stands between its braces."""

    name: str
    mac: str | None
    numbers: tuple[int, ...]
    body: bytes

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        """Its fixed addresses: one, unless somebody made it who is not Leasehold."""
        return tuple(IPAddress(number, 4) for number in self.numbers)

    @property
    def told(self) -> Mapping[str, bytes | str]:
        """What its client is told, by dhcpd's names."""
        return self._read[0]

    @property
    def is_ours(self) -> bool:
        """Whether it has the mark of Leasehold."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[Mapping[str, bytes | str], bool]:
        said = _statements(self.body)
        return told_by(said), any(map(is_mark, said))


class LeasesState:
    """Grows with every piece of the file; the last word on a host or an address counts."""

    def __init__(self) -> None:
        self.deleted: set[str] = set()
        self._hosts: dict[str, WrittenHost] = {}
        self._by_mac: dict[str | None, dict[str, WrittenHost]] = {}
        self._by_address: dict[int, dict[str, WrittenHost]] = {}
        self._leases: dict[int, _WrittenLease] = {}
        self._leased: dict[str, dict[int, _WrittenLease]] = {}
        self._abandoned: set[int] = set()

    def take_in(self, piece: bytes) -> int:
        """Read the blocks of ``piece``; returns where the last whole one ends, 0 if there is none."""
        end = 0
        for block in _BLOCK.finditer(piece):
            end = block.end()
            kind, name, body = block.groups()
            if kind == b"host":
                self._take_in_host(name.decode("latin-1"), body)
            else:
                self._take_in_lease(name.decode("latin-1"), body)
        return end

    def host(self, name: str) -> WrittenHost | None:
        """The host of that name."""
        return self._hosts.get(name)

    def hosts_of(self, mac: str) -> list[WrittenHost]:
        """The hosts of a MAC."""
        return list(self._by_mac.get(mac, {}).values())

    def hosts_at(self, address: IPAddress) -> list[WrittenHost]:
        """The hosts of an address."""
        return list(self._by_address.get(int(address), {}).values())

    def hosts_in(self, network: IPNetwork) -> list[tuple[IPAddress, WrittenHost]]:
        """The hosts with an address in a network, by address and name."""
        return [
            (IPAddress(number, 4), self._by_address[number][name])
            for number in _within(self._by_address, network)
            for name in sorted(self._by_address[number])
        ]

    def lease_at(self, address: IPAddress, now: datetime) -> Lease | None:
        """The active lease of an address."""
        written = self._leases.get(int(address))
        return None if written is None else _active(written, now)

    def occupies(self, number: int, now: datetime) -> bool:
        """Whether an address, as a number, has a host or an active lease, or was found in use by somebody unknown."""
        if number in self._by_address or number in self._abandoned:
            return True
        written = self._leases.get(number)
        return written is not None and _active(written, now) is not None

    def leases_of(self, mac: str, now: datetime) -> list[Lease]:
        """The active leases of a MAC, the latest first."""
        found = (_active(each, now) for each in self._leased.get(mac, {}).values())
        return sorted((each for each in found if each is not None), key=lambda each: each.starts, reverse=True)

    def leases_in(self, network: IPNetwork, now: datetime) -> list[Lease]:
        """The active leases in a network, by address."""
        found = (_active(self._leases[number], now) for number in _within(self._leases, network))
        return [lease for lease in found if lease is not None]

    def counts(self) -> tuple[int, int]:
        """How many hosts there are, and how many leases that were active when they were written."""
        return len(self._hosts), len(self._leases)

    def _take_in_host(self, name: str, body: bytes) -> None:
        before = self._hosts.pop(name, None)
        if before is not None:
            _take_out(self._by_mac, before.mac, name)
            for number in before.numbers:
                _take_out(self._by_address, number, name)
        if _DELETED in body:
            self.deleted.add(name)
            return
        host = WrittenHost(name, _mac(body), tuple(_numbers(body)), body)
        self._hosts[name] = host
        self._by_mac.setdefault(host.mac, {})[name] = host
        for number in host.numbers:
            self._by_address.setdefault(number, {})[name] = host

    def _take_in_lease(self, text: str, body: bytes) -> None:
        number = _number(text)
        if number is None:
            return
        before = self._leases.pop(number, None)
        if before is not None:
            _take_out(self._leased, before.mac, number)
        self._abandoned.discard(number)
        if _ABANDONED in body:
            self._abandoned.add(number)
        mac = _mac(body)
        if mac is not None and _ACTIVE in body:
            lease = _WrittenLease(number, mac, body)
            self._leases[number] = lease
            self._leased.setdefault(mac, {})[number] = lease


@dataclass(frozen=True)
class _WrittenLease:
    """An address that was active when this was written."""

    number: int
    mac: str
    body: bytes

    @cached_property
    def read(self) -> Lease | None:
        """All of it; None when it cannot be read."""
        address = IPAddress(self.number, 4)
        try:
            said = {each.keyword: each for each in _statements(self.body)}
            starts = values.moment(said["starts"].arguments) if "starts" in said else None
            ends = values.moment(said["ends"].arguments) if "ends" in said else None
        except InvalidValue as error:
            log.warning("The leases file says of %s what cannot be read: %s", address, error)
            return None
        after = said.get("next")
        # Without unescaping: dhcpd writes octets that are no text as \001, and so does the smart proxy show them.
        texts = dict(_QUOTED.findall(self.body.decode("latin-1")))
        return Lease(
            address,
            self.mac,
            starts or _LONG_AGO,
            ends,
            "active",
            after.words[-1].text if after is not None else None,
            texts.get("client-hostname"),
            texts.get("uid"),
        )


def _active(written: _WrittenLease, now: datetime) -> Lease | None:
    lease = written.read
    return None if lease is None or (lease.ends is not None and lease.ends <= now) else lease


def _statements(body: bytes) -> list[Statement]:
    """The statements of a block; none of one that cannot be read."""
    try:
        return list(parse(body.decode("latin-1"), "dhcpd.leases"))
    except InvalidValue as error:
        log.warning("A block of the leases file cannot be read: %s", error)
        return []


def _mac(body: bytes) -> str | None:
    found = _HARDWARE.search(body)
    return found[1].decode() if found else None


def _numbers(body: bytes) -> Iterator[int]:
    found = _ADDRESSES.search(body)
    for text in found[1].decode().split(",") if found else ():
        number = _number(text.strip())
        if number is not None:
            yield number


def _number(text: str) -> int | None:
    try:
        return int.from_bytes(inet_aton(text), "big")
    except (OSError, ValueError):
        return None


def _within(found: Iterable[int], network: IPNetwork) -> list[int]:
    first, last = network.first, network.last
    return sorted(number for number in found if first <= number <= last)


def _take_out(index: dict[_Key, dict[_Inner, _Value]], key: _Key, inner: _Inner) -> None:
    there = index.get(key)
    if there is not None:
        there.pop(inner, None)
        if not there:
            del index[key]
