"""Reservations one by one, for a Kea with the hook ``host_cmds``.

Kea Administrator Reference Manual, "libdhcp_host_cmds.so". ``operation-target`` is the hosts database where Kea has
one; else Kea's memory, which ``config-write`` then saves to its configuration file. Not measured against a Kea: see
docs/kea.md.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from providers.book import pending
from providers.book.database import Book
from providers.dhcp.kea import reservation
from providers.dhcp.kea.configuration import Configuration
from providers.dhcp.kea.control import Control, Refused, Result
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import DHCPHost, Subnet

log = logging.getLogger(__name__)

_PAGE = 1000
_ABSENT = re.compile("not found", re.IGNORECASE)


class HostCommands:
    """Adds and deletes reservations in a running Kea."""

    def __init__(self, book: Book, control: Control) -> None:
        self._book = book
        self._control = control
        self._warned = False

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Add a reservation, or put one in the place of what we wrote earlier, and read it back."""
        configuration = self._configuration()
        if self._add(configuration, subnet, host):
            self._keep(configuration)

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Delete the reservation of a MAC, unless somebody else wrote it."""
        configuration = self._configuration()
        if self._delete(configuration, subnet, host):
            self._keep(configuration)

    def bring_up(self, subnet: Subnet) -> None:
        """Have everything that the book has for the subnet served, and nothing else of ours.

        Raises InvalidValue after all the others are served when some cannot be.
        """
        configuration = self._configuration()
        wanted = {host.mac: host for host in self._wanted(subnet)}
        there = {host.mac: host for host in self.served(subnet)}
        failures = []
        changed = False
        for mac, host in there.items():
            if wanted.get(mac) != host:
                changed |= self._delete(configuration, subnet, host)
        for mac, host in wanted.items():
            if there.get(mac) != host:
                try:
                    reservation.refuse_unfit(host)
                    changed |= self._add(configuration, subnet, host)
                except (InvalidValue, Conflict) as error:
                    failures.append(str(error))
        if changed:
            self._keep(configuration)
        if failures:
            raise InvalidValue(f"{len(failures)} hosts are not served; the first: {failures[0]}")

    def served(self, subnet: Subnet) -> list[DHCPHost]:
        """The reservations of ours, by address and MAC."""
        configuration = self._configuration()
        kea = configuration.subnets.get(subnet.network)
        ours = () if kea is None else filter(reservation.is_ours, self._all(kea.id))
        found = map(reservation.read, ours)
        hosts = {host.mac: host for host in found if host is not None}
        return sorted(hosts.values(), key=lambda host: (int(host.address or 0), host.mac))

    def _add(self, configuration: Configuration, subnet: Subnet, host: DHCPHost) -> bool:
        """Returns whether something had to be changed."""
        number = configuration.subnet(subnet.network).id
        there = self._at(number, host.mac)
        if there is not None:
            if reservation.read(there) == host:
                return False
            if not reservation.is_ours(there):
                raise Conflict(f"Kea has a reservation of somebody else for {host.mac}: {there.get('ip-address')}")
            self._delete(configuration, subnet, host)
        try:
            self._control.command(
                "reservation-add",
                {"reservation": {"subnet-id": number, **reservation.written(host)}, **_target(configuration)},
            )
        except Refused as refused:
            if refused.result == Result.UNSUPPORTED:
                raise
            raise Conflict(f"Kea refuses {host.address} for {host.mac}: {refused.text}") from refused
        added = self._at(number, host.mac)
        if added is None or reservation.read(added) != host:
            raise Unavailable(f"Kea said it had added {host.address} for {host.mac}, and does not have it so")
        return True

    def _delete(self, configuration: Configuration, subnet: Subnet, host: DHCPHost) -> bool:
        kea = configuration.subnets.get(subnet.network)
        there = None if kea is None else self._at(kea.id, host.mac)
        if kea is None or there is None or not reservation.is_ours(there):
            return False
        try:
            self._control.command(
                "reservation-del", {**_identified(kea.id, host.mac), **_target(configuration)}, bear=(Result.EMPTY,)
            )
        except Refused as refused:
            if not _ABSENT.search(refused.text):
                raise
        if self._at(kea.id, host.mac) is not None:
            raise Unavailable(f"Kea said it had deleted the reservation of {host.mac}, and still has it")
        return True

    def _at(self, number: int, mac: str) -> Mapping[str, Any] | None:
        answer = self._control.command("reservation-get", _identified(number, mac), bear=(Result.EMPTY,))
        found = answer.arguments
        return found if answer.result == Result.SUCCESS and isinstance(found, dict) and found else None

    def _all(self, number: int) -> Iterator[Mapping[str, Any]]:
        position: dict[str, int] = {}
        while True:
            arguments = {"subnet-id": number, "limit": _PAGE, **position}
            answer = self._control.command("reservation-get-page", arguments, bear=(Result.EMPTY,))
            found = answer.arguments.get("hosts") if isinstance(answer.arguments, dict) else None
            if answer.result == Result.EMPTY or not found:
                return
            yield from found
            following = answer.arguments.get("next") or {}
            if not following:
                return
            position = {key: following[key] for key in ("from", "source-index") if key in following}

    def _keep(self, configuration: Configuration) -> None:
        """Let reservations in Kea's memory survive its restart."""
        if not configuration.has_hosts_database:
            self._control.command("config-write")

    def _configuration(self) -> Configuration:
        found = Configuration.of(self._control)
        numbers = [each.id for each in found.subnets.values()]
        if not self._warned and found.has_hosts_database and numbers == list(range(1, len(numbers) + 1)):
            self._warned = True
            log.warning(
                "Kea's subnets have the ids 1 to %d in order, as Kea numbers those that have none. Reservations in a "
                "hosts database belong to such a number: give each subnet4 an id of its own",
                len(numbers),
            )
        return found

    def _wanted(self, subnet: Subnet) -> Iterator[DHCPHost]:
        after: DHCPHost | None = None
        while subnet.dhcp:
            with self._book.read() as connection:
                found = pending.host_page(connection, subnet, after)
            if not found:
                return
            yield from found
            after = found[-1]


def _identified(number: int, mac: str) -> dict[str, Any]:
    return {"subnet-id": number, "identifier-type": "hw-address", "identifier": mac}


def _target(configuration: Configuration) -> dict[str, str]:
    return {"operation-target": "database" if configuration.has_hosts_database else "memory"}
