"""IP addresses, networks, ranges and MACs: text in, values out, and one spelling of each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netaddr import AddrFormatError, IPAddress, IPNetwork

from providers.errors import InvalidValue
from providers.printable import printable

_OCTET = re.compile(r"[0-9a-fA-F]{1,2}")
_MAC_OCTETS = (6, 20)
_LONGEST_ADDRESS = 45
_LONGEST_SHOWN = 100
_CIDR_PARTS = 2


def parse_address(text: str, *, version: int | None = None) -> IPAddress:
    """Return the address that ``text`` spells, of IP ``version`` 4 or 6 if given.

    Raises InvalidValue for anything else, also for blanks, zones, short or octal IPv4 forms.
    """
    if text.isascii() and 0 < len(text) <= _LONGEST_ADDRESS:
        try:
            return IPAddress(text, version) if version else IPAddress(text)
        except (AddrFormatError, ValueError):
            pass
    raise InvalidValue(f"Invalid IP Address {_shown(text)}")


def parse_network(text: str) -> IPNetwork:
    """Return the network that ``address/prefix`` spells; raises InvalidValue when host bits are set."""
    parts = text.split("/")
    if len(parts) != _CIDR_PARTS or not (parts[1].isascii() and parts[1].isdigit()):
        raise InvalidValue(f"Invalid network {_shown(text)}: write it as 10.0.1.0/24 or 2001:db8::/64")
    address = parse_address(parts[0])
    prefix = int(parts[1][:4])
    if prefix > (32 if address.version == 4 else 128):
        raise InvalidValue(f"Invalid network {_shown(text)}: the prefix is too long")
    network = IPNetwork((int(address), prefix), version=address.version)
    if network.network != address:
        raise InvalidValue(f"Network address {address} should be {network.network} with prefix {prefix}")
    return network


def parse_mac(text: str) -> str:
    """Return the MAC in its one spelling: lower case, two digits an octet, colons.

    Takes 6 octets (Ethernet) or 20 (InfiniBand) of one or two digits each, separated by colons, as the smart proxy
    does. Raises InvalidValue for anything else.
    """
    octets = text.split(":")
    if len(octets) in _MAC_OCTETS and all(_OCTET.fullmatch(octet) for octet in octets):
        return ":".join(octet.zfill(2) for octet in octets).lower()
    raise InvalidValue(f"Invalid MAC {_shown(text)}")


@dataclass(frozen=True, slots=True)
class Range:
    """Addresses from ``first`` to ``last``, both included."""

    first: IPAddress
    last: IPAddress

    @classmethod
    def parse(cls, text: str) -> Range:
        """Read ``10.0.1.5-10.0.1.9`` or a single address; raises InvalidValue."""
        first, dash, last = text.partition("-")
        start = parse_address(first.strip())
        end = parse_address(last.strip()) if dash else start
        if start.version != end.version:
            raise InvalidValue(f"Invalid range {_shown(text)}: one end is IPv4 and the other IPv6")
        if start > end:
            raise InvalidValue(f"Invalid range {_shown(text)}: its first address is above its last")
        return cls(start, end)

    def __contains__(self, address: IPAddress) -> bool:
        return bool(self.first <= address <= self.last)

    def within(self, network: IPNetwork) -> bool:
        """Whether all of it lies in ``network``."""
        return self.first in network and self.last in network

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def _shown(text: str) -> str:
    """The caller's text as an error may repeat it: no control characters, not endless."""
    return printable(text, _LONGEST_SHOWN) + ("..." if len(text) > _LONGEST_SHOWN else "")
