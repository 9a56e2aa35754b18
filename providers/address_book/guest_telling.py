"""Telling the IPAM and the DHCP server what was written about a guest, and taking all of it back when one refuses."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from functools import partial

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.guest_addresses import Change, GuestAddresses, lock_subnets
from providers.address_book.guest_written import Ended, Undo, Written
from providers.address_book.publishing import Confirmed
from providers.address_book.releases import Parting
from providers.address_book.upstream_records import guest_record, record_of
from providers.book import guests as kept
from providers.book import taken, upstream
from providers.book.guests import Kept
from providers.errors import Conflict, LeaseholdError, NotFound, Uncertain, Unreached
from providers.ipam.contract import Record, amendment, our_record
from providers.model import Caller, DHCPHost, Reservation, Subnet, Use

log = logging.getLogger(__name__)


class GuestTelling(GuestAddresses):
    """Several addresses are one decision: either all are told, or the book is as before.

    First comes what is new, then what the guest gives back: withdrawn from the DHCP server, then from the IPAM, then
    from the book (rule 10). No transaction of the book is open meanwhile.
    """

    def _marked(self, written: Written, ending_at: datetime | None = None) -> Written:
        """The same, with the mark by which others know that it is being told, if it has to be."""
        since = self.clock() if written.untold else None
        return replace(written, guest=replace(written.guest, telling_since=since, ending_at=ending_at))

    def _tell_all(self, written: Written, caller: Caller) -> None:
        """Tell everybody; raises what one of them raised, after all was taken back."""
        undoing: list[Undo] = []
        try:
            for change in written.changes:
                self._withdraw_replaced(change, undoing)
            for change in written.changes:
                self._tell_record(written, change, undoing)
            for change in written.changes:
                self._publish_new(change, undoing)
            for parting in written.partings:
                self._tell_parting(parting, written.before or written.guest, undoing)
            for change in written.changes:
                self._confirm_new(change)
        except BaseException:
            self._take_all_back(written, undoing, caller)
            raise

    def _withdraw_replaced(self, change: Change, undoing: list[Undo]) -> None:
        subnet = change.after.subnet
        for host in change.before.hosts if change.before is not None else ():
            if host not in change.after.hosts and self._publishes(subnet):
                undoing.append(self._settling(subnet, host))
                self.dhcp.withdraw(subnet, host)

    def _settling(self, subnet: Subnet, host: DHCPHost) -> Undo:
        return Undo(partial(self._settle, subnet, host), by_the_book=True)

    def _tell_record(self, written: Written, change: Change, undoing: list[Undo]) -> None:
        record, subnet = guest_record(change.after, written.guest), change.after.subnet
        if change.before is None:
            # Also after no answer: whoever does not answer may have taken it all the same.
            place = (subnet.id, record.address)
            undoing.append(Undo(partial(self.ipam.delete, subnet, record.address), place))
            try:
                self.ipam.create(subnet, record)
            except Conflict as error:
                undoing.pop()
                raise _of_address(error, record.address) from error
            except Uncertain:
                undoing[-1] = replace(undoing[-1], doubt=True)
                raise
            return
        if change.again:
            self._create_again(change.after, record)
            return
        known = our_record(change.before) if written.before is None else guest_record(change.before, written.before)
        if record == known:
            return
        undoing.append(Undo(partial(self.ipam.amend, subnet, amendment(record, known))))
        try:
            try:
                self.ipam.amend(subnet, amendment(known, record))
            except NotFound:
                self.ipam.create(subnet, record)
        except LeaseholdError as error:
            # The address is right, only its description upstream is old: no reason to refuse (rule 5).
            log.warning("%s: node, name and MAC could not be written to the IPAM: %s", record.address, error)

    def _create_again(self, after: Reservation, record: Record) -> None:
        """Take an address upstream that may be taken for the guest already: what was told last is unknown."""
        try:
            self.ipam.create(after.subnet, record)
        except Conflict:
            if set(after.uses) <= {Use.GUEST, Use.DHCP}:
                raise
            # The guest joined what others have there, and their row stays theirs (rule 12).
            self.ipam.amend(after.subnet, record)

    def _publish_new(self, change: Change, undoing: list[Undo]) -> None:
        subnet = change.after.subnet
        for host in _to_publish(change) if self._publishes(subnet) else ():
            undoing.append(self._settling(subnet, host))
            try:
                self.dhcp.publish(subnet, host)
            except Unreached:
                # It was told nothing, so there is nothing to take back.
                undoing.pop()
                raise

    def _confirm_new(self, change: Change) -> None:
        """Not before everybody was told: until then a host with its mark is one that may be taken back."""
        subnet = change.after.subnet
        for host in _to_publish(change) if self._publishes(subnet) else ():
            if self._confirm(subnet, host) is Confirmed.GOING:
                self._settle(subnet, host)

    def _tell_parting(self, parting: Parting, guest: Kept, undoing: list[Undo]) -> None:
        there = parting.reservation
        for host in there.hosts:
            if host.mac in parting.macs and self._publishes(there.subnet):
                undoing.append(self._settling(there.subnet, host))
                self.dhcp.withdraw(there.subnet, host)
        if parting.whole:
            undoing.append(Undo(partial(self.ipam.create, there.subnet, guest_record(there, guest))))
            self.ipam.delete(there.subnet, there.address)

    def _take_all_back(self, written: Written, undoing: list[Undo], caller: Caller) -> None:
        """The book, the IPAM and the DHCP server as they were, unless another report about the guest came in since."""
        guest = written.guest

        doubtful = {undo.address for undo in undoing if undo.doubt}

        def work(connection: Connection) -> list[Change] | None:
            placed = written.placed
            freed = self._unplace(connection, written.before, guest, placed.changes, placed.marked, caller)
            if freed is not None and written.undo is not None:
                written.undo(connection)
            for change in freed or ():
                if (change.after.subnet.id, change.after.address) in doubtful:
                    upstream.doubt(connection, change.after.subnet, change.after.address, self.clock())
            return freed

        freed = self.book.write(work)
        if freed is None:
            log.warning("Guest %s: another report came in, so what could not be told to all is kept", guest)
        free = {(change.after.subnet.id, change.after.address) for change in freed or ()}
        for undo in reversed(undoing):
            if freed is None and not undo.by_the_book:
                continue
            if undo.address is not None and undo.address not in free:
                continue
            try:
                undo.work()
            except LeaseholdError as error:
                # The caller has to hear why its report failed, not this.
                log.warning("Guest %s: the book is as before, the IPAM or the DHCP server is not: %s", guest, error)

    def _end_telling(self, written: Written, caller: Caller) -> None:
        """Write what everybody knows now, if there is anything to write."""
        if written.untold:
            self._put_right(self.book.write(lambda connection: self._finish(connection, written, caller)))
        self._tell_the_others(written)

    def _tell_the_others(self, written: Written) -> None:
        for subnet, address in written.placed.handed:
            self._tell_that_a_guest_left(subnet, address)

    def _finish(self, connection: Connection, written: Written, caller: Caller) -> list[Ended]:
        """Release what was told to be given back; returns each with whether nobody has it any more.

        What a report of this moment wants to keep after all is left to the guest.
        """
        there = kept.find_to_change(connection, written.guest.cluster, written.guest.name)
        if there is None or there.id != written.guest.id:
            return []
        kept.mark_told(connection, written.guest)
        leaving = {row.address for row in there.addresses if row.leaving}
        lock_subnets(connection, (parting.reservation.subnet.id for parting in written.partings))
        ended: list[Ended] = []
        for parting in written.partings:
            subnet, address = parting.reservation.subnet, parting.reservation.address
            if Use.GUEST not in parting.uses:
                left = self._release(connection, parting, caller)
                ended.append(Ended(parting, free=left is None, keeper=there))
                continue
            if address not in leaving:
                ended.append(Ended(parting, free=False, keeper=there))
                continue
            kept.remove_address(connection, there, address)
            if kept.holders(connection, subnet.id, address):
                ended.append(Ended(parting, free=False))
                continue
            left = self._release(connection, parting, caller)
            ended.append(Ended(parting, free=left is None))
        return ended

    def _put_right(self, ended: list[Ended]) -> None:
        """Put right what was told too early: somebody joined an address, or the last other one left it, meanwhile."""
        for each in ended:
            subnet, address = each.parting.reservation.subnet, each.parting.reservation.address
            self._settle_kept(each.parting)
            if each.parting.whole == each.free:
                if not each.free and Use.GUEST in each.parting.uses and each.keeper is None:
                    self._tell_that_a_guest_left(subnet, address)
                continue
            if each.free:
                self.ipam.delete(subnet, address)
                continue
            with self.book.read() as connection:
                left = taken.reservation(connection, subnet, address)
                record = None if left is None else record_of(connection, left)
            if left is not None and record is not None:
                self._create_again(left, record if each.keeper is None else guest_record(left, each.keeper))
                self._delete_if_free(subnet, address)

    def _settle_kept(self, parting: Parting) -> None:
        """Serve what was withdrawn and is wanted after all: the last word is the book's."""
        subnet = parting.reservation.subnet
        if not self._publishes(subnet):
            return
        with self.book.read() as connection:
            found = [taken.host_of(connection, subnet, mac) for mac in sorted(parting.macs)]
        for host in found:
            if host is not None:
                self._settle(subnet, host)


def _to_publish(change: Change) -> list[DHCPHost]:
    """The DHCP hosts of an address that are new, or were going, or of which nobody knows."""
    known = change.before.hosts if change.before is not None else ()
    return [
        host
        for host in change.after.hosts
        if host.mac not in change.going and (host not in known or host.mac in change.unserved or change.again)
    ]


def _of_address(error: Conflict, address: IPAddress) -> Conflict:
    """The same, saying for programs which address it is about."""
    return Conflict(str(error), owner={"address": str(address)} | dict(error.owner or {}))
