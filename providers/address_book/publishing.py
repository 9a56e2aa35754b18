"""Book and DHCP server, one host at a time: rule 13 of the address book.

A host is marked in the book before the server is told, and the mark goes when the server has confirmed. Between the
two anybody may change the book. So whoever told the server something looks at the book again afterwards, and if that
says something else by now, the server is told that: the last one to look leaves both the same. What a crash leaves
half done has its mark, by which ``syncing`` finds it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from functools import partial

from sqlalchemy import Connection

from providers.address_book.foundation import Foundation, innermost
from providers.book import pending, taken
from providers.errors import Conflict, InvalidValue, LeaseholdError, Unreached
from providers.model import DHCPHost, Pending, Subnet

log = logging.getLogger(__name__)

_IPV4 = 4
_ROUNDS = 3

Marks = Mapping[str, tuple[Pending, datetime] | None]
"""The mark of each MAC and since when; None for a host that has none."""


class Confirmed(Enum):
    """What the book says of a host that the DHCP server has just begun to serve."""

    YES = auto()
    GOING = auto()
    """Somebody deletes it, or has done so already."""


class Publishing(Foundation):
    """Tells the DHCP server what the book says of single hosts."""

    def _publishes(self, subnet: Subnet) -> bool:
        """Whether the DHCP server is to be told about hosts of ``subnet``: those that ``/dhcp`` has."""
        return self.dhcp.capabilities.publishes and subnet.dhcp and subnet.network.version == _IPV4

    def _confirm(self, subnet: Subnet, host: DHCPHost) -> Confirmed:
        """Take the mark from a host that is served now."""

        def work(connection: Connection) -> Confirmed:
            there = taken.host_of(connection, subnet, host.mac)
            mark = pending.of(connection, subnet, host.mac)
            if there != host or mark is Pending.WITHDRAW:
                return Confirmed.GOING
            if mark is not None:
                pending.clear(connection, subnet, host.mac)
            return Confirmed.YES

        return self.book.write(work)

    def _refuse_unserved(self, subnet: Subnet, host: DHCPHost) -> None:
        """Raise InvalidValue when the DHCP server can never serve ``host``, whose address is set."""
        if not self.dhcp.capabilities.publishes or host.address is None:
            return
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, host.address)
        if self._publishes(inner):
            self.dhcp.refuse_unfit(inner, host)

    def _stay(self, connection: Connection, subnet: Subnet, host: DHCPHost, now: datetime) -> datetime | None:
        """Mark a host that is reserved again while it is going; returns since when it was going, if it was."""
        mark = pending.since(connection, subnet, host.mac)
        if mark is None or mark[0] is not Pending.WITHDRAW:
            return None
        pending.mark(connection, subnet, host.mac, Pending.PUBLISH, now)
        return mark[1]

    def _go_again(self, connection: Connection, subnet: Subnet, host: DHCPHost, going: datetime) -> None:
        """After ``_stay``, when it could not be served: it is going as before."""
        if pending.of(connection, subnet, host.mac) is Pending.PUBLISH:
            pending.mark(connection, subnet, host.mac, Pending.WITHDRAW, going)

    def _withdraw(self, subnet: Subnet, hosts: Sequence[DHCPHost], since: datetime | None = None) -> None:
        """Let the DHCP server serve hosts no longer, which stay in the book with the mark that they are going.

        Those that somebody changed meanwhile are left to him; with ``since``, so are those that are not marked as
        going since then. When it fails the marks are as before, and so is the server as far as it can be reached.
        """
        now = self.clock()
        marks = self.book.write(lambda connection: _mark_going(connection, subnet, hosts, since, now))
        going = [host for host in hosts if host.mac in marks]
        done: list[DHCPHost] = []
        try:
            for host in going:
                self.dhcp.withdraw(subnet, host)
                done.append(host)
        except BaseException:
            self.book.write(lambda connection: _mark_again(connection, subnet, marks, now))
            for host in done:
                self._settle(subnet, host)
            raise

    def _withdraw_all(self, subnet: Subnet) -> None:
        """As ``_withdraw``, for all hosts of a subnet; with one change of the server where that can be."""
        if not self._publishes(subnet):
            return
        now = self.clock()
        marks: dict[str, tuple[Pending, datetime] | None] = {}
        after: DHCPHost | None = None
        try:
            while hosts := self._hosts_after(subnet, after):
                if self.dhcp.capabilities.in_one_step:
                    marks |= self.book.write(partial(_mark_going, subnet=subnet, hosts=hosts, since=None, now=now))
                else:
                    self._withdraw(subnet, hosts)
                after = hosts[-1]
            if marks:
                self.dhcp.replace(subnet, ())
        except BaseException:
            self.book.write(lambda connection: _mark_again(connection, subnet, marks, now))
            raise

    def _hosts_after(self, subnet: Subnet, after: DHCPHost | None) -> list[DHCPHost]:
        with self.book.read() as connection:
            return taken.host_page(connection, subnet, after)

    def _settle(self, subnet: Subnet, host: DHCPHost, failed: BaseException | None = None) -> None:
        """As ``_settle_now``, for whoever has an answer for its caller already: a failure is logged only.

        After the server ``failed`` because it was told nothing it has nothing to be settled; nobody has to be warned.
        """
        try:
            self._settle_now(subnet, host)
        except LeaseholdError as error:
            if isinstance(failed, Unreached) and isinstance(error, Unreached):
                return
            log.warning("%s: the DHCP server may differ from the book; run leasehold sync: %s", host.address, error)

    def _settle_now(self, subnet: Subnet, host: DHCPHost) -> None:
        """Let the DHCP server have of the MAC of ``host`` what the book says now."""
        for _ in range(_ROUNDS):
            wanted = self._wanted(subnet, host.mac)
            try:
                if wanted is None:
                    self.dhcp.withdraw(subnet, host)
                else:
                    self.dhcp.publish(subnet, wanted)
            except (InvalidValue, Conflict):
                # Somebody may have told the server of the same MAC at the same time: then the book has changed.
                if self._wanted(subnet, host.mac) == wanted:
                    raise
            if self._wanted(subnet, host.mac) == wanted:
                return

    def _wanted(self, subnet: Subnet, mac: str) -> DHCPHost | None:
        """What is to be served to a MAC as the book is now."""
        if not self._publishes(subnet):
            return None
        with self.book.read() as connection:
            if pending.of(connection, subnet, mac) is Pending.WITHDRAW:
                return None
            return taken.host_of(connection, subnet, mac)


def _mark_going(
    connection: Connection, subnet: Subnet, hosts: Sequence[DHCPHost], since: datetime | None, now: datetime
) -> Marks:
    marks: dict[str, tuple[Pending, datetime] | None] = {}
    for host in hosts:
        before = pending.since(connection, subnet, host.mac)
        if taken.host_of(connection, subnet, host.mac) != host:
            continue
        if since is not None and before != (Pending.WITHDRAW, since):
            continue
        marks[host.mac] = before
        pending.mark(connection, subnet, host.mac, Pending.WITHDRAW, now)
    return marks


def _mark_again(connection: Connection, subnet: Subnet, marks: Marks, made: datetime) -> None:
    """Put back the marks of before, but not where somebody else has marked the host since."""
    for mac, before in marks.items():
        if pending.since(connection, subnet, mac) != (Pending.WITHDRAW, made):
            continue
        if before is None:
            pending.clear(connection, subnet, mac)
        else:
            pending.mark(connection, subnet, mac, *before)
