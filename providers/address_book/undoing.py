"""Undoing a reservation that could not be told to everybody: the book as it was, except for what others did since."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from providers.address_book.publishing import Publishing
from providers.address_book.upstream_rows import UpstreamRows
from providers.book import event_log, pending, promises, taken, upstream
from providers.book.promises import Rest
from providers.errors import LeaseholdError
from providers.ipam.contract import amendment, our_record
from providers.model import Caller, DHCPHost, Hold, Reservation, Subnet, Use

log = logging.getLogger(__name__)

DESCRIPTION = ("name", "mac", "description", "note")


@dataclass(frozen=True, slots=True)
class Done:
    """What a reservation did to the book, and what was there before: enough to undo it.

    ``going``: the host, if it was on its way out, and since when. ``key``: that of the request, if it
    may be repeated.
    """

    subnet: Subnet
    before: Reservation | None
    after: Reservation
    hold: Hold | None = None
    rest: Rest | None = None
    going: tuple[DHCPHost, datetime] | None = None
    key: str | None = None


class Undoing(UpstreamRows, Publishing):
    """Undoes what was reserved."""

    def _undo_in_doubt(self, connection: Connection, done: Done, caller: Caller) -> None:
        """Undo what upstream may do all the same, and remember that it may."""
        if self._undo(connection, done, caller):
            upstream.doubt(connection, done.subnet, done.after.address, self.clock())

    def _take_back(self, done: Done, caller: Caller) -> bool:
        """After publishing failed: the book and the IPAM as they were before ``done``.

        Returns whether nobody has the address any more.
        """
        if not self.book.write(lambda connection: self._undo(connection, done, caller)):
            self._describe_back(done)
            return False
        try:
            self._delete_upstream(done.subnet, done.after.address)
        except LeaseholdError as error:
            # The caller has to hear why its reservation failed, not this.
            log.warning("%s: free, but the IPAM still has it as taken: %s", done.after.address, error)
        return True

    def _describe_back(self, done: Done) -> None:
        """Let upstream say of an address that somebody has what the book says again."""
        with self.book.read() as connection:
            there = taken.reservation(connection, done.subnet, done.after.address)
        if there is None or not self.ipam.capabilities.remote:
            return
        told, right = our_record(done.after), our_record(there)
        if told != right:
            try:
                self.ipam.amend(done.subnet, amendment(told, right))
            except LeaseholdError as error:
                log.warning("%s: the IPAM still has the name and MAC of before: %s", there.address, error)

    def _undo(self, connection: Connection, done: Done, caller: Caller) -> bool:
        """Let the book be as it was before ``done``, except for what others did to the address since.

        Returns whether nobody has the address any more.
        """
        address, before = done.after.address, done.before
        if done.after is before:
            if done.going is not None:
                self._go_again(connection, done.subnet, *done.going)
            return False
        now = self.clock()
        subnet, directory = self._enter_inner(connection, done.subnet, address)
        there = taken.reservation(connection, subnet, address)
        if there is None:
            return False
        if done.key is not None and there.changed_at != done.after.changed_at:
            # The same request came again, and may have been told by now that the address is reserved.
            return False
        kept = before.hosts if before is not None else ()
        going = [host for host in done.after.hosts if host not in kept and host in there.hosts]
        if self._publishes(subnet) and any(not pending.of(connection, subnet, host.mac) for host in going):
            # Somebody else reserved the same, had it served, and was told so.
            return False
        for host in going:
            taken.remove_host(connection, subnet, host.mac)
        ending = set(done.after.uses) - set(before.uses if before is not None else ())
        if len(there.hosts) > len(going):
            ending.discard(Use.DHCP)
        for use in ending:
            taken.remove_use(connection, subnet, address, use, now)
        event_log.record(connection, now, caller, "address.undo", subnet, address)
        if set(there.uses) - ending:
            if before is not None:
                described = {key: getattr(before, key) for key in DESCRIPTION}
                taken.describe(connection, subnet, address, **described, changed_at=before.changed_at)
            return False
        taken.remove(connection, subnet, address)
        if not self._promised_again(connection, subnet, done, now):
            self._give_back(connection, subnet, directory, address)
        return True

    def _promised_again(self, connection: Connection, subnet: Subnet, done: Done, now: datetime) -> bool:
        """Restore the hold or rest that ``done`` consumed, if it would still be there; returns whether it is."""
        hold, rest = done.hold, done.rest
        if hold is not None and hold.expires_at > now:
            if promises.belongings(connection, subnet, hold.key, None).hold is not None:
                return False
            promises.hold(connection, replace(hold, subnet=subnet))
            return True
        if rest is not None and rest.until > now:
            promises.rest(connection, subnet, done.after.address, rest.key, rest.until)
            return True
        return False
