"""The names of ``:trusted_hosts:``, and the names that reverse DNS has for an address."""

from __future__ import annotations

import re
import socket
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from threading import Lock
from typing import Protocol

from providers.clock import Clock

_KNOWN_FOR = timedelta(seconds=60)
_UNKNOWN_FOR = timedelta(seconds=5)
_MOST_KNOWN = 1024
_LONGEST_NAME = 200
_STRANGE = re.compile(r"[^A-Za-z0-9._:*@ -]")


class TrustedHosts:
    """A list of names, compared whole and without case. An empty one trusts nobody."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(map(_folded, names))

    def __contains__(self, name: str) -> bool:
        return _folded(name) in self._names

    def first_of(self, names: Iterable[str]) -> str | None:
        """The first of ``names`` that is in the list."""
        return next((name for name in names if name in self), None)


class Resolver(Protocol):
    """Names and addresses, as the machine's resolver has them. Both raise OSError when it has none."""

    def name_of(self, address: str) -> str:
        """The name of an address."""

    def addresses_of(self, name: str) -> Collection[str]:
        """All addresses of a name."""


class SystemResolver:
    """The resolver of the operating system."""

    def name_of(self, address: str) -> str:
        """As ``getnameinfo`` has it."""
        return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]

    def addresses_of(self, name: str) -> Collection[str]:
        """As ``getaddrinfo`` has them."""
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)}


@dataclass(frozen=True, slots=True)
class Reverse:
    """What reverse DNS says of an address: its ``name``, or the ``problem`` why that does not count."""

    name: str | None
    problem: str | None = None


class ReverseNames:
    """Names of addresses, remembered for a short time so that not every request waits for DNS.

    With ``forward_verify`` a name counts only when it has that address again: whoever owns an address may give it any
    name. What goes wrong is remembered for 5 seconds, a name for 60, and at most 1024 of them.
    """

    def __init__(self, resolver: Resolver, clock: Clock, *, forward_verify: bool) -> None:
        self._resolver = resolver
        self._clock = clock
        self._forward_verify = forward_verify
        self._known: OrderedDict[str, tuple[datetime, Reverse]] = OrderedDict()
        self._lock = Lock()

    def of(self, address: str) -> Reverse:
        """What reverse DNS says of ``address``; never raises."""
        now = self._clock()
        with self._lock:
            until, known = self._known.get(address, (now, None))
        if known is not None and now < until <= now + _KNOWN_FOR:
            return known
        found = self._ask(address)
        with self._lock:
            self._known[address] = now + (_KNOWN_FOR if found.problem is None else _UNKNOWN_FOR), found
            self._known.move_to_end(address)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return found

    def _ask(self, address: str) -> Reverse:
        try:
            name = self._resolver.name_of(address)
        except (OSError, UnicodeError):
            return Reverse(None, "reverse DNS has no name for it")
        if not self._forward_verify:
            return Reverse(name)
        try:
            there = {_plain(each) for each in self._resolver.addresses_of(name)}
        except (OSError, UnicodeError):
            there = set()
        return Reverse(name, None if _plain(address) in there else "its name in reverse DNS does not have that address")


def clean_name(name: str) -> str:
    """A name from outside, fit for logs and answers: one line of plain characters, and not endless."""
    return _STRANGE.sub("?", name[:_LONGEST_NAME])


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine and reachable from it alone."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def _plain(address: str) -> str:
    """One spelling of an address; ``::ffff:192.0.2.1`` is 192.0.2.1."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(getattr(found, "ipv4_mapped", None) or found)


def _folded(name: str) -> str:
    return name.strip().removesuffix(".").casefold()
