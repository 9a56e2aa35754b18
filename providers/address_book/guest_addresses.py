"""Taking and describing the addresses of a guest within one transaction of the book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.guest_conflicts import refuse_foreign_guest, refuse_holders
from providers.address_book.guest_hosts import GuestHosts, Seat
from providers.address_book.joining import Wish
from providers.address_book.publishing import Marks
from providers.address_book.releases import Parting, Releases
from providers.address_book.reservations import Reservations
from providers.address_book.subnets import Subnets
from providers.address_book.undoing import Done
from providers.book import event_log, taken
from providers.book import guests as kept
from providers.book.directory import Directory, lock
from providers.book.guests import Kept, KeptAddress
from providers.errors import SubnetNotFound
from providers.guests import WantedAddress
from providers.model import Caller, Pending, Reservation, Subnet, Use


@dataclass(frozen=True, slots=True)
class Located:
    """An address that a guest is to have, and the subnet that holds it, if one does."""

    wanted: WantedAddress
    subnet: Subnet | None


@dataclass(frozen=True, slots=True)
class Change:
    """The reservation of an address of a guest, before and after; ``done`` is how it was taken, if it was.

    ``again``: what the IPAM and the DHCP server know of it is uncertain, because a report did not come to its end.
    ``unserved`` are the MACs of the DHCP hosts that are to be served now, ``going`` of those that are not any more.
    """

    before: Reservation | None
    after: Reservation
    done: Done | None = None
    again: bool = False
    unserved: frozenset[str] = frozenset()
    going: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Marked:
    """The marks of the DHCP hosts of a guest, as they were before some were made at a moment."""

    marks: Mapping[Subnet, Marks]
    at: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a guest's addresses: rows, what changed, what is to be released, what other guests have now."""

    rows: tuple[KeptAddress, ...]
    changes: tuple[Change, ...]
    partings: tuple[Parting, ...]
    marked: Marked
    handed: tuple[tuple[Subnet, IPAddress], ...] = ()


class GuestAddresses(GuestHosts, Subnets, Releases, Reservations):
    """Reserves what a guest has, and describes it; rules 4 to 7 hold for guests too."""

    def _locate(self, addresses: Sequence[WantedAddress], group: str) -> list[Located]:
        """The subnet of each address; raises GroupNotFound."""
        if group:
            self.group(group)
        located = []
        for each in addresses:
            try:
                located.append(Located(each, self.subnet_of(each.address, group)))
            except SubnetNotFound:
                located.append(Located(each, None))
        return located

    def _place(
        self,
        connection: Connection,
        before: Kept | None,
        guest: Kept,
        located: Sequence[Located] | None,
        caller: Caller,
    ) -> Placed:
        """Let ``guest``, which is written but for its addresses, have those that are wanted (None: what it has).

        What it is to have no longer stays its own, marked as leaving, until everybody was told.
        """
        old = {row.address: row for row in before.addresses} if before is not None else {}
        aimed = _aimed(old, located, tells=self._tells())
        lock_subnets(connection, (row.subnet_id for row in aimed))
        directory = self._directories.within(connection)
        seats = [self._seat(connection, directory, row, guest) for row in aimed]
        was = {seat.row.address: seat.there for seat in seats}
        now = self.clock()
        self._unseat_hosts(connection, before, guest, seats, now)
        taken_now: dict[IPAddress, Done] = {}
        for seat in seats:
            if seat.subnet is not None and not seat.row.leaving:
                done = self._take_or_keep(connection, before, guest, seat, caller)
                if done is not None:
                    seat.row = replace(seat.row, told=not self._tells())
                    taken_now[seat.row.address] = done
        self._seat_hosts(connection, before, guest, seats, caller, now)
        self._see_off(connection, seats, now)
        changes, partings = [], []
        for seat in seats:
            subnet, address = seat.subnet, seat.row.address
            after = None if subnet is None else taken.reservation(connection, subnet, address)
            if after is None or Use.GUEST not in after.uses or (seat.others and seat.row.leaving):
                seat.gone = seat.row.leaving
                continue
            done = taken_now.get(address)
            before_it = was[address] if done is None else done.before
            if not seat.others and (before_it != after or not seat.row.leaving):
                again = not seat.row.told and done is None
                unserved = {
                    mac
                    for mac, mark in self._marks_at(connection, after.subnet, after).items()
                    if mark is not None and mark[0] is Pending.PUBLISH
                }
                changes.append(Change(before_it, after, done, again, frozenset(unserved), frozenset(seat.going)))
            if seat.row.leaving or seat.going:
                partings.append(_parting_of(after, seat.going, leaving=seat.row.leaving))
        rows = tuple(seat.row for seat in seats if not seat.gone)
        handed = tuple((seat.subnet, seat.row.address) for seat in seats if seat.subnet and seat.others and seat.gone)
        return Placed(rows, tuple(changes), tuple(partings), Marked(_all_marks(seats), now), handed)

    def _seat(self, connection: Connection, directory: Directory, row: KeptAddress, guest: Kept) -> Seat:
        subnet = None if row.subnet_id is None else directory.by_id.get(row.subnet_id)
        if subnet is None:
            return Seat(replace(row, subnet_id=None, served_mac=None), None, None, [], None)
        others = [each for each in kept.holders(connection, subnet.id, row.address) if each.guest_id != guest.id]
        there = taken.reservation(connection, subnet, row.address)
        marks = self._marks_at(connection, subnet, there)
        return Seat(row, subnet, there, others, _mac_of(guest, row), marks=marks)

    def _take_or_keep(
        self, connection: Connection, before: Kept | None, guest: Kept, seat: Seat, caller: Caller
    ) -> Done | None:
        """Reserve an address, or describe it anew if it is the guest's already; returns what reserving did."""
        if seat.subnet is None:
            return None
        refuse_holders(seat)
        there = taken.reservation(connection, seat.subnet, seat.row.address)
        if there is not None and Use.GUEST in there.uses:
            if seat.others:
                return None
            had = before is not None and any(
                row.address == seat.row.address and row.subnet_id == seat.subnet.id for row in before.addresses
            )
            if not had:
                refuse_foreign_guest(there, guest, seat.mac)
            old = _described(before, _mac_of(before, seat.row)) if before is not None and had else {}
            new = {
                key: value
                for key, value in _described(guest, seat.mac).items()
                if value != getattr(there, key) and getattr(there, key) in (None, old.get(key))
            }
            if new:
                taken.describe(connection, seat.subnet, seat.row.address, **new)
            return None
        wish = _wish(guest, seat.row.address, seat.mac)
        if there is not None:
            # Whoever joins says only what nobody has said yet; the MAC decides whether it may.
            wish = replace(
                wish,
                name=wish.name if there.name is None else None,
                description=wish.description if there.description is None else None,
                note=wish.note if there.note is None else None,
            )
        done = self._reserve(connection, seat.subnet, wish, caller)
        seat.subnet = done.subnet
        seat.row = replace(seat.row, subnet_id=done.subnet.id)
        return done

    def _unplace(
        self,
        connection: Connection,
        before: Kept | None,
        guest: Kept,
        changes: Sequence[Change],
        marked: Marked,
        caller: Caller,
    ) -> list[Change] | None:
        """Let the guest and its addresses be as before; returns the changes of addresses that are free again.

        None when another report about the guest came in meanwhile: what is there now is what that one says.
        """
        there = kept.find_to_change(connection, guest.cluster, guest.name)
        if there is None or (there.id, there.revision) != (guest.id, guest.revision):
            return None
        lock_subnets(connection, [change.after.subnet.id for change in changes] + [each.id for each in marked.marks])
        for change in changes:
            self._remove_new_hosts(connection, change.before, change.after)
        freed = []
        for change in changes:
            subnet = change.after.subnet
            self._restore_hosts(connection, change.before, subnet, marked.marks.get(subnet, {}))
            if change.done is not None:
                if self._undo(connection, change.done, caller):
                    freed.append(change)
            elif change.before is not None:
                _restore_description(connection, change.before)
        for subnet, marks in marked.marks.items():
            self._restore_marks(connection, subnet, marks, marked.at)
        if before is None:
            kept.remove(connection, guest)
        else:
            kept.put(connection, before, over=there)
        shown = {"cluster": guest.cluster, "guest": guest.name, "node": guest.node}
        event_log.record(connection, self.clock(), caller, "guest.undo", None, **shown)
        return freed


def lock_subnets(connection: Connection, subnet_ids: Iterable[int | None]) -> None:
    """Keep other writers of the subnets out, in an order that is the same for everybody."""
    for number in sorted({each for each in subnet_ids if each is not None}):
        lock(connection, number)


def _aimed(
    old: Mapping[IPAddress, KeptAddress], located: Sequence[Located] | None, *, tells: bool
) -> list[KeptAddress]:
    """The addresses as they are to be, then those that leave. What is reserved already stays in its subnet.

    ``tells``: there is somebody who has to be told.
    """
    if located is None:
        return list(old.values())
    aimed = []
    for each in located:
        wanted, had = each.wanted, old.get(each.wanted.address)
        subnet_id = each.subnet.id if each.subnet is not None else None
        if had is not None and had.subnet_id is not None:
            subnet_id = had.subnet_id
        served = None if had is None else had.served_mac
        known = had is None or (had.told and not had.leaving) or not tells
        aimed.append(KeptAddress(wanted.address, subnet_id, wanted.nic, wanted.shared, served, known))
    named = {each.wanted.address for each in located}
    return aimed + [replace(row, leaving=True) for row in old.values() if row.address not in named]


def wish_of(guest: Kept, wanted: WantedAddress) -> Wish:
    """What the guest wants reserved."""
    row = KeptAddress(wanted.address, None, wanted.nic, wanted.shared)
    return _wish(guest, wanted.address, _mac_of(guest, row))


def _wish(guest: Kept, address: IPAddress, mac: str | None) -> Wish:
    return Wish(address, Use.GUEST, **_described(guest, mac), host=None, related_macs=frozenset())


def _mac_of(guest: Kept, row: KeptAddress) -> str | None:
    """The MAC of the card that has the address: of the named one, else of the first one that has a MAC."""
    if row.nic is not None:
        return next((nic.mac for nic in guest.nics if nic.name == row.nic), None)
    return next((nic.mac for nic in guest.nics if nic.mac is not None), None)


def _described(guest: Kept, mac: str | None) -> dict[str, str | None]:
    """What the reservation of an address of the guest says."""
    return {
        "name": guest.hostname or guest.name,
        "mac": mac,
        "description": guest.emulator,
        "note": guest.note or guest.node,
    }


def _parting_of(there: Reservation, going: Set[str], *, leaving: bool) -> Parting:
    """What goes of a reservation: the DHCP hosts, and when its guest gives it back, the use."""
    macs = frozenset(host.mac for host in there.hosts if host.mac in going)
    last = bool(macs) and len(macs) == len(there.hosts)
    ending = ({Use.GUEST} if leaving else set()) | ({Use.DHCP} if last else set())
    return Parting(there, macs, frozenset(ending))


def _all_marks(seats: Iterable[Seat]) -> dict[Subnet, Marks]:
    found: dict[Subnet, Marks] = {}
    for seat in seats:
        if seat.subnet is not None and seat.marks:
            found[seat.subnet] = {**found.get(seat.subnet, {}), **seat.marks}
    return found


def _restore_description(connection: Connection, before: Reservation) -> None:
    described = {key: getattr(before, key) for key in ("name", "mac", "description", "note")}
    taken.describe(connection, before.subnet, before.address, **described, changed_at=before.changed_at)
