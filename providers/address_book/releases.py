"""Giving addresses back: rule 10 of the address book."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.foundation import innermost, key_of_mac
from providers.address_book.publishing import Publishing
from providers.address_book.upstream_rows import UpstreamRows
from providers.book import event_log, guests, pending, taken
from providers.model import Caller, DHCPHost, Pending, Reservation, Subnet, Use


@dataclass(frozen=True, slots=True)
class Parting:
    """What is to go of one reservation: MACs of DHCP hosts, and uses."""

    reservation: Reservation
    macs: frozenset[str]
    uses: frozenset[Use]

    @property
    def whole(self) -> bool:
        """Whether nothing is left of the reservation afterwards."""
        return set(self.reservation.uses) == self.uses


class Releases(UpstreamRows, Publishing):
    """Ends uses; what has none left rests and is free again."""

    def release(
        self,
        subnet: Subnet,
        caller: Caller,
        *,
        address: IPAddress | None = None,
        mac: str | None = None,
        use: Use | None = None,
    ) -> list[Reservation]:
        """End what ``address``, or ``mac``, has in the subnet; returns the reservations as they were.

        With ``use`` DHCP the DHCP hosts go (all of an address, or that of the MAC), with another one that use, with
        none everything. What is not there is no error. Withdrawn from the DHCP server first, then from the IPAM, then
        from the book: after a failure (Unavailable) the same call can be repeated.
        """
        partings = [
            parting
            for reservation in self._found(subnet, address, mac)
            if (parting := _parting(reservation, mac, use)) is not None
        ]
        for parting in partings:
            self._part(parting, caller)
        if not partings and address is not None and mac is None and use in (None, Use.IPAM):
            self._release_unknown(subnet, address)
        return [parting.reservation for parting in partings]

    def _release_unknown(self, subnet: Subnet, address: IPAddress) -> None:
        """Give back upstream what the book does not know: a row of the Ruby proxy, or of a book that was lost."""
        if self.ipam.capabilities.remote and address in subnet.network:
            with self.book.read() as connection:
                inner = innermost(self._directories.current(connection), subnet, address)
                known = taken.reservation(connection, inner, address) is not None
            if not known:
                self._delete_upstream(inner, address)

    def _release_all(self, subnet: Subnet, reservations: Iterable[Reservation], caller: Caller) -> None:
        """Release ``reservations``, which are all of a subnet."""
        self._withdraw_all(subnet)
        for reservation in reservations:
            parting = _parting(reservation, None, None)
            if parting is not None:
                self._part(parting, caller, withdrawn=True)

    def _finish_going(self, subnet: Subnet, host: DHCPHost, since: datetime, caller: Caller) -> None:
        """Delete a host that has been going ``since``, unless somebody has reserved it again; raises as ``release``."""
        for reservation in self._found(subnet, None, host.mac):
            parting = _parting(reservation, host.mac, Use.DHCP)
            if parting is not None and reservation.address == host.address:
                self._part(parting, caller, since)

    def _found(self, subnet: Subnet, address: IPAddress | None, mac: str | None) -> list[Reservation]:
        with self.book.read() as connection:
            directory = self._directories.current(connection)
            places: list[tuple[Subnet, IPAddress]] = []
            if address is not None and address in subnet.network:
                places.append((innermost(directory, subnet, address), address))
            if mac is not None:
                places += _place_of(connection, (subnet, *directory.inside(subnet)), mac)
            found = [taken.reservation(connection, where, what) for where, what in places]
        return [reservation for reservation in found if reservation is not None]

    def _part(
        self, parting: Parting, caller: Caller, since: datetime | None = None, *, withdrawn: bool = False
    ) -> None:
        there = parting.reservation
        going = [host for host in there.hosts if host.mac in parting.macs]
        if going and not withdrawn and self._publishes(there.subnet):
            self._withdraw(there.subnet, going, since)
        if parting.whole:
            self.ipam.delete(there.subnet, there.address)
        left = self.book.write(lambda connection: self._release(connection, parting, caller))
        if parting.whole and left is not None:
            # Somebody joined after the IPAM was told: tell it that the address is taken after all.
            self._create_upstream(left.subnet, left)
        elif not parting.whole and left is None:
            self.ipam.delete(there.subnet, there.address)
        elif left is not None and Use.GUEST in parting.uses:
            self._tell_that_a_guest_left(left.subnet, left.address)
        if left is not None:
            # Reserved again while we withdrew it: the last word is the book's.
            for host in left.hosts:
                if host.mac in parting.macs:
                    self._settle(left.subnet, host)

    def _release(self, connection: Connection, parting: Parting, caller: Caller) -> Reservation | None:
        now = self.clock()
        address = parting.reservation.address
        subnet, directory = self._enter_inner(connection, parting.reservation.subnet, address)
        there = taken.reservation(connection, subnet, address)
        if there is None:
            return None
        going = {host.mac for host in there.hosts} & parting.macs
        if self._publishes(subnet):
            going = {mac for mac in going if pending.of(connection, subnet, mac) is Pending.WITHDRAW}
        for mac in sorted(going):
            taken.remove_host(connection, subnet, mac)
        ending = set(there.uses) & parting.uses
        if {host.mac for host in there.hosts} - going:
            ending.discard(Use.DHCP)
        for use in sorted(ending):
            taken.remove_use(connection, subnet, address, use, now)
        if Use.GUEST in ending:
            guests.detach(connection, subnet.id, address)
        if going or ending:
            shown = {"name": there.name, "mac": min(going, default=there.mac), "uses": sorted(ending)}
            event_log.record(connection, now, caller, "address.release", subnet, address, **shown)
        if set(there.uses) - ending:
            return taken.reservation(connection, subnet, address)
        taken.remove(connection, subnet, address)
        had_it = there.mac or min(going, default=None)
        self._let_rest(connection, subnet, directory, address, key_of_mac(had_it) if had_it else None, now)
        return None


def _place_of(connection: Connection, subnets: Iterable[Subnet], mac: str) -> list[tuple[Subnet, IPAddress]]:
    """Where the DHCP host of a MAC is: in the first subnet that has one, as ``host_of`` says."""
    for subnet in subnets:
        host = taken.host_of(connection, subnet, mac)
        if host is not None and host.address is not None:
            return [(subnet, host.address)]
    return []


def _parting(there: Reservation, mac: str | None, use: Use | None) -> Parting | None:
    """What is to go of a reservation, or None when nothing is."""
    if use is None and mac is None:
        return Parting(there, _macs(there), frozenset(there.uses))
    if use is None or use is Use.DHCP:
        macs = _macs(there) if mac is None else _macs(there) & {mac}
        last = macs == _macs(there)
        return Parting(there, macs, frozenset({Use.DHCP}) if last else frozenset()) if macs else None
    return Parting(there, frozenset(), frozenset({use})) if use in there.uses else None


def _macs(there: Reservation) -> frozenset[str]:
    macs: Collection[str] = {host.mac for host in there.hosts}
    return frozenset(macs)
