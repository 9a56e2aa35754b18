"""Reserving a concrete address: rules 4 to 7, 12 and 13 of the address book."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import refuse_unusable, usable
from providers.address_book.foundation import innermost
from providers.address_book.joining import Wish, refuse_conflict, refuse_host_conflict
from providers.address_book.publishing import Confirmed, Publishing
from providers.address_book.texts import (
    refuse_unfit_description,
    refuse_unfit_host,
    refuse_unfit_name,
    refuse_unfit_note,
)
from providers.address_book.upstream_rows import UpstreamRows
from providers.book import event_log, free_space, pending, promises, taken, upstream
from providers.book.promises import Rest
from providers.errors import Conflict, InvalidValue, LeaseholdError, Unavailable, Uncertain
from providers.ipam.contract import our_record
from providers.model import Caller, DHCPHost, Hold, Pending, Reservation, Subnet, Use

log = logging.getLogger(__name__)

_TRIES = 3
_DESCRIPTION = ("name", "mac", "description", "note")


@dataclass(frozen=True, slots=True)
class _Done:
    """What a reservation did to the book, and what was there before: enough to undo it.

    ``going``: the host, if it was on its way out, and since when.
    """

    subnet: Subnet
    before: Reservation | None
    after: Reservation
    hold: Hold | None = None
    rest: Rest | None = None
    going: tuple[DHCPHost, datetime] | None = None


class Reservations(UpstreamRows, Publishing):
    """Takes addresses, and joins uses of one address."""

    def reserve(
        self,
        subnet: Subnet,
        address: IPAddress,
        use: Use,
        caller: Caller,
        *,
        name: str | None = None,
        mac: str | None = None,
        description: str | None = None,
        note: str | None = None,
        host: DHCPHost | None = None,
        related_macs: Collection[str] = (),
    ) -> Reservation:
        """Take ``address`` for ``use``, and serve ``host`` there if one is given.

        A hold or rest of anybody on it is consumed. The address goes to the most specific subnet of the group that
        holds it. A use joins those that are there as rule 5 says, a host as rule 6 says; an exact duplicate of a host
        is what is there already.

        Raises InvalidValue for an address outside the subnet or one that nobody may have, Conflict naming the other
        party, Unavailable when the IPAM or the DHCP server fails: then the book is as before.
        """
        refuse_unusable(subnet, address)
        _refuse_unfit(name, description, note, host)
        if host is not None:
            host = replace(host, address=address)
        elif use is Use.DHCP:
            raise InvalidValue(f"{address}: a DHCP reservation needs a MAC and a name")
        wish = Wish(address, use, name, mac, description, note, host, frozenset(related_macs))
        if host is not None:
            self._refuse_unserved(subnet, host)
        for _ in range(_TRIES):
            done = self._keep(subnet, wish, caller)
            if host is None or self._serve(done, host, caller):
                return done.after
        raise Unavailable(f"{address}: others reserve the same and fail all the time; try again later")

    def exists(self, subnet: Subnet, address: IPAddress) -> bool:
        """Whether External IPAM is to say that the address is taken (rule 5).

        Holds do not count, nor does an address that has a DHCP host alone and has had it for no longer than
        ``join_minutes``: that is the host for which Foreman is asking. The gateway, network and broadcast address
        count as taken. Raises InvalidValue for an address outside the subnet.
        """
        if address not in subnet.network:
            raise InvalidValue(f"{address} is not in {subnet.network}")
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
            found = taken.reservation(connection, inner, address)
        if not usable(inner, address):
            return True
        if found is None:
            return self.ipam.record(inner, address) is not None
        if set(found.uses) == {Use.UPSTREAM} and self.ipam.capabilities.remote:
            return self._is_foreign(inner, address)
        if set(found.uses) == {Use.DHCP}:
            return self.clock() - found.changed_at > self.lifetimes.join
        return True

    def _keep(self, subnet: Subnet, wish: Wish, caller: Caller) -> _Done:
        """Write ``wish`` into the book and the IPAM, also where only what upstream was before is against it."""
        try:
            return self._take(subnet, wish, caller)
        except Conflict:
            if not (self.ipam.capabilities.remote and self._may_after_all(subnet, wish, caller)):
                raise
        return self._take(subnet, wish, caller)

    def _take(self, subnet: Subnet, wish: Wish, caller: Caller) -> _Done:
        """Write it into the book and tell the IPAM, or neither."""
        done = self.book.write(lambda connection: self._reserve(connection, subnet, wish, caller))
        try:
            self._tell_ipam(done)
        except Uncertain:
            self.book.write(lambda connection: self._undo_in_doubt(connection, done, caller))
            raise
        except BaseException:
            self.book.write(lambda connection: self._undo(connection, done, caller))
            raise
        return done

    def _may_after_all(self, subnet: Subnet, wish: Wish, caller: Caller) -> bool:
        """Whether a conflict is with a row upstream that is gone by now, or that ``wish`` may join (rule 12).

        The book learns of it then. It does not where it would stay a conflict: somebody may just be trying it out.
        """
        inner = self._only_upstream(subnet, wish.address)
        if inner is not None:
            return not self._is_foreign(inner, wish.address)
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, wish.address)
            if taken.reservation(connection, inner, wish.address) is not None:
                return False
        record = self.ipam.record(inner, wish.address)
        if record is None:
            return False
        now = self.clock()
        described = (record.name, record.mac, record.description, record.note)
        there = Reservation(inner, wish.address, *described, {record.counts_as: now}, (), now, now)
        try:
            refuse_conflict(there, wish, now, self.lifetimes.join)
        except Conflict:
            return False
        self._note_upstream(inner, record, caller)
        return True

    def _serve(self, done: _Done, host: DHCPHost, caller: Caller) -> bool:
        """Have ``host`` served; returns False when another one, who had reserved the same, undid that meanwhile."""
        if not self._publishes(done.subnet):
            return True
        try:
            self.dhcp.publish(done.subnet, host)
        except BaseException:
            self._take_back(done, caller)
            self._settle(done.subnet, host)
            raise
        if self._confirm(done.subnet, host) is Confirmed.GOING:
            self._settle(done.subnet, host)
            # What was new came, was served, and was deleted by somebody: that is no failure.
            return done.before is None or host not in done.before.hosts
        return True

    def _reserve(self, connection: Connection, subnet: Subnet, wish: Wish, caller: Caller) -> _Done:
        now = self.clock()
        subnet, _ = self._enter_inner(connection, subnet, wish.address)
        address = wish.address
        refuse_unusable(subnet, address)
        before = taken.reservation(connection, subnet, address)
        if before is not None and wish.host is not None and wish.host in before.hosts:
            since = self._stay(connection, subnet, wish.host, now)
            if wish.use in before.uses:
                return _Done(subnet, before, before, going=None if since is None else (wish.host, since))
            wish = replace(wish, host=None, mac=wish.mac or wish.host.mac)
        if before is not None:
            refuse_conflict(before, wish, now, self.lifetimes.join)
        if wish.host is not None:
            refuse_host_conflict(connection, subnet, wish.host, address)
        hold = rest = None
        if before is None:
            hold = promises.hold_at(connection, subnet, address)
            rest = promises.rest_at(connection, subnet, address)
            promises.drop_hold(connection, subnet, address)
            promises.drop_rest(connection, subnet, address)
            free_space.take(connection, subnet.id, address)
            taken.add(connection, subnet, address, now, name=None, mac=None, description=None, note=None)
        wanted = {wish.use} | ({Use.DHCP} if wish.host is not None else set())
        for use in sorted(wanted - set(before.uses if before is not None else ())):
            taken.add_use(connection, subnet, address, use, now)
        if wish.host is not None:
            taken.add_host(connection, subnet, address, wish.host)
            if self._publishes(subnet):
                pending.mark(connection, subnet, wish.host.mac, Pending.PUBLISH, now)
        described = _description(before, wish, hold)
        if described:
            taken.describe(connection, subnet, address, **described)
        after = taken.reservation(connection, subnet, address)
        if after is None:
            raise AssertionError(f"{address} was written just now")
        shown = {"name": after.name, "mac": wish.host.mac if wish.host is not None else after.mac}
        event_log.record(connection, now, caller, "address.reserve", subnet, address, use=wish.use.value, **shown)
        return _Done(subnet, before, after, hold, rest)

    def _tell_ipam(self, done: _Done) -> None:
        after, before = done.after, done.before
        record = our_record(after)
        if before is None:
            self.ipam.create(done.subnet, record)
        elif record != our_record(before):
            try:
                self.ipam.amend(done.subnet, record)
            except LeaseholdError as error:
                # The address is right, only its description upstream is old: no reason to refuse (rule 5).
                log.warning("%s: name and MAC could not be written to the IPAM: %s", after.address, error)

    def _undo_in_doubt(self, connection: Connection, done: _Done, caller: Caller) -> None:
        """Undo what upstream may do all the same, and remember that it may."""
        if self._undo(connection, done, caller):
            upstream.doubt(connection, done.subnet, done.after.address, self.clock())

    def _take_back(self, done: _Done, caller: Caller) -> None:
        """After publishing failed: the book and the IPAM as they were before ``done``."""
        if not self.book.write(lambda connection: self._undo(connection, done, caller)):
            return
        try:
            self.ipam.delete(done.subnet, done.after.address)
        except LeaseholdError as error:
            # The caller has to hear why its reservation failed, not this.
            log.warning("%s: free, but the IPAM still has it as taken: %s", done.after.address, error)

    def _undo(self, connection: Connection, done: _Done, caller: Caller) -> bool:
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
                described = {key: getattr(before, key) for key in _DESCRIPTION}
                taken.describe(connection, subnet, address, **described, changed_at=before.changed_at)
            return False
        taken.remove(connection, subnet, address)
        if not self._promised_again(connection, subnet, done, now):
            self._give_back(connection, subnet, directory, address)
        return True

    def _promised_again(self, connection: Connection, subnet: Subnet, done: _Done, now: datetime) -> bool:
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


def _refuse_unfit(
    name: str | None, description: str | None, note: str | None, host: DHCPHost | None
) -> None:
    if name is not None:
        refuse_unfit_name("name", name)
    if description is not None:
        refuse_unfit_description(description)
    if note is not None:
        refuse_unfit_note(note)
    if host is not None:
        refuse_unfit_host(host)


def _description(before: Reservation | None, wish: Wish, hold: Hold | None) -> dict[str, str]:
    """Name, MAC, description and note to write: a DHCP host knows best, what is known already stays.

    Foreman's ``POST /ipam`` names nobody; whoever held the address is who asked for it.
    """
    described: dict[str, str | None] = {key: getattr(wish, key) for key in _DESCRIPTION}
    if wish.host is not None and not (before is not None and before.hosts):
        described["name"] = wish.name or wish.host.hostname
        described["mac"] = wish.mac or wish.host.mac
    elif wish.use is Use.IPAM and before is None and hold is not None:
        described["mac"] = wish.mac or hold.mac
    return {key: value for key, value in described.items() if value is not None}
