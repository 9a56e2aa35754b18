"""Kea as a DHCP provider."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema
from netaddr import IPAddress

from providers.addresses import Range
from providers.book.database import Book
from providers.dhcp.contract import DHCPCapabilities, DHCPProvider, Health
from providers.dhcp.kea import reservation
from providers.dhcp.kea.configuration import Configuration
from providers.dhcp.kea.control import Control
from providers.dhcp.kea.host_commands import HostCommands
from providers.dhcp.kea.include_files import IncludeFiles, ours
from providers.dhcp.kea.leases import KeaLeases
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import LeaseholdError
from providers.model import DHCPHost, Lease, Subnet

log = logging.getLogger(__name__)

_IPV4 = 4
_HOST_COMMANDS = {"reservation-add", "reservation-del", "reservation-get-page"}


class KeaDHCP(DHCPProvider):
    """Serves through a Kea, by what the running one can do and not by its version."""

    name: ClassVar[str] = "dhcp_kea"
    # Kea's next-server is an address: Foreman looks names up by itself when it reads that.
    capabilities: ClassVar[DHCPCapabilities] = DHCPCapabilities(
        publishes=True, leases=True, features=("dhcp_filename_ipv4",), in_one_step=True
    )
    settings_schema: ClassVar[type[Schema]] = KeaSchema

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        super().__init__(book, settings)
        self._control = Control(settings)
        self._files = IncludeFiles(book, self._control, Path(settings["include_directory"]))
        self._host_commands = HostCommands(book, self._control)
        self._leases = KeaLeases(self._control, settings["leases"])
        self._by_commands: bool | None = None

    def refuse_unfit(self, subnet: Subnet, host: DHCPHost) -> None:
        """Raise InvalidValue for what Kea cannot serve."""
        reservation.refuse_unfit(host)

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve it, and see that Kea has it."""
        self._way().publish(subnet, host)

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve it no longer. In files mode the book has to say so."""
        if self._is_by_commands():
            self._host_commands.withdraw(subnet, host)
        else:
            self._files.withdraw(subnet)

    def served(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """What Kea has of ours."""
        if self._is_by_commands():
            return iter(self._host_commands.served(subnet))
        return iter(ours(Configuration.of(self._control), subnet.network))

    def replace(self, subnet: Subnet, hosts: Sequence[DHCPHost]) -> None:
        """Serve what the book has now."""
        self._way().bring_up(subnet)

    def refresh(self) -> None:
        """Look what was leased meanwhile."""
        self._leases.refresh()

    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """The active leases."""
        self._leases.refresh()
        return self._leases.within(subnet.network)

    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """From memory."""
        return self._leases.at(address) if address in subnet.network and address.version == _IPV4 else None

    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """From memory."""
        return self._leases.of(mac, subnet.network)

    def first_unleased(self, subnet: Subnet, within: Range) -> IPAddress | None:
        """From memory; IPv6 is not leased here."""
        return self._leases.first_unleased(within) if within.first.version == _IPV4 else within.first

    def health(self) -> Health:
        """Whether Kea answers, and how it is told."""
        try:
            answer = self._control.command("version-get")
            way = "reservation-add" if self._is_by_commands() else f"files in {self.settings['include_directory']}"
        except LeaseholdError as error:
            return Health(False, str(error))
        return Health(True, f"Kea {answer.text.splitlines()[0]} at {self._control.place}, told by {way}")

    def _way(self) -> IncludeFiles | HostCommands:
        return self._host_commands if self._is_by_commands() else self._files

    def _is_by_commands(self) -> bool:
        """Whether reservations go by commands; asked of the running Kea once, when it is first needed.

        Each that comes before there is an answer asks by itself: waiting for one another, of a Kea that hangs the last
        would hear after the time of all.
        """
        known = self._by_commands
        if known is None:
            wanted = self.settings["reservations"]
            known = wanted == "commands" or (wanted == "auto" and self._has_host_commands())
            self._by_commands = known
        return known

    def _has_host_commands(self) -> bool:
        known = self._control.command("list-commands").arguments
        return isinstance(known, list) and set(known) >= _HOST_COMMANDS
