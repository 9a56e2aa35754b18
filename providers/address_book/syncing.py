"""Book and DHCP server as a whole: what differs, and bringing them together. The book is right."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from providers.address_book.releases import Releases
from providers.book import event_log, pending
from providers.book.directory import Directory
from providers.errors import Conflict, InvalidValue, LeaseholdError, Unavailable
from providers.model import Caller, DHCPHost, Pending, Subnet

log = logging.getLogger(__name__)

ABANDONED = timedelta(minutes=2)
"""How old the mark of a deletion is before its caller counts as gone: no request lives that long."""

_FLOOR = 10
_MOST_UNAVAILABLE = 10
_IPV4 = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """What the DHCP server has of one subnet, compared with the book.

    ``served``: how many hosts of ours it has. ``missing`` are in the book only, ``extra`` on the server only,
    ``changed`` are (as served, as in the book). ``unconfirmed`` is served as the book says, but nobody has noted that;
    ``abandoned`` was being deleted when somebody stopped halfway.
    """

    subnet: Subnet
    served: int
    missing: tuple[DHCPHost, ...] = ()
    extra: tuple[DHCPHost, ...] = ()
    changed: tuple[tuple[DHCPHost, DHCPHost], ...] = ()
    unconfirmed: tuple[DHCPHost, ...] = ()
    abandoned: tuple[DHCPHost, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is something to do."""
        return bool(self.missing or self.extra or self.changed or self.unconfirmed or self.abandoned)


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of a difference: ``failures`` says of each host, or of the subnet, why it still differs."""

    difference: Difference
    failures: tuple[str, ...] = ()


class Syncing(Releases):
    """Finds and heals differences between the book and the DHCP server."""

    def differences(self) -> Iterator[Difference]:
        """Every subnet in which the DHCP server differs from the book; raises Unavailable."""
        return (each for each in self._compared() if each.any)

    def sync(self, caller: Caller, *, most_percent: int, force: bool = False) -> list[Synced]:
        """Let the DHCP server serve what the book says; returns what differed.

        Raises Conflict, and changes nothing, when more than ``most_percent`` of the hosts that are served (and more
        than 10) would change or go, unless ``force`` is set; Unavailable when the server does not answer.
        """
        if not self.dhcp.capabilities.publishes:
            return []
        compared = list(self._compared())
        if not force:
            _refuse_too_many(compared, most_percent)
        return [self._bring_together(each, caller) for each in compared if each.any]

    def sync_subnet(self, subnet: Subnet, caller: Caller) -> Synced:
        """Let the DHCP server serve what the book says of one subnet, however much that changes; as ``sync``.

        Not of one whose network is on ``/dhcp`` in another group: what the server has there is that one's.
        """
        with self.book.read() as connection:
            told = {each.id for each in self._told(self._directories.current(connection))}
        if subnet.id not in told:
            return Synced(Difference(subnet, 0))
        found = self._compare(subnet)
        return self._bring_together(found, caller) if found.any else Synced(found)

    def has_abandoned(self) -> bool:
        """Whether the mark of somebody who stopped halfway waits to be healed. Cheap."""
        before = self.clock() - ABANDONED
        with self.book.read() as connection:
            return self.dhcp.capabilities.publishes and pending.older_than(connection, before)

    def _compared(self) -> Iterator[Difference]:
        if not self.dhcp.capabilities.publishes:
            return
        with self.book.read() as connection:
            told = self._told(self._directories.current(connection))
        for subnet in told:
            yield self._compare(subnet)

    def _told(self, directory: Directory) -> list[Subnet]:
        """The subnets that the DHCP server is compared with; one that is not on ``/dhcp`` has nothing there."""
        on_dhcp = {each.network for each in directory.subnets if each.dhcp}
        return [
            each
            for each in directory.subnets
            if each.network.version == _IPV4 and (each.dhcp or each.network not in on_dhcp)
        ]

    def _compare(self, subnet: Subnet) -> Difference:
        # The server first: what is reserved after that is missing at worst, and publishing it twice is no error.
        there = {host.mac: host for host in self.dhcp.served(subnet)}
        wanted = {host.mac: host for host in self._to_serve(subnet)} if subnet.dhcp else {}
        changed, missing, same = [], [], set()
        for mac, host in wanted.items():
            if mac not in there:
                missing.append(host)
            elif there[mac] != self.dhcp.as_served(subnet, host):
                changed.append((there[mac], host))
            else:
                same.add(mac)
        with self.book.read() as connection:
            marked = pending.marked(connection, subnet)
        # Whoever deletes a host withdraws it by himself, and puts it back if that fails.
        going = {each.mac for each, mark, _ in marked if mark is Pending.WITHDRAW}
        extra = tuple(host for mac, host in there.items() if mac not in wanted and mac not in going)
        before = self.clock() - ABANDONED
        unconfirmed = (each for each, mark, _ in marked if mark is Pending.PUBLISH and each.mac in same)
        abandoned = (each for each, mark, since in marked if mark is Pending.WITHDRAW and since <= before)
        return Difference(
            subnet, len(there), tuple(missing), extra, tuple(changed), tuple(unconfirmed), tuple(abandoned)
        )

    def _to_serve(self, subnet: Subnet) -> Iterator[DHCPHost]:
        after: DHCPHost | None = None
        while True:
            with self.book.read() as connection:
                found = pending.host_page(connection, subnet, after)
            if not found:
                return
            yield from found
            after = found[-1]

    def _bring_together(self, difference: Difference, caller: Caller) -> Synced:
        subnet, failures = difference.subnet, []
        wrong = bool(difference.missing or difference.extra or difference.changed)
        if wrong and self.dhcp.capabilities.in_one_step:
            try:
                self.dhcp.replace(subnet, list(self._to_serve(subnet)) if subnet.dhcp else [])
            except (InvalidValue, Conflict) as error:
                failures.append(str(error))
            except Unavailable as error:
                # One subnet that the server does not take must not keep the others from being healed.
                if not self.dhcp.health().ok:
                    raise
                failures.append(str(error))
        elif wrong:
            failures += self._one_by_one(difference)
        for host in difference.abandoned:
            try:
                self._finish_deleting(subnet, host, caller)
            except LeaseholdError as error:
                failures.append(str(error))
        if subnet.dhcp:
            left = self._compare(subnet)
            for host in left.unconfirmed:
                self._confirm(subnet, host)
            if not failures:
                failures += [f"{host.address} ({host.mac}) is not served" for host in left.missing]
        self.book.write(lambda connection: self._note_sync(connection, difference, len(failures), caller))
        return Synced(difference, tuple(failures))

    def _finish_deleting(self, subnet: Subnet, host: DHCPHost, caller: Caller) -> None:
        with self.book.read() as connection:
            mark = pending.since(connection, subnet, host.mac)
        if mark is not None and mark[0] is Pending.WITHDRAW and mark[1] <= self.clock() - ABANDONED:
            self._finish_going(subnet, host, mark[1], caller)

    def _one_by_one(self, difference: Difference) -> Iterator[str]:
        """Settle each host that differs; yields why one could not be."""
        subnet = difference.subnet
        served = (*difference.extra, *(was for was, _ in difference.changed))
        wanted = (*difference.extra, *(becomes for _, becomes in difference.changed), *difference.missing)
        # All that is wrong goes first: it may be in the way of what comes.
        unavailable = 0
        for change, hosts in ((self.dhcp.withdraw, served), (self._settle_now, wanted)):
            for host in hosts:
                try:
                    change(subnet, host)
                except (InvalidValue, Conflict) as error:
                    yield str(error)
                except Unavailable as error:
                    # It may be this host alone. But each may take its time, and there may be thousands.
                    unavailable += 1
                    if unavailable > _MOST_UNAVAILABLE or not self.dhcp.health().ok:
                        raise
                    yield str(error)

    def _note_sync(self, connection: Connection, difference: Difference, failed: int, caller: Caller) -> None:
        counts = {
            name: len(getattr(difference, name)) for name in ("missing", "extra", "changed", "unconfirmed", "abandoned")
        }
        event_log.record(connection, self.clock(), caller, "dhcp.sync", difference.subnet, **counts, failed=failed)


def _refuse_too_many(compared: Iterable[Difference], most_percent: int) -> None:
    differences = list(compared)
    served = sum(each.served for each in differences)
    gone = sum(len(each.extra) for each in differences)
    changed = sum(len(each.changed) for each in differences)
    if gone + changed > max(_FLOOR, served * most_percent / 100):
        raise Conflict(
            f"Of {served} hosts that the DHCP server serves, {gone} would go and {changed} would change, which is more "
            f"than {most_percent} percent: see leasehold sync --plan, and if the book is right leasehold sync --force"
        )
