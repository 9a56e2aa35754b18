"""``dhcp-range``: which network it is for, and which addresses dnsmasq gives out on its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netaddr import IPAddress, IPNetwork

from providers.address_book.allocatable import host_range
from providers.addresses import Range, parse_address
from providers.dhcp.dnsmasq.grammar import Setting
from providers.errors import InvalidValue

TAGS = ("tag:", "net:", "set:")
_LEASE_TIME = re.compile(r"[0-9]+[wdhms]?|infinite", re.IGNORECASE)
_USUAL_PREFIX = 24


@dataclass(frozen=True, slots=True)
class Served:
    """One range: ``span`` is None where only reservations are served. ``tags`` are set for its clients.

    ``assumed`` says that the configuration has no netmask, which dnsmasq takes from its interface.
    """

    setting: Setting
    network: IPNetwork
    span: Range | None
    tags: frozenset[str]
    assumed: bool


def served(setting: Setting) -> Served | None:
    """The range of a ``dhcp-range``; None for one that is not for IPv4. Raises InvalidValue when it cannot be read."""
    words = [word for word in setting.words if not word.startswith(TAGS)]
    tags = frozenset(word[len("set:") :] for word in setting.words if word.startswith("set:"))
    if words and words[0].startswith(("interface:", "lo:")):
        words = words[1:]
    if not words or ":" in words[0]:
        return None
    first = parse_address(words[0], version=4)
    mode, last = "", first
    if len(words) > 1:
        if words[1] in ("static", "proxy"):
            mode = words[1]
        elif not _LEASE_TIME.fullmatch(words[1]):
            last = parse_address(words[1], version=4)
    if mode == "proxy":
        raise InvalidValue("a range for proxy DHCP gives out no addresses")
    masks = [word for word in words[2:3] if not _LEASE_TIME.fullmatch(word)]
    network = _network(first, last, masks[0]) if masks else _assumed(first, last)
    return Served(setting, network, None if mode == "static" else _span(first, last, network), tags, not masks)


def _network(first: IPAddress, last: IPAddress, text: str) -> IPNetwork:
    mask = parse_address(text, version=4)
    if not mask.is_netmask():
        raise InvalidValue(f"{mask} is no netmask")
    network = IPNetwork(f"{first}/{mask}").cidr
    if last not in network:
        raise InvalidValue(f"{first} and {last} are not in one network of netmask {mask}")
    return network


def _assumed(first: IPAddress, last: IPAddress) -> IPNetwork:
    """The smallest network that holds both and is not smaller than most are."""
    bits = (int(first) ^ int(last)).bit_length()
    return IPNetwork((int(first), min(_USUAL_PREFIX, 32 - bits)), version=4).cidr


def _span(first: IPAddress, last: IPAddress, network: IPNetwork) -> Range:
    low, high = min(first, last), max(first, last)
    hosts = host_range(network)
    if high < hosts.first or low > hosts.last:
        raise InvalidValue(f"{low}-{high} has no host address of {network}")
    return Range(max(low, hosts.first), min(high, hosts.last))
