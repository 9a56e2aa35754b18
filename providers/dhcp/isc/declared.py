"""The networks and hosts of dhcpd.conf and the files that it includes: seen, and never touched."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from netaddr import IPAddress, IPNetwork

from providers.dhcp.isc.grammar import read
from providers.dhcp.isc.survey import survey
from providers.errors import InvalidValue, Unavailable
from providers.model import DHCPHost

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0

_Signature = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class DeclaredHost:
    """A host at one of its addresses, and the file and line that declare it."""

    host: DHCPHost
    place: str


class Declared:
    """What is declared, as the files say it now; dhcpd itself knows it since its last start."""

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._signatures: dict[Path, _Signature | None] = {}
        self._hosts: DeclaredHosts | None = None
        self._problem: InvalidValue | None = None

    @property
    def problem(self) -> str | None:
        """Why the files could not be read when they were looked at last."""
        return None if self._problem is None else f"{self._problem}; see :config: in dhcp_isc.yml"

    def hosts(self) -> DeclaredHosts:
        """All of them; raises Unavailable when the files could never be read, or do not follow the grammar.

        Looks at most once a second whether a file has changed. While new ones cannot be read the old ones count, as
        they do for dhcpd.
        """
        with self._lock:
            if self._monotonic() - self._looked >= LOOK_EVERY_SECONDS:
                self._looked = self._monotonic()
                if self._hosts is None or any(_signature(path) != was for path, was in self._signatures.items()):
                    self._read()
            if self._hosts is None:
                raise Unavailable(str(self.problem)) from self._problem
            return self._hosts

    def _read(self) -> None:
        opened: list[Path] = []
        try:
            found = survey(read(self.path, opened=opened)).incoming
        except InvalidValue as error:
            self._problem = error
            log.warning("dhcpd's configuration counts as it was: %s", error)
        else:
            self._problem = None
            hosts = (
                DeclaredHost(replace(each.host, address=each.address), each.origin)
                for each in found.addresses
                if each.host is not None
            )
            self._hosts = DeclaredHosts(hosts, (each.spec.network for each in found.subnets))
        self._signatures = {path: _signature(path) for path in opened}


class DeclaredHosts:
    """Found by name, MAC and address; ``networks`` are those that dhcpd serves."""

    def __init__(self, hosts: Iterable[DeclaredHost], networks: Iterable[IPNetwork]) -> None:
        self.all = list(hosts)
        self.networks = list(networks)
        self._by_name: dict[str, list[DeclaredHost]] = defaultdict(list)
        self._by_mac: dict[str, list[DeclaredHost]] = defaultdict(list)
        self._by_address: dict[int, list[DeclaredHost]] = defaultdict(list)
        for each in self.all:
            self._by_name[each.host.name].append(each)
            self._by_mac[each.host.mac].append(each)
            if each.host.address is not None:
                self._by_address[int(each.host.address)].append(each)

    def named(self, name: str) -> list[DeclaredHost]:
        """Those of a name: one, at each of its addresses."""
        return self._by_name.get(name, [])

    def of(self, mac: str) -> list[DeclaredHost]:
        """Those of a MAC."""
        return self._by_mac.get(mac, [])

    def at(self, address: IPAddress | int) -> list[DeclaredHost]:
        """Those of an address."""
        return self._by_address.get(int(address), [])


def _signature(path: Path) -> _Signature | None:
    """What changes when a file does; None for one that is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
