"""What the operator wrote into dnsmasq.conf and gets in the way of our hosts.

A ``dhcp-host`` with the same address, for which dnsmasq drops ours, and a subnet without ``dhcp-range``, in which it
answers nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from netaddr import IPAddress, IPNetwork

from providers.addresses import parse_mac
from providers.dhcp.dnsmasq.confirmed import Signature, signature
from providers.dhcp.dnsmasq.grammar import Setting, read
from providers.dhcp.dnsmasq.ranges import served
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import DHCPHost

_WIDEST_PREFIX = 8
"""Of an interface's network. A range without a netmask may be for all of it."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read from which files; hosts by their addresses and MACs.

    ``ranged``: the networks that have a ``dhcp-range``; empty when that is not known.
    """

    files: Mapping[Path, Signature] = field(default_factory=dict)
    hosts: Mapping[str, Setting] = field(default_factory=dict)
    named: frozenset[tuple[str, Path]] = frozenset()
    site_boot: Setting | None = None
    ranged: tuple[IPNetwork, ...] = ()


class OwnHosts:
    """Follows the configuration, if its path is known and it can be read."""

    def __init__(self, configuration: Path | None) -> None:
        self._configuration = configuration
        self._known = _Known()
        self._reading = threading.Lock()

    def refuse_taken(self, host: DHCPHost) -> None:
        """Raise Conflict when the configuration has a host of its own with the address or the MAC.

        Raises Unavailable when the configuration cannot be read.
        """
        refuse_taken(host, self.hosts())

    def refuse_unranged(self, hosts: Iterable[DHCPHost]) -> None:
        """Raise InvalidValue for the first one that no ``dhcp-range`` of the configuration is for.

        Raises Unavailable when the configuration cannot be read.
        """
        ranged = self._readable().ranged
        for host in hosts:
            if not _is_ranged(host.address, ranged):
                raise InvalidValue(
                    f"{host.address} is not served: {self._configuration}, with the files that it names, has no "
                    "dhcp-range for it. Give that subnet one, such as dhcp-range=NETWORK,static,NETMASK, and restart "
                    "dnsmasq"
                )

    def ranged(self, hosts: Iterable[DHCPHost]) -> list[DHCPHost]:
        """Those that a ``dhcp-range`` is for, or may be for; raises Unavailable."""
        known = self._readable().ranged
        return [host for host in hosts if _is_ranged(host.address, known)]

    def hosts(self) -> Mapping[str, Setting]:
        """The hosts of the configuration by their addresses, MACs and names; raises Unavailable."""
        return self._readable().hosts

    def _readable(self) -> _Known:
        if self._configuration is None:
            return _Known()
        try:
            return self._current(self._configuration)
        except InvalidValue as error:
            raise Unavailable(
                f"What dnsmasq has of its own cannot be seen: {error}. Mend that, or take :config: away"
            ) from error

    def problem(self, hosts_file: Path, options_file: Path) -> str | None:
        """What in the configuration keeps hosts from being served as they should; None when nothing is seen."""
        if self._configuration is None:
            return None
        try:
            known = self._current(self._configuration)
        except InvalidValue as error:
            return str(error)
        for setting, path in (("dhcp-hostsfile", hosts_file), ("dhcp-optsfile", options_file)):
            # dnsmasq reads all files of a directory that is named there.
            if not known.named & {(setting, path), (setting, path.parent)}:
                return f"{self._configuration} does not say {setting}={path}"
        if known.site_boot is not None:
            return (
                f"the dhcp-boot at {known.site_boot.place} has no tag and beats the boot file of every host: write it "
                "as dhcp-option=option:bootfile-name and option:server-ip-address instead"
            )
        return None

    def _current(self, configuration: Path) -> _Known:
        with self._reading:
            known = self._known
            if not known.files or any(signature(path) != found for path, found in known.files.items()):
                known = _read(configuration)
                self._known = known
            return known


def refuse_taken(host: DHCPHost, hosts: Mapping[str, Setting]) -> None:
    """Raise Conflict when one of ``hosts``, by address and MAC, has what ``host`` is to have."""
    for what in (str(host.address), host.mac):
        if what in hosts:
            raise Conflict(
                f"{what} has a dhcp-host of its own at {hosts[what].place}, which dnsmasq would serve instead: "
                "import that and take it out"
            )


def _read(configuration: Path) -> _Known:
    files: dict[Path, Signature] = {configuration: signature(configuration)}
    hosts: dict[str, Setting] = {}
    named: set[tuple[str, Path]] = set()
    site_boot = None
    ranges: list[Setting] = []
    for setting in read(configuration, follow=("conf-file", "conf-dir")):
        files.setdefault(Path(setting.place.file), signature(Path(setting.place.file)))
        if setting.name == "dhcp-host":
            for word in setting.words:
                hosts.setdefault(_spelled(word), setting)
        elif setting.name in ("dhcp-hostsfile", "dhcp-optsfile") and setting.words:
            named.add((setting.name, Path(setting.words[0])))
        elif setting.name == "conf-dir" and setting.words:
            directory = Path(setting.place.file).parent / setting.words[0]
            files[directory] = signature(directory)
        elif setting.name == "dhcp-boot" and setting.words and not setting.words[0].startswith(("tag:", "net:")):
            site_boot = site_boot or setting
        elif setting.name == "dhcp-range":
            ranges.append(setting)
    return _Known(files, hosts, frozenset(named), site_boot, _ranged(ranges))


def _ranged(settings: Iterable[Setting]) -> tuple[IPNetwork, ...]:
    """The networks that have a range, the widest that they may be; none when one cannot be understood.

    A configuration without any has them elsewhere: Debian names /etc/dnsmasq.d on the command line.
    """
    networks = []
    for setting in settings:
        try:
            found = served(setting)
        except InvalidValue:
            return ()
        if found is not None:
            prefix = _WIDEST_PREFIX if found.assumed else found.network.prefixlen
            networks.append(IPNetwork((found.network.first, prefix), version=4).cidr)
    return tuple(networks)


def _is_ranged(address: IPAddress | None, ranged: Iterable[IPNetwork]) -> bool:
    networks = tuple(ranged)
    return not networks or any(address in network for network in networks)


def _spelled(word: str) -> str:
    """A MAC in its one spelling, anything else as it is."""
    try:
        return parse_mac(word)
    except InvalidValue:
        return word
