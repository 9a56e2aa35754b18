"""The hosts that the operator wrote into dnsmasq.conf: dnsmasq drops ours when one of them has the same address."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from providers.addresses import parse_mac
from providers.dhcp.dnsmasq.confirmed import Signature, signature
from providers.dhcp.dnsmasq.grammar import Setting, read
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import DHCPHost


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read from which files; hosts by their addresses and MACs."""

    files: Mapping[Path, Signature] = field(default_factory=dict)
    hosts: Mapping[str, Setting] = field(default_factory=dict)
    named: frozenset[tuple[str, Path]] = frozenset()
    site_boot: Setting | None = None


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

    def hosts(self) -> Mapping[str, Setting]:
        """The hosts of the configuration by their addresses, MACs and names; raises Unavailable."""
        if self._configuration is None:
            return {}
        try:
            return self._current(self._configuration).hosts
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
    return _Known(files, hosts, frozenset(named), site_boot)


def _spelled(word: str) -> str:
    """A MAC in its one spelling, anything else as it is."""
    try:
        return parse_mac(word)
    except InvalidValue:
        return word
