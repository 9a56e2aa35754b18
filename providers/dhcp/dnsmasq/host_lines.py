"""One reserved address as a line of dnsmasq's hosts file, and what can never be one.

A line is what may follow ``dhcp-host=``: MACs, an address, a tag, a name. dnsmasq tells a name from a lease time and
from its own words by looking at it, and quotes do not help; so a name that could be taken for one of them is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice

from netaddr import IPAddress

from providers.dhcp.dnsmasq.boot_sets import BootSet, boot_set
from providers.errors import InvalidValue
from providers.model import DHCPHost

LONGEST_LINE = 1000
"""dnsmasq reads 1024 bytes at a time, and takes what is longer for two lines (MAXDNAME in its read_file())."""

MOST_MACS = 36
"""So many fit into a line beside the longest name."""

_ETHERNET_LENGTH = len("00:00:00:00:00:00")
_LONGEST_NAME = 253
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?", re.ASCII)
_READ_OTHERWISE = re.compile(r"[0-9]+[wdhms]?|infinite|ignore|([0-9]{1,3}\.){3}[0-9]{1,3}", re.ASCII | re.IGNORECASE)
_LINE = re.compile(
    r"(?P<macs>(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?:,(?:[0-9a-f]{2}:){5}[0-9a-f]{2})*),(?P<address>[0-9.]+),"
    r"(?:set:(?P<tag>leasehold-[0-9a-f]{12}),)?(?P<name>[A-Za-z0-9_.-]+)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class HostLine:
    """An address with the MACs that get it, which are told one name and boot one thing."""

    macs: tuple[str, ...]
    address: IPAddress
    hostname: str
    boot: BootSet | None

    def text(self) -> str:
        """The line without its end; raises InvalidValue when dnsmasq would not take it for one line."""
        words = [*self.macs, str(self.address)]
        if self.boot is not None:
            words.append(f"set:{self.boot.tag}")
        line = ",".join([*words, self.hostname])
        if len(line) > LONGEST_LINE:
            raise InvalidValue(f"{self.address} has {len(self.macs)} MACs: that is more than dnsmasq reads in one line")
        return line

    def hosts(self) -> Iterator[DHCPHost]:
        """What dnsmasq serves by it, one host for each MAC; it knows no other name than the hostname."""
        filename, next_server = (None, None) if self.boot is None else (self.boot.filename, self.boot.next_server)
        for mac in self.macs:
            yield DHCPHost(mac, self.hostname, self.hostname, filename, next_server, {}, self.address)


def refuse_unfit(host: DHCPHost) -> None:
    """Raise InvalidValue when dnsmasq can never serve ``host``."""
    if len(host.mac) != _ETHERNET_LENGTH:
        raise InvalidValue(f"Invalid MAC {host.mac}: dnsmasq serves MACs of six octets")
    if not served_name(host.hostname):
        raise InvalidValue(
            f"Invalid hostname {_shown(host.hostname)}: dnsmasq takes letters, digits, - and _ with dots between, "
            "that begin with a letter or digit and are no number, lease time or address"
        )
    if host.options:
        names = ", ".join(sorted(host.options))
        raise InvalidValue(f"dnsmasq is not told options of single hosts, and {host.name} has {_shown(names)}")
    boot_set(host)


def served_name(text: str) -> bool:
    """Whether dnsmasq takes ``text`` for a name, and for nothing else."""
    return len(text) <= _LONGEST_NAME and _NAME.fullmatch(text) is not None and _READ_OTHERWISE.fullmatch(text) is None


def lines(hosts: Iterable[DHCPHost]) -> Iterator[HostLine]:
    """The lines for hosts in order of their addresses; the first one of an address gives name and boot set to all.

    dnsmasq drops a second line with the same address (measured), so the MACs of a bond share one; of more than
    MOST_MACS only those are served. Raises InvalidValue for a host that :func:`refuse_unfit` refuses.
    """
    for _, sharing in groupby(hosts, key=lambda host: host.address):
        members = list(islice(sharing, MOST_MACS))
        first = members[0]
        yield HostLine(tuple(each.mac for each in members), first.address, first.hostname, boot_set(first))


def read_line(text: str, sets: Mapping[str, BootSet]) -> HostLine | None:
    """A line as :meth:`HostLine.text` writes it; None for anything else, and for a tag without its boot set."""
    match = _LINE.fullmatch(text)
    if match is None or (match["tag"] is not None and match["tag"] not in sets):
        return None
    boot = None if match["tag"] is None else sets[match["tag"]]
    return HostLine(tuple(match["macs"].split(",")), IPAddress(match["address"], 4), match["name"], boot)


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:100])
