"""The DHCP provider for dnsmasq: what the address book calls."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema
from netaddr import IPAddress
from sqlalchemy import Connection

from providers.book import directory, pending
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp import atomic_file
from providers.dhcp.contract import DHCPCapabilities, DHCPProvider, Health
from providers.dhcp.dnsmasq import host_lines
from providers.dhcp.dnsmasq.boot_sets import boot_text
from providers.dhcp.dnsmasq.confirmed import Confirmed, signature
from providers.dhcp.dnsmasq.daemon import SAFE_SINCE, Daemon
from providers.dhcp.dnsmasq.grammar import Setting
from providers.dhcp.dnsmasq.host_lines import HostLine
from providers.dhcp.dnsmasq.leases import LeasesFile
from providers.dhcp.dnsmasq.own_hosts import OwnHosts, refuse_taken
from providers.dhcp.dnsmasq.sections import Sections
from providers.dhcp.dnsmasq.settings import DnsmasqSchema
from providers.dhcp.shared_reload import SharedReload
from providers.errors import InvalidValue, LeaseholdError, Unavailable, Unreached
from providers.model import DHCPHost, Lease, Subnet

log = logging.getLogger(__name__)

_AS_IT_IS = 0
"""In place of the id of a subnet: let dnsmasq read what is written, and change nothing."""


class DnsmasqDHCP(DHCPProvider):
    """Writes the hosts of the book into two files and lets dnsmasq read them."""

    name: ClassVar[str] = "dhcp_dnsmasq"
    # dnsmasq looks boot servers up in /etc/hosts only, so Foreman is asked for addresses.
    capabilities: ClassVar[DHCPCapabilities] = DHCPCapabilities(
        publishes=True, leases=True, features=("dhcp_filename_ipv4",), in_one_step=True
    )
    settings_schema: ClassVar[type[Schema]] = DnsmasqSchema

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        super().__init__(book, settings)
        self._hosts = Path(settings["hosts_file"])
        self._options = Path(settings["options_file"])
        self._boot = Path(settings["boot_file"]) if settings["boot_file"] else None
        self._daemon = Daemon(settings)
        self._leases = LeasesFile(Path(settings["leases"]), utc_now)
        self._own_hosts = OwnHosts(Path(settings["config"]) if settings["config"] else None)
        self._confirmed = Confirmed([path for path in (self._hosts, self._options, self._boot) if path is not None])
        self._reload: SharedReload[int] = SharedReload(self._hosts.parent / f".{self._hosts.name}.lock", self._work)
        self._left_out: dict[str, str] = {}
        self._read: tuple[object, Sections] = (None, Sections({}, {}))

    def refuse_unfit(self, subnet: Subnet, host: DHCPHost) -> None:
        """Raise InvalidValue for names, boot files and boot servers that dnsmasq cannot tell, or not this one."""
        host_lines.refuse_unfit(host)
        told = host.filename is not None or host.next_server is not None
        if told and self._daemon.ends_on_tags and not self._daemon.can_restart:
            raise InvalidValue(
                f"{host.name} has a boot file or boot server, and {self._version()} ends itself when it reads such "
                "hosts again: use dnsmasq 2.91 or later, or set :restart_command: in dhcp_dnsmasq.yml"
            )

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Write what the book says of the subnet; returns when dnsmasq has read it."""
        self._own_hosts.refuse_taken(host)
        self._own_hosts.refuse_unranged([host])
        if self._reload.brings_in(subnet.id, lambda: self._has(subnet, host), lambda: self._is_wanted(subnet, host)):
            return
        why = f"dnsmasq takes {host_lines.MOST_MACS} MACs of one address"
        raise InvalidValue(f"{host.address}: {host.mac} is not served: {self._left_out.get(host.mac, why)}")

    def _is_wanted(self, subnet: Subnet, host: DHCPHost) -> bool:
        with self.book.read() as connection:
            return host in pending.to_serve(connection, subnet, host.mac)

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Write what the book says of the subnet, which is without ``host``; returns when dnsmasq has read it."""
        self._reload.run(subnet.id)

    def replace(self, subnet: Subnet, hosts: Sequence[DHCPHost]) -> None:
        """Write what the book says of the subnet, which is ``hosts``; returns when dnsmasq has read it.

        Hosts without a range are written too: they are served as soon as dnsmasq is started with one.
        """
        self._reload.run(subnet.id)
        self._own_hosts.refuse_unranged(hosts)

    def served(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """What dnsmasq has read; where nobody knows what it has, it is told to read the files first."""
        if not self._confirmed.holds() or self._daemon.is_there() is False:
            self._reload.run(_AS_IT_IS)
        hosts = (host for line in self._sections().lines(subnet.id) for host in line.hosts())
        yield from self._own_hosts.ranged(hosts)

    def as_served(self, subnet: Subnet, host: DHCPHost) -> DHCPHost:
        """dnsmasq knows one name of a host, and one name and boot set for all MACs of an address."""
        line = self._sections().line_of(subnet.id, host.mac)
        if line is not None and line.address == host.address and host.mac != line.macs[0]:
            return next(served for served in line.hosts() if served.mac == host.mac)
        return replace(host, name=host.hostname, options={})

    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """The active leases of ``subnet``, by address: those of reservations too."""
        return self._leases.within(subnet.network)

    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """The active lease on ``address``."""
        return self._leases.at(address)

    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """The active lease of ``mac`` in ``subnet``."""
        return self._leases.of(mac, subnet.network)

    def health(self) -> Health:
        """Whether it runs and has read what was written."""
        try:
            there = self._daemon.is_there()
            if there is False:
                return Health(False, "dnsmasq does not run")
            if self._sections().text_of and not self._confirmed.holds():
                return Health(False, "it is not known whether dnsmasq has read its hosts: run leasehold sync")
            self._leases.refresh()
            problem = self._leases.failure or self._own_hosts.problem(self._hosts, self._options)
        except LeaseholdError as error:
            return Health(False, str(error))
        if problem is not None:
            return Health(False, problem)
        detail = f"{self._version()} " + ("runs" if there else "has no pid file that would tell whether it runs")
        if self._daemon.ends_on_tags:
            how = "is restarted for" if self._daemon.can_restart else "cannot serve"
            detail += f", and {how} hosts with a boot file or boot server"
        return Health(True, detail)

    def _has(self, subnet: Subnet, host: DHCPHost) -> bool:
        return host.mac in self._sections().text_of.get(subnet.id, "")

    def _work(self, keys: frozenset[int]) -> None:
        """Write the sections of some subnets anew and let dnsmasq read them, alone on this machine."""
        there = self._written()
        self._refuse_foreign()
        ids = set(there.text_of) if there.damaged else set()
        now = there.with_subnets(self._from_book((ids | keys) - {_AS_IT_IS}, there))
        # Options first: dnsmasq may be started by somebody in between, and hosts need their boot sets.
        contents = {self._options: now.options_text().encode(), self._hosts: now.hosts_text().encode()}
        if self._boot is not None:
            contents[self._boot] = _with_boot_sets(atomic_file.read(self._boot), now)
        certain = self._confirmed.holds()
        if certain and all(atomic_file.read(path) == text for path, text in contents.items()):
            if self._daemon.is_there():
                return
            if self._daemon.is_there() is False:
                raise Unreached("dnsmasq does not run: start it")
        restart = self._has_to_restart(there, contents, certain=certain)
        with atomic_file.replaced(contents):
            self._daemon.read_again(tuple(contents) if restart else (self._hosts, self._options), restart=restart)
            self._confirmed.write()

    def _has_to_restart(self, there: Sections, contents: Mapping[Path, bytes], *, certain: bool) -> bool:
        if self._boot is not None and (not certain or atomic_file.read(self._boot) != contents[self._boot]):
            return True
        if not self._daemon.ends_on_tags or (certain and not there.used):
            return False
        if there.used and not self._daemon.can_restart:
            raise Unavailable(
                f"{self._version()} has hosts with boot files and would end itself if it read them again: set "
                ":restart_command: in dhcp_dnsmasq.yml"
            )
        return self._daemon.can_restart

    def _from_book(self, ids: Iterable[int], there: Sections) -> Mapping[int, list[HostLine] | None]:
        """The lines of subnets as the book has them now; None for a subnet that is gone and in their way.

        dnsmasq takes an address once. So when a subnet was removed and made again, and nobody was there to take the
        old one's section out, that must not stay.
        """
        found: dict[int, list[HostLine] | None] = {}
        own = self._own_hosts.hosts()
        with self.book.read() as connection:
            known = directory.read(connection).by_id
            for subnet_id in ids:
                subnet = known.get(subnet_id)
                hosts = None if subnet is None else self._fit(subnet, _hosts(connection, subnet), own)
                found[subnet_id] = None if hosts is None else list(host_lines.lines(hosts))
        gone = there.text_of.keys() - known.keys() - found.keys()
        taken = {line.address for lines in found.values() for line in lines or ()} if gone else set()
        return found | {each: None for each in gone if any(line.address in taken for line in there.lines(each))}

    def _fit(self, subnet: Subnet, hosts: Iterable[DHCPHost], own: Mapping[str, Setting]) -> Iterator[DHCPHost]:
        """Those that dnsmasq can serve: one that it cannot, from before it was asked, must not keep others away."""
        for host in hosts:
            try:
                self.refuse_unfit(subnet, host)
                refuse_taken(host, own)
            except LeaseholdError as error:
                # Every reload comes by here; once is enough.
                if self._left_out.get(host.mac) != str(error):
                    log.warning("%s is not served: %s", host.address, error)
                    self._left_out[host.mac] = str(error)
            else:
                yield host

    def _refuse_foreign(self) -> None:
        """Raise Unavailable when the files are somebody else's: they would be lost."""
        hosts, options = (_text(path) for path in (self._hosts, self._options))
        line = Sections.foreign(hosts, options)
        if line is not None:
            raise Unavailable(
                f"{self._hosts} or {self._options} has a line that is not Leasehold's ({line[:60]!r}): import what is "
                "in it, and give Leasehold files of its own"
            )

    def _written(self) -> Sections:
        return Sections.read(_text(self._hosts), _text(self._options))

    def _sections(self) -> Sections:
        """What is written, read when it changed."""
        now = (signature(self._hosts), signature(self._options))
        known, sections = self._read
        if known != now:
            sections = self._written()
            self._read = (now, sections)
        return sections

    def _version(self) -> str:
        version = self._daemon.version()
        if version is None:
            return "a dnsmasq whose version is not known"
        known = ".".join(map(str, version))
        return f"dnsmasq {known}" + ("" if version >= SAFE_SINCE else " (before 2.91)")


def _text(path: Path) -> str:
    return (atomic_file.read(path) or b"").decode(errors="replace")


def _with_boot_sets(written: bytes | None, wanted: Sections) -> bytes:
    """The boot file as it is when it has all that is wanted: taking a line out is not worth a restart."""
    text = boot_text(wanted.used.values())
    there = (written or b"").decode(errors="replace")
    return there.encode() if set(text.splitlines()) <= set(there.splitlines()) else text.encode()


def _hosts(connection: Connection, subnet: Subnet) -> Iterator[DHCPHost]:
    """Those that are to be served: none of a subnet that is not on ``/dhcp``."""
    last: DHCPHost | None = None
    while page := pending.host_page(connection, subnet, last) if subnet.dhcp else []:
        yield from page
        last = page[-1]
