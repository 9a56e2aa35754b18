"""The DHCP hosts of guests: which of their addresses has one, and under which name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from providers.address_book.guest_values import dhcp_names, plain_host_name
from providers.address_book.publishing import Marks, Publishing
from providers.book import event_log, pending, taken
from providers.book.guests import Holder, Kept, KeptAddress
from providers.model import Caller, DHCPHost, Pending, Reservation, Subnet, Use

_IPV4 = 4


@dataclass(slots=True)
class Seat:
    """An address of a guest while its reservation is being changed.

    ``there`` is what was reserved before, ``others`` are the other guests that have it, ``mac`` is that of the card.
    ``wanted_mac`` is to have a DHCP host here; ``gone``: nothing is left to do for the guest. ``marks`` are those of
    the DHCP hosts that were there before, ``removed`` those of them that were taken away. Those of the MACs in
    ``going`` are there until the DHCP server has been told that they go.
    """

    row: KeptAddress
    subnet: Subnet | None
    there: Reservation | None
    others: list[Holder]
    mac: str | None
    wanted_mac: str | None = None
    gone: bool = False
    marks: Marks = field(default_factory=dict)
    removed: list[DHCPHost] = field(default_factory=list)
    going: set[str] = field(default_factory=set)


class GuestHosts(Publishing):
    """Serves IPv4 addresses of cards whose MAC is known; a MAC has one DHCP host in a subnet (rule 6)."""

    def _tells(self) -> bool:
        """Whether there is anybody beside the book who has to be told."""
        return self.ipam.capabilities.remote or self.dhcp.capabilities.publishes

    def _marks_at(self, connection: Connection, subnet: Subnet, there: Reservation | None) -> Marks:
        """The marks of the DHCP hosts of a reservation."""
        if there is None or not self._publishes(subnet):
            return {}
        return {host.mac: pending.since(connection, subnet, host.mac) for host in there.hosts}

    def _unseat_hosts(
        self, connection: Connection, before: Kept | None, guest: Kept, seats: Sequence[Seat], now: datetime
    ) -> None:
        """Decide which addresses have a DHCP host, and remove those of the guest that are to be different.

        One of an address that the guest gives back stays until that is done, unless another address needs its MAC.
        """
        wanted: set[tuple[int, str]] = set()
        for seat in seats:
            subnet, mac, row = seat.subnet, seat.mac, seat.row
            if subnet is None or mac is None or row.leaving or row.shared:
                continue
            if subnet.dhcp and row.address.version == _IPV4 and (subnet.id, mac) not in wanted:
                wanted.add((subnet.id, mac))
                seat.wanted_mac = mac
        for seat in seats:
            served, subnet, leaving = seat.row.served_mac, seat.subnet, seat.row.leaving
            if subnet is None:
                continue
            kept = False
            for host in _own_hosts(seat, before):
                named = host.mac == served == seat.wanted_mac and _is_named_after(host, guest)
                if (leaving and (subnet.id, host.mac) not in wanted) or (named and not leaving):
                    kept |= host.mac == served
                    if leaving:
                        seat.going.add(host.mac)
                    elif self._publishes(subnet):
                        self._stay(connection, subnet, host, now)
                    continue
                self._remove_host(connection, subnet, host)
                seat.removed.append(host)
            if not kept:
                seat.row = replace(seat.row, served_mac=None)

    def _seat_hosts(
        self,
        connection: Connection,
        before: Kept | None,
        guest: Kept,
        seats: Sequence[Seat],
        caller: Caller,
        now: datetime,
    ) -> None:
        """Give every address its DHCP host, where its MAC and a name for it are free.

        Raises InvalidValue for one that the DHCP server can never serve.
        """
        for seat in seats:
            mac, subnet = seat.wanted_mac, seat.subnet
            if mac is None or subnet is None or seat.row.served_mac is not None:
                continue
            there = taken.reservation(connection, subnet, seat.row.address)
            if there is None or any(host.mac != mac for host in there.hosts):
                continue
            other = taken.host_of(connection, subnet, mac)
            if other is not None:
                if other.address != seat.row.address and not _knew(before, seat, mac):
                    self._note_equal_mac(connection, guest, seat, other, caller)
                continue
            names = dhcp_names(guest.name, mac)
            name = next((each for each in names if taken.host_named(connection, subnet, each) is None), None)
            if name is None:
                continue
            host = DHCPHost(mac, name, plain_host_name(guest.hostname or guest.name), address=seat.row.address)
            if self._publishes(subnet):
                # It only reckons, and the transaction ends with nothing written when it refuses.
                self.dhcp.refuse_unfit(subnet, host)
            if Use.DHCP not in there.uses:
                taken.add_use(connection, subnet, seat.row.address, Use.DHCP, now)
            taken.add_host(connection, subnet, seat.row.address, host)
            if self._publishes(subnet):
                pending.mark(connection, subnet, mac, Pending.PUBLISH, now)
            seat.row = replace(seat.row, served_mac=mac)

    def _see_off(self, connection: Connection, seats: Sequence[Seat], now: datetime) -> None:
        """Mark the hosts that go, so that whoever finds them after a crash knows. Those that were removed come back.

        But for those whose MAC or name is another's now: that one has its own mark.
        """
        for seat in seats:
            subnet, address, there = seat.subnet, seat.row.address, seat.there
            if subnet is None or there is None or not self._publishes(subnet):
                continue
            for host in seat.removed:
                named = taken.host_named(connection, subnet, host.name)
                if taken.host_of(connection, subnet, host.mac) is None and named is None:
                    if not taken.hosts_at(connection, subnet, address):
                        taken.add_use(connection, subnet, address, Use.DHCP, there.uses.get(Use.DHCP, now))
                    taken.add_host(connection, subnet, address, host)
                    seat.going.add(host.mac)
            for mac in sorted(seat.going):
                pending.mark(connection, subnet, mac, Pending.WITHDRAW, now)

    def _remove_new_hosts(self, connection: Connection, before: Reservation | None, after: Reservation) -> None:
        """Undo what ``_seat_hosts`` did to an address."""
        there = taken.reservation(connection, after.subnet, after.address)
        known = before.hosts if before is not None else ()
        for host in there.hosts if there is not None else ():
            # Without a mark somebody else reserved the same, had it served, and was told so.
            others = self._publishes(after.subnet) and pending.of(connection, after.subnet, host.mac) is None
            if host in after.hosts and host not in known and not others:
                self._remove_host(connection, after.subnet, host)

    def _restore_hosts(
        self, connection: Connection, before: Reservation | None, subnet: Subnet, marks: Marks
    ) -> None:
        """Undo what ``_unseat_hosts`` did to an address, as far as nobody else has the MAC or the name now."""
        if before is None:
            return
        there = taken.reservation(connection, subnet, before.address)
        if there is None:
            return
        uses = set(there.uses)
        for host in before.hosts:
            named = taken.host_named(connection, subnet, host.name)
            if taken.host_of(connection, subnet, host.mac) is None and named is None:
                if Use.DHCP not in uses:
                    since = before.uses.get(Use.DHCP, self.clock())
                    taken.add_use(connection, subnet, before.address, Use.DHCP, since)
                    uses.add(Use.DHCP)
                taken.add_host(connection, subnet, before.address, host)
                mark = marks.get(host.mac)
                if mark is not None:
                    pending.mark(connection, subnet, host.mac, *mark)

    def _restore_marks(self, connection: Connection, subnet: Subnet, marks: Marks, made: datetime) -> None:
        """Undo what was marked then, but not where somebody else has marked the host since."""
        for mac, before in marks.items():
            there = pending.since(connection, subnet, mac)
            if there is None or there[1] != made:
                continue
            if before is None:
                pending.clear(connection, subnet, mac)
            else:
                pending.mark(connection, subnet, mac, *before)

    def _remove_host(self, connection: Connection, subnet: Subnet, host: DHCPHost) -> None:
        if host.address is None:
            return
        taken.remove_host(connection, subnet, host.mac)
        if not taken.hosts_at(connection, subnet, host.address):
            taken.remove_use(connection, subnet, host.address, Use.DHCP, self.clock())

    def _note_equal_mac(
        self, connection: Connection, guest: Kept, seat: Seat, other: DHCPHost, caller: Caller
    ) -> None:
        shown = {"cluster": guest.cluster, "guest": guest.name, "node": guest.node, "mac": other.mac}
        where = {"other": other.name, "other_address": str(other.address)}
        now, subnet, address = self.clock(), seat.subnet, seat.row.address
        event_log.record(connection, now, caller, "guest.equal_mac", subnet, address, **shown, **where)


def _own_hosts(seat: Seat, before: Kept | None) -> list[DHCPHost]:
    """The DHCP host that was made for the guest at its address, unless somebody has put another in its place.

    And those of before that are still going.
    """
    if seat.there is None or before is None:
        return []
    own = []
    for host in seat.there.hosts:
        mark = seat.marks.get(host.mac)
        made = host.mac == seat.row.served_mac or (mark is not None and mark[0] is Pending.WITHDRAW)
        bare = host.filename is None and host.next_server is None and not host.options
        if made and bare and host.name in set(dhcp_names(before.name, host.mac)):
            own.append(host)
    return own


def _is_named_after(host: DHCPHost, guest: Kept) -> bool:
    right = plain_host_name(guest.hostname or guest.name)
    return host.hostname == right and host.name in set(dhcp_names(guest.name, host.mac))


def _knew(before: Kept | None, seat: Seat, mac: str) -> bool:
    """Whether the guest had the address with that MAC before: then nothing is new."""
    if before is None or all(row.address != seat.row.address for row in before.addresses):
        return False
    return any(nic.mac == mac for nic in before.nics)
