"""Reservations one by one, for a Kea with the hook ``host_cmds``.

Kea Administrator Reference Manual, "libdhcp_host_cmds.so". ``operation-target`` is the hosts database where Kea has
one; else Kea's memory, which ``config-write`` then saves to its configuration file. Measured with Kea 3.0.3: see
docs/kea.md.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from providers.book import pending
from providers.book.database import Book
from providers.dhcp.contract import once_told
from providers.dhcp.kea import reservation
from providers.dhcp.kea.catching_up import CatchingUp
from providers.dhcp.kea.configuration import SHARE_ADVICE, Configuration
from providers.dhcp.kea.configured import Configured
from providers.dhcp.kea.control import Control, Refused, Result
from providers.dhcp.kea.saving import Saving
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import DHCPHost, Subnet

log = logging.getLogger(__name__)

_PAGE = 1000
_ROUNDS = 3
_NOBODY = "00:00:00:00:00:00"
_ABSENT = re.compile("not found", re.IGNORECASE)
_TAKEN = re.compile("already|duplicate", re.IGNORECASE)
_LOST = re.compile("transaction|connect|terminat", re.IGNORECASE)


class HostCommands:
    """Adds and deletes reservations in a running Kea."""

    def __init__(self, book: Book, control: Control) -> None:
        self._book = book
        self._control = control
        self._configured = Configured(control)
        self._saving = Saving(control)
        self._warned = False

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Add a reservation, or put one in the place of what we wrote earlier, and read it back."""
        configuration = self._configuration()
        with once_told():
            for _ in range(_ROUNDS):
                self.add(configuration, subnet, host)
                self._keep(configuration)
                if configuration.has_hosts_database or self._lasts(configuration, subnet, host, host):
                    return
                configuration = self._configuration()
        raise Unavailable(f"Kea was restarted while it was told of {host.address} for {host.mac}, and has lost that")

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Delete the reservation of a MAC, unless somebody else wrote it."""
        for _ in range(_ROUNDS):
            configuration = self._configuration()
            self.delete(configuration, subnet, host)
            self._keep(configuration)
            if configuration.has_hosts_database or self._lasts(configuration, subnet, host, None):
                return
        raise Unavailable(f"Kea was restarted while {host.mac} was deleted, and has it again")

    def bring_up(self, subnet: Subnet) -> None:
        """Have everything that the book has for the subnet served, and nothing else of ours.

        Raises InvalidValue after all the others are served when some cannot be.
        """
        try:
            failures = CatchingUp(self, self._book, subnet, self._configuration()).run()
        finally:
            # Also of a part: the next time there would be no difference, and nothing to save.
            if self._saving.needed:
                self._saving.run()
        if failures:
            raise InvalidValue(f"{len(failures)} hosts are not served; the first: {failures[0]}")

    def served(self, subnet: Subnet) -> list[DHCPHost]:
        """The reservations of ours, by address and MAC."""
        hosts = reservation.ours(self.listed(self._configuration(), subnet)).values()
        return sorted(hosts, key=lambda host: (int(host.address or 0), host.mac))

    def listed(self, configuration: Configuration, subnet: Subnet) -> list[Mapping[str, Any]]:
        """All reservations of a subnet: those in Kea's memory first."""
        kea = configuration.subnets.get(subnet.network)
        if kea is None:
            return []
        self._refuse_without_database(configuration, kea.id)
        found = list(self._all(kea.id))
        self._refuse_without_database(configuration, kea.id)
        return found

    def add(self, configuration: Configuration, subnet: Subnet, host: DHCPHost) -> None:
        """Have one host served, whatever Kea has of ours for its MAC, and read it back; does not save it."""
        number = configuration.subnet(subnet.network).id
        there = self._at(number, host.mac)
        if there is not None:
            if reservation.read(there) == host:
                return
            if not reservation.is_ours(there):
                reservation.refuse_taken(there, host)
            self.delete(configuration, subnet, host)
        self.put(configuration, number, host, self._sharing(number, host))
        added = self._at(number, host.mac)
        reservation.refuse_other(None if added is None else reservation.read(added), host)

    def put(self, configuration: Configuration, number: int, host: DHCPHost, sharing: list[str]) -> None:
        """Add a reservation beside those of ``sharing``, other MACs at that address."""
        target = "database" if configuration.has_hosts_database else "memory"
        wanted = {"subnet-id": number, **reservation.written(host)}
        try:
            self._change(target, "reservation-add", {"reservation": wanted})
        except Refused as refused:
            self._explain(configuration, number, host, sharing, refused)

    def _sharing(self, number: int, host: DHCPHost) -> list[str]:
        """The other MACs with the address of ``host``; raises Conflict when we did not write them.

        With ``ip-reservations-unique`` off Kea takes them, and it never compares its database with its memory.
        """
        answer = self._control.command(
            "reservation-get-by-address",
            {"subnet-id": number, "ip-address": str(host.address)},
            bear=(Result.EMPTY, Result.UNSUPPORTED),
        )
        found = answer.arguments.get("hosts") if isinstance(answer.arguments, dict) else None
        for each in found or ():
            if not reservation.is_ours(each):
                reservation.refuse_taken(each, host)
        return [str(each.get("hw-address")) for each in found or () if each.get("hw-address") != host.mac]

    def _explain(
        self, configuration: Configuration, number: int, host: DHCPHost, sharing: list[str], refused: Refused
    ) -> None:
        """Raise what a refused ``reservation-add`` is to the caller."""
        if refused.result == Result.UNSUPPORTED:
            raise refused
        if sharing and not configuration.shares_addresses:
            raise InvalidValue(
                f"Kea refuses {host.address} for {host.mac}: {sharing[0]} has that address. {SHARE_ADVICE}"
            ) from refused
        if configuration.has_hosts_database and not _TAKEN.search(refused.text):
            self._refuse_without_database(configuration, number)
            if _LOST.search(refused.text):
                # It is there again already.
                raise refused
        raise Conflict(f"Kea refuses {host.address} for {host.mac}: {refused.text}") from refused

    def delete(self, configuration: Configuration, subnet: Subnet, host: DHCPHost) -> None:
        """Have nothing of ours served to the MAC of ``host``; does not save it."""
        kea = configuration.subnets.get(subnet.network)
        if kea is None:
            return
        there = self._at(kea.id, host.mac, "memory")
        if there is not None and reservation.is_ours(there):
            self._delete_from(kea.id, host.mac, "memory")
        if configuration.has_hosts_database:
            there = self._at(kea.id, host.mac, "database")
            if there is None or reservation.is_ours(there):
                # Also when there is none: Kea says so too of a database that it has lost, but does not do this then.
                self._delete_from(kea.id, host.mac, "database")
        there = self._at(kea.id, host.mac)
        if there is not None and reservation.is_ours(there):
            raise Unavailable(f"Kea said it had deleted the reservation of {host.mac}, and still has it")

    def _delete_from(self, number: int, mac: str, target: str) -> None:
        """Delete it if it is there; raises Unavailable when Kea cannot say."""
        try:
            self._change(target, "reservation-del", _identified(number, mac), bear=(Result.EMPTY,))
        except Refused as refused:
            if not _ABSENT.search(refused.text):
                raise

    def _change(
        self, target: str, command: str, arguments: Mapping[str, Any], *, bear: tuple[Result, ...] = ()
    ) -> None:
        if target == "memory":
            self._saving.needed = True
        self._control.command(command, {**arguments, "operation-target": target}, bear=bear)

    def _refuse_without_database(self, configuration: Configuration, number: int) -> None:
        """Raise Unavailable when Kea has lost its hosts database: it answers as if nothing were in it (3.0.3)."""
        if configuration.has_hosts_database:
            self._delete_from(number, _NOBODY, "database")

    def _at(self, number: int, mac: str, target: str = "all") -> Mapping[str, Any] | None:
        """What Kea goes by for a MAC: of two reservations the one in its memory."""
        arguments = {**_identified(number, mac), "operation-target": target}
        answer = self._control.command("reservation-get", arguments, bear=(Result.EMPTY,))
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
        """Let reservations in Kea's memory survive its restart.

        Also when nothing changed: an earlier saving may have failed, in whatever process.
        """
        if self._saving.needed or not configuration.has_hosts_database:
            self._saving.run()

    def _lasts(self, configuration: Configuration, subnet: Subnet, host: DHCPHost, told: DHCPHost | None) -> bool:
        """Whether Kea has of the MAC of ``host`` what it was ``told``, or the book says something else by now.

        Asked after it was saved: a Kea that is restarted, or reads its file, before that saves what the file had.
        """
        kea = configuration.subnets.get(subnet.network)
        there = None if kea is None else self._at(kea.id, host.mac, "memory")
        if there is not None and told is None and not reservation.is_ours(there):
            # It is never deleted. As long as it is just so it serves what was told, though.
            there = None
        if (None if there is None else reservation.read(there)) == told:
            return True
        with self._book.read() as connection:
            wanted = pending.to_serve(connection, subnet, host.mac) if subnet.dhcp else []
        return (wanted[0] if wanted else None) != told

    def _configuration(self) -> Configuration:
        found = self._configured.now()
        numbers = [each.id for each in found.subnets.values()]
        if not self._warned and found.has_hosts_database and numbers == list(range(1, len(numbers) + 1)):
            self._warned = True
            log.warning(
                "Kea's subnets have the ids 1 to %d in order, as Kea numbers those that have none. Reservations in a "
                "hosts database belong to such a number: give each subnet4 an id of its own",
                len(numbers),
            )
        return found


def _identified(number: int, mac: str) -> dict[str, Any]:
    return {"subnet-id": number, "identifier-type": "hw-address", "identifier": mac}
