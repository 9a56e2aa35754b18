"""What clients are told, by the tags that they have: ``dhcp-option``, ``dhcp-boot`` and ``domain``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from netaddr import IPAddress, IPNetwork

from providers.address_book.texts import (
    refuse_unfit_filename,
    refuse_unfit_mtu,
    refuse_unfit_name,
    refuse_unfit_next_server,
)
from providers.addresses import parse_address
from providers.dhcp.dnsmasq.grammar import Setting
from providers.dhcp.dnsmasq.ranges import TAGS
from providers.errors import InvalidValue
from providers.model import Options

NAMES = {
    "option:router": "router",
    "option:dns-server": "dns",
    "option:ntp-server": "ntp",
    "option:mtu": "mtu",
    "option:domain-name": "domain",
    "option:bootfile-name": "filename",
    "option:server-ip-address": "next_server",
    "3": "router",
    "6": "dns",
    "42": "ntp",
    "26": "mtu",
    "15": "domain",
    "67": "filename",
}
"""The options that the book keeps, by the names and numbers that dnsmasq has for them."""


@dataclass(frozen=True, slots=True)
class Said:
    """One value, and the tags that a client needs to be told it."""

    setting: Setting
    what: str
    value: str | tuple[IPAddress, ...] | int
    tags: frozenset[str]


@dataclass(slots=True)
class Told:
    """All values, in the order in which dnsmasq looks at them: one with tags before one without, a later before it."""

    values: list[Said] = field(default_factory=list)
    domains: list[tuple[str, IPNetwork | None]] = field(default_factory=list)

    def take(self, setting: Setting) -> bool:
        """Note what a setting says; returns whether the book has a place for it. Raises InvalidValue."""
        tags = frozenset(word.partition(":")[2] for word in setting.words if word.startswith(TAGS))
        words = [word for word in setting.words if not word.startswith(TAGS)]
        if setting.name == "domain":
            return self._take_domain(words)
        if setting.name == "dhcp-boot":
            return self._take_boot(setting, words, tags)
        what = NAMES.get(words[0]) if words else None
        if what is None:
            return False
        # dnsmasq puts what it reads later in front.
        self.values.insert(0, Said(setting, what, _value(what, words[1:]), tags))
        return True

    def options(self, network: IPNetwork, tags: frozenset[str]) -> Options:
        """What a network's clients are told that have no other tags than its own."""
        found: dict[str, Any] = {}
        for said in sorted((each for each in self.values if each.tags <= tags), key=lambda each: not each.tags):
            found.setdefault(said.what, said.value)
        routers = found.pop("router", ())
        return Options(gateway=next(iter(routers), None), **{"domain": self._domain(network)} | found)

    def boot(self, tags: Iterable[str]) -> tuple[str | None, str | None]:
        """Boot file and boot server of a host with these tags, as far as its tags bring them."""
        told: dict[str, str] = {}
        for said in self.values:
            if said.what in ("filename", "next_server") and said.tags and said.tags <= frozenset(tags):
                told.setdefault(said.what, str(said.value))
        return told.get("filename"), told.get("next_server")

    def _take_domain(self, words: list[str]) -> bool:
        if not words or words[0] == "#":
            return False
        refuse_unfit_name("domain", words[0])
        network = None
        if len(words) > 1:
            if "/" not in words[1] or ":" in words[1]:
                return False
            network = IPNetwork(words[1]).cidr
        self.domains.insert(0, (words[0], network))
        return True

    def _take_boot(self, setting: Setting, words: list[str], tags: frozenset[str]) -> bool:
        filename, next_server = [*words, "", "", ""][0], [*words, "", "", ""][2]
        for what, text, refuse in _boot_words(filename, next_server):
            refuse(text)
            self.values.insert(0, Said(setting, what, text, tags))
        return bool(filename or next_server)

    def _domain(self, network: IPNetwork) -> str | None:
        fitting = [domain for domain, only in self.domains if only is not None and network in only]
        return next(iter([*fitting, *(domain for domain, only in self.domains if only is None)]), None)


def _boot_words(filename: str, next_server: str) -> list[tuple[str, str, Callable[[str], None]]]:
    both = [("filename", filename, refuse_unfit_filename), ("next_server", next_server, refuse_unfit_next_server)]
    return [each for each in both if each[1]]


def _value(what: str, words: list[str]) -> str | tuple[IPAddress, ...] | int:
    if what in ("router", "dns", "ntp"):
        return tuple(parse_address(word, version=4) for word in words if word)
    text = ",".join(words)
    if what == "mtu":
        if not text.isdecimal():
            raise InvalidValue("is no whole number")
        refuse_unfit_mtu(int(text))
        return int(text)
    if what == "domain":
        refuse_unfit_name("domain", text)
    elif what == "filename":
        refuse_unfit_filename(text)
    else:
        refuse_unfit_next_server(text)
    return text
