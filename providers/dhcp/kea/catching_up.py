"""Everything that the book has for a subnet, told to a Kea with ``host_cmds``: one command for each host that differs.

The book changes meanwhile. Whoever changes it tells Kea by himself, and may do so before this does what the book said
earlier. So the book is looked at again when everything is done, and what is otherwise by then is told once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from providers.book import pending
from providers.book.database import Book
from providers.dhcp.kea import reservation
from providers.dhcp.kea.configuration import Configuration
from providers.errors import Conflict, InvalidValue
from providers.model import DHCPHost, Subnet

if TYPE_CHECKING:
    from providers.dhcp.kea.host_commands import HostCommands

_ROUNDS = 3


class CatchingUp:
    """One subnet, once."""

    def __init__(self, commands: HostCommands, book: Book, subnet: Subnet, configuration: Configuration) -> None:
        self._commands = commands
        self._book = book
        self._subnet = subnet
        self._configuration = configuration
        self._failures: list[str] = []
        self._told: dict[str, tuple[DHCPHost, DHCPHost | None]] = {}
        """By MAC a host of it, and what Kea was told to serve."""

    def run(self) -> list[str]:
        """Why some hosts are not served."""
        wanted = {host.mac: host for host in self._in_the_book()}
        listed = self._commands.listed(self._configuration, self._subnet)
        there = reservation.ours(listed)
        for mac, host in there.items():
            if wanted.get(mac) != host and self._wanted_now(mac) != host:
                self._commands.delete(self._configuration, self._subnet, host)
                self._told[mac] = (host, None)
        self._add([host for mac, host in wanted.items() if there.get(mac) != host], wanted.values(), listed)
        now = {host.mac: host for host in self._in_the_book()}
        for mac, (host, told) in self._told.items():
            if now.get(mac) != told:
                self._settle(host)
        self._read_back(now)
        return self._failures

    def _add(
        self, hosts: Iterable[DHCPHost], wanted: Iterable[DHCPHost], listed: Iterable[Mapping[str, Any]]
    ) -> None:
        others = [each for each in listed if not reservation.is_ours(each)]
        taken = {str(each.get(key)): each for key in ("hw-address", "ip-address") for each in others}
        at: dict[object, list[str]] = defaultdict(list)
        for host in wanted:
            at[host.address].append(host.mac)
        for host in hosts:
            try:
                reservation.refuse_unfit(host)
                reservation.refuse_taken(taken.get(host.mac) or taken.get(str(host.address)), host)
                number = self._configuration.subnet(self._subnet.network).id
                self._commands.put(
                    self._configuration, number, host, [mac for mac in at[host.address] if mac != host.mac]
                )
                self._told[host.mac] = (host, host)
            except (InvalidValue, Conflict) as error:
                self._failures.append(str(error))

    def _settle(self, host: DHCPHost) -> None:
        """Let Kea have of the MAC of ``host`` what the book says now."""
        for _ in range(_ROUNDS):
            wanted = self._wanted_now(host.mac)
            try:
                if wanted is None:
                    self._commands.delete(self._configuration, self._subnet, host)
                else:
                    self._commands.add(self._configuration, self._subnet, wanted)
            except (InvalidValue, Conflict) as error:
                self._failures.append(str(error))
                return
            if self._wanted_now(host.mac) == wanted:
                return

    def _read_back(self, wanted: Mapping[str, DHCPHost]) -> None:
        """Raise Unavailable when Kea does not have what it was told, and the book still says so."""
        added = [told for _, told in self._told.values() if told is not None and wanted.get(told.mac) == told]
        if not added:
            return
        there = reservation.ours(self._commands.listed(self._configuration, self._subnet))
        for host in added:
            if there.get(host.mac) != host and self._wanted_now(host.mac) == host:
                reservation.refuse_other(there.get(host.mac), host)

    def _wanted_now(self, mac: str) -> DHCPHost | None:
        with self._book.read() as connection:
            found = pending.to_serve(connection, self._subnet, mac) if self._subnet.dhcp else []
        return found[0] if found else None

    def _in_the_book(self) -> Iterator[DHCPHost]:
        after: DHCPHost | None = None
        while self._subnet.dhcp:
            with self._book.read() as connection:
                found = pending.host_page(connection, self._subnet, after)
            if not found:
                return
            yield from found
            after = found[-1]
