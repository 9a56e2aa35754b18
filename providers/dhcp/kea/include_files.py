"""Reservations in a file for each subnet, which Kea's configuration pulls in with ``<?include "..."?>``.

A file is the whole JSON list of a subnet's reservations, one on each line. Kea is asked whether it takes the new list
(``config-test``), then the file is replaced and Kea told to read its configuration again (``config-reload``), then
Kea is asked what it has (``config-get``). When any of that fails the old file is there again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netaddr import IPNetwork

from providers.book import directory as shelf
from providers.book import pending
from providers.book.database import Book
from providers.dhcp import atomic_file
from providers.dhcp.contract import once_told
from providers.dhcp.kea import reservation
from providers.dhcp.kea.configuration import SHARE_ADVICE, Configuration, KeaSubnet
from providers.dhcp.kea.configured import Configured
from providers.dhcp.kea.control import Control, Refused, Result
from providers.dhcp.shared_reload import SharedReload
from providers.errors import InvalidValue, LeaseholdError, Unavailable
from providers.model import DHCPHost, Subnet

log = logging.getLogger(__name__)

_LOCK = ".leasehold.lock"
_MOST_TRIED = 60
_MOST_REFUSALS = 100_000
_BEGIN, _BETWEEN, _END = b"[\n", b",\n", b"\n]\n"
EMPTY = b"[\n]\n"


@dataclass(frozen=True, slots=True)
class _Line:
    """A host as it stands in a file."""

    host: DHCPHost
    reservation: Mapping[str, Any]
    text: bytes

    @classmethod
    def of(cls, host: DHCPHost) -> _Line:
        wanted = reservation.written(host)
        return cls(host, wanted, json.dumps(wanted).encode())


Lines = Mapping[str, _Line]
"""Lines by MAC, in the order of their addresses."""


class IncludeFiles:
    """The files in one directory, and the Kea that reads them."""

    def __init__(self, book: Book, control: Control, directory: Path) -> None:
        self._book = book
        self._control = control
        self._directory = directory
        self._reload: SharedReload[int] = SharedReload(directory / _LOCK, self._write)
        self._refusals: dict[str, str] = {}
        self._configured = Configured(control)

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Have everything that the book has for the subnet served, among it ``host``."""
        # The second time this process hears why Kea refuses it, when it was another one that heard it first.
        if self._reload.brings_in(subnet.id, lambda: self._has(subnet, host), lambda: self._is_wanted(subnet, host)):
            return
        raise InvalidValue(f"Kea refuses {host.address} for {host.mac}: {self._refusals.get(host.mac, 'see its log')}")

    def _is_wanted(self, subnet: Subnet, host: DHCPHost) -> bool:
        with self._book.read() as connection:
            return host in pending.to_serve(connection, subnet, host.mac)

    def withdraw(self, subnet: Subnet) -> None:
        """Have everything that the book has for the subnet served, and nothing else of ours."""
        self._reload.run(subnet.id)

    def bring_up(self, subnet: Subnet) -> None:
        """As ``withdraw``; raises InvalidValue when some of it cannot be served."""
        self._reload.run(subnet.id)
        content = atomic_file.read(self.file_of(subnet.network)) or b""
        with self._book.read() as connection:
            first = pending.host_page(connection, subnet, None)
        refused = [host for host in first if host.mac in self._refusals and _Line.of(host).text not in content]
        if refused:
            raise InvalidValue(f"Kea refuses {refused[0].address}: {self._refusals[refused[0].mac]}")

    def file_of(self, network: IPNetwork) -> Path:
        """The file of a subnet."""
        return self._directory / f"{network.network}-{network.prefixlen}.json"

    def _has(self, subnet: Subnet, host: DHCPHost) -> bool:
        content = atomic_file.read(self.file_of(subnet.network)) or b""
        return _Line.of(host).text in content

    def _write(self, keys: frozenset[int]) -> None:
        if len(self._refusals) > _MOST_REFUSALS:
            self._refusals.clear()
        with self._book.read() as connection:
            by_id = shelf.read(connection).by_id
        subnets = [by_id[key] for key in keys if key in by_id]
        configuration = self._configured.now()
        if not all(subnet.network in configuration.subnets for subnet in subnets):
            configuration = self._configured.anew()
        wanted: dict[IPNetwork, Lines] = {}
        for subnet in subnets:
            hosts = self._hosts(subnet)
            try:
                kea = configuration.subnet(subnet.network)
            except InvalidValue as error:
                # Others, who wait for other subnets, have nothing to do with that.
                self._refusals |= {host.mac: str(error) for host in hosts}
                continue
            wanted[kea.network] = self._accepted(configuration, kea, hosts)
        if not wanted:
            return
        contents = {self.file_of(network): _content(lines.values()) for network, lines in wanted.items()}
        try:
            with atomic_file.replaced(contents):
                self._control.command("config-reload")
                with once_told():
                    self._read_back(wanted)
        except LeaseholdError as error:
            # The old files are there again; Kea may have read the new ones.
            with suppress(LeaseholdError):
                self._recover()
            if isinstance(error, Refused):
                raise Unavailable(f"Kea took config-test and refused config-reload: {error.text}") from error
            raise

    def _recover(self) -> None:
        """Let Kea serve again what it served before a refused ``config-reload``.

        Kea 3.0.3 still has its configuration then, but no leases, and answers nobody until it takes one. When it
        refuses its file once more, because somebody broke that, it is given the one that it has.
        """
        try:
            self._control.command("config-reload")
        except Refused:
            nobody = {"ip-address": "0.0.0.1"}
            bear = (Result.ERROR, Result.EMPTY, Result.UNSUPPORTED)
            if self._control.command("lease4-get", nobody, bear=bear).result == Result.EMPTY:
                return
            log.warning("Kea refuses its configuration file, and is given the configuration that it had")
            running = self._control.command("config-get").arguments
            self._control.command("config-set", {"Dhcp4": running["Dhcp4"]})

    def _hosts(self, subnet: Subnet) -> list[DHCPHost]:
        """What the book wants served, but for what cannot be: that was in the book before Kea."""
        hosts: list[DHCPHost] = []
        after: DHCPHost | None = None
        while True:
            with self._book.read() as connection:
                found = pending.host_page(connection, subnet, after) if subnet.dhcp else []
            if not found:
                return hosts
            after = found[-1]
            for host in found:
                try:
                    reservation.refuse_unfit(host)
                except InvalidValue as error:
                    self._refusals[host.mac] = str(error)
                    log.warning("%s (%s) is not served: %s", host.address, host.mac, error)
                else:
                    hosts.append(host)

    def _accepted(self, configuration: Configuration, kea: KeaSubnet, hosts: Sequence[DHCPHost]) -> Lines:
        """``hosts`` without the new ones that Kea does not take. Raises Unavailable when it refuses the old ones."""
        lines = {host.mac: _Line.of(host) for host in hosts}
        before = _lines_of(atomic_file.read(self.file_of(kea.network)) or EMPTY)
        # What Kea has taken before it takes again, unless something new has the same address.
        places = {line.host.address for line in lines.values() if line.text not in before}
        asked = [host for host in hosts if host.address in places]
        refused = self._refusal(configuration, kea, asked)
        if refused is not None:
            # Kea may be configured otherwise by now.
            configuration = self._configured.anew()
            kea = configuration.subnet(kea.network)
            refused = self._refusal(configuration, kea, asked)
        if refused is None:
            for mac in self._refusals.keys() & lines.keys():
                del self._refusals[mac]
            return lines
        good = [host for host in hosts if lines[host.mac].text in before]
        if self._refusal(configuration, kea, good) is not None:
            # It is not the hosts, or those that it took before: nobody may lose an address because of that.
            raise Unavailable(f"Kea refuses what the book has for {kea.network}: {refused.text}") from refused
        new = [host for host in hosts if lines[host.mac].text not in before]
        left_out = self._refused(configuration, kea, good, new)
        return {mac: line for mac, line in lines.items() if mac not in left_out}

    def _refused(
        self, configuration: Configuration, kea: KeaSubnet, good: list[DHCPHost], new: Sequence[DHCPHost]
    ) -> set[str]:
        """The MACs of those among ``new`` that Kea does not take beside ``good``, found by halves."""
        left_out = set()
        tried = 0
        untried = [new]
        while untried:
            part = untried.pop()
            tried += 1
            refused = self._refusal(configuration, kea, [*good, *part])
            if refused is not None:
                if len(part) > 1 and tried < _MOST_TRIED:
                    middle = len(part) // 2
                    untried += [part[middle:], part[:middle]]
                    continue
                for host in part:
                    self._refusals[host.mac] = _advice(configuration, refused, good, host)
                    left_out.add(host.mac)
            else:
                good.extend(part)
        return left_out

    def _refusal(self, configuration: Configuration, kea: KeaSubnet, hosts: Iterable[DHCPHost]) -> Refused | None:
        """Why Kea would not take these; None when it would."""
        reservations = [reservation.written(host) for host in hosts]
        try:
            self._control.command("config-test", configuration.with_reservations({kea.id: reservations}))
        except Refused as refused:
            return refused
        return None

    def _read_back(self, wanted: Mapping[IPNetwork, Lines]) -> None:
        """Raise Unavailable when Kea does not have what was written: its configuration may lack the ``include``."""
        now = Configuration.of(self._control)
        for network, lines in wanted.items():
            there = _by_mac(now, network)
            if there.keys() != lines.keys() or not all(
                reservation.is_as_written(there[mac], line.reservation) for mac, line in lines.items()
            ):
                path = self.file_of(network)
                raise Unavailable(
                    f"Kea reads its configuration and does not have the reservations of {network} afterwards: that "
                    f'subnet needs "reservations": <?include "{path}"?>'
                )
        self._configured.keep(now)


def ours(configuration: Configuration, network: IPNetwork) -> list[DHCPHost]:
    """The hosts of ours that a configuration has for a subnet, by address and MAC; none when it has no such subnet."""
    found = (reservation.read(each) for each in _reservations(configuration, network) if reservation.is_ours(each))
    return sorted(
        (host for host in found if host is not None), key=lambda host: (int(host.address or 0), host.mac)
    )


def _reservations(configuration: Configuration, network: IPNetwork) -> Sequence[Mapping[str, Any]]:
    kea = configuration.subnets.get(network)
    return kea.reservations if kea is not None else ()


def _by_mac(configuration: Configuration, network: IPNetwork) -> dict[str, Mapping[str, Any]]:
    """The reservations of ours."""
    found = _reservations(configuration, network)
    return {str(each["hw-address"]): each for each in found if reservation.is_ours(each)}


def _content(lines: Iterable[_Line]) -> bytes:
    joined = _BETWEEN.join(line.text for line in lines)
    return _BEGIN + joined + _END if joined else EMPTY


def _lines_of(content: bytes) -> set[bytes]:
    return set(content.removeprefix(_BEGIN).removesuffix(_END).split(_BETWEEN))


def _advice(configuration: Configuration, refused: Refused, good: Iterable[DHCPHost], host: DHCPHost) -> str:
    other = next((each for each in good if each.address == host.address), None)
    if other is not None and not configuration.shares_addresses:
        return f"{other.mac} has that address. {SHARE_ADVICE}"
    return refused.text
