"""Reserving a concrete address: rules 4 to 7, 12 and 13 of the address book."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import refuse_unusable, usable
from providers.address_book.foundation import innermost
from providers.address_book.joining import Wish, refuse_conflict, refuse_host_conflict
from providers.address_book.publishing import Confirmed
from providers.address_book.texts import (
    refuse_unfit_description,
    refuse_unfit_host,
    refuse_unfit_name,
    refuse_unfit_note,
)
from providers.address_book.undoing import DESCRIPTION, Done, Undoing
from providers.book import event_log, free_space, pending, promises, taken
from providers.errors import Conflict, InvalidValue, LeaseholdError, NotFound, Unavailable, Uncertain
from providers.ipam.contract import our_record
from providers.model import Caller, DHCPHost, Hold, Pending, Reservation, Subnet, Use

log = logging.getLogger(__name__)

_TRIES = 3
_UNDER_WAY = timedelta(minutes=2)
"""No request lives that long."""


class RequestRepeated(Conflict):
    """The same request came twice at the same moment, and got something else the first time."""


class Reservations(Undoing):
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
        key: str | None = None,
    ) -> Reservation:
        """Take ``address`` for ``use``, and serve ``host`` there if one is given.

        A hold or rest of anybody on it is consumed. The address goes to the most specific subnet of the group that
        holds it. A use joins those that are there as rule 5 says, a host as rule 6 says; an exact duplicate of a host
        is what is there already. So is what was reserved under the same ``key``, which stays as it is.

        Raises InvalidValue for an address outside the subnet or one that nobody may have, Conflict naming the other
        party, Unavailable when the IPAM or the DHCP server fails: then the book is as before.
        """
        refuse_unusable(subnet, address)
        _refuse_unfit(name, description, note, host)
        if host is not None:
            host = replace(host, address=address)
        elif use is Use.DHCP:
            raise InvalidValue(f"{address}: a DHCP reservation needs a MAC and a name")
        wish = Wish(address, use, name, mac, description, note, host, frozenset(related_macs), key)
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

    def _keep(self, subnet: Subnet, wish: Wish, caller: Caller) -> Done:
        """Write ``wish`` into the book and the IPAM, also where only what upstream was before is against it."""
        try:
            return self._take(subnet, wish, caller)
        except Conflict:
            if not (self.ipam.capabilities.remote and self._may_after_all(subnet, wish, caller)):
                raise
        return self._take(subnet, wish, caller)

    def _take(self, subnet: Subnet, wish: Wish, caller: Caller) -> Done:
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
            # Somebody had it for a moment; or the book itself has something against it, and says so again.
            return True
        now = self.clock()
        described = (record.name, record.mac, record.description, record.note)
        there = Reservation(inner, wish.address, *described, {record.counts_as: now}, (), now, now)
        try:
            refuse_conflict(there, wish, now, self.lifetimes.join)
        except Conflict:
            return False
        self._note_upstream(inner, record, caller)
        return True

    def _serve(self, done: Done, host: DHCPHost, caller: Caller) -> bool:
        """Have ``host`` served; returns False when another one, who had reserved the same, undid that meanwhile."""
        if not self._publishes(done.subnet):
            return True
        try:
            self.dhcp.publish(done.subnet, host)
        except BaseException as error:
            undone = self._take_back(done, caller)
            self._settle(done.subnet, host, error)
            if undone and isinstance(error, LeaseholdError):
                error.args = (f"Nothing was reserved: {error}",)
            raise
        if self._confirm(done.subnet, host) is Confirmed.GOING:
            self._settle(done.subnet, host)
            # What was new came, was served, and was deleted by somebody: that is no failure.
            return done.before is None or host not in done.before.hosts
        return True

    def _reserve(self, connection: Connection, subnet: Subnet, wish: Wish, caller: Caller) -> Done:
        now = self.clock()
        subnet, _ = self._enter_inner(connection, subnet, wish.address)
        address = wish.address
        refuse_unusable(subnet, address)
        before = taken.reservation(connection, subnet, address)
        known = None if wish.key is None else taken.reserved_for(connection, subnet, wish.key)
        if known is not None:
            if known != address or before is None or wish.host not in (None, *before.hosts):
                raise RequestRepeated(f"{known} in {subnet.network} was reserved for the same request")
            return self._again(connection, before, wish.host, now)
        if before is not None and wish.host is not None and wish.host in before.hosts:
            since = self._stay(connection, subnet, wish.host, now)
            if wish.use in before.uses:
                return Done(subnet, before, before, going=None if since is None else (wish.host, since))
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
        if wish.key is not None:
            described["request_key"] = wish.key
        if described:
            taken.describe(connection, subnet, address, **described)
        after = taken.reservation(connection, subnet, address)
        if after is None:
            raise AssertionError(f"{address} was written just now")
        shown = {"name": after.name, "mac": wish.host.mac if wish.host is not None else after.mac}
        event_log.record(connection, now, caller, "address.reserve", subnet, address, use=wish.use.value, **shown)
        return Done(subnet, before, after, hold, rest, key=wish.key)

    def _again(self, connection: Connection, there: Reservation, host: DHCPHost | None, now: datetime) -> Done:
        """A request that is repeated. The first one may be under way, and must not undo it from now on."""
        going = None
        if host is not None:
            since = self._stay(connection, there.subnet, host, now)
            going = None if since is None else (host, since)
        can_fail = self.ipam.capabilities.remote or self._publishes(there.subnet)
        if can_fail and now - there.created_at < _UNDER_WAY:
            taken.describe(connection, there.subnet, there.address, changed_at=now)
            there = replace(there, changed_at=now)
        return Done(there.subnet, there, there, going=going)

    def _tell_ipam(self, done: Done) -> None:
        after, before = done.after, done.before
        record = our_record(after)
        if before is None:
            self.ipam.create(done.subnet, record)
        elif record == our_record(before):
            self._assure(done.subnet, before)
        else:
            try:
                self.ipam.amend(done.subnet, record)
            except NotFound:
                self.ipam.create(done.subnet, record)
            except LeaseholdError as error:
                # The address is right, only its description upstream is old: no reason to refuse (rule 5).
                log.warning("%s: name and MAC could not be written to the IPAM: %s", after.address, error)


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
    described: dict[str, str | None] = {key: getattr(wish, key) for key in DESCRIPTION}
    if wish.host is not None and not (before is not None and before.hosts):
        described["name"] = wish.name or wish.host.hostname
        described["mac"] = wish.mac or wish.host.mac
    elif wish.use is Use.IPAM and before is None and hold is not None:
        described["mac"] = wish.mac or hold.mac
    return {key: value for key, value in described.items() if value is not None}
