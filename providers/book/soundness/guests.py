"""Guests, and the reservations of their addresses: a guest has what is reserved for it, and nobody else has that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from netaddr import IPAddress
from sqlalchemy import Connection, and_, delete, func, insert, select, update

from providers.book.directory import Directory
from providers.book.soundness.finding import Finding, Repair, by
from providers.book.tables import guest_addresses, guest_nics, guests, reservations, subnets, uses
from providers.clock import shown_moment
from providers.guests import GuestState
from providers.model import Use

_GUEST = Use.GUEST.value
_HALFWAY = timedelta(minutes=10)


def details_of_nobody(connection: Connection) -> Iterator[Finding]:
    """Addresses and cards whose guest is gone; what is reserved stays so."""
    known = select(guests.c.id)
    for table in (guest_addresses, guest_nics):
        query = select(table.c.guest_id, func.count()).where(table.c.guest_id.not_in(known))
        for number, count in connection.execute(query.group_by(table.c.guest_id)):
            what = f"{count} rows of {table.name} belong to guest {number}, which is gone"
            yield Finding("orphan", what, repair=by("removes them", delete(table).where(table.c.guest_id == number)))


def unknown_state(connection: Connection) -> Iterator[Finding]:
    """Guests whose state this program does not know."""
    unknown = guests.c.state.not_in([each.value for each in GuestState])
    query = select(guests.c.id, guests.c.cluster, guests.c.name, guests.c.state).where(unknown)
    for number, cluster, name, state in connection.execute(query):
        change = update(guests).where(guests.c.id == number).values(state=GuestState.STOPPED.value)
        what = f"Guest {cluster}/{name} has the state {state}, which this program does not know"
        yield Finding("guest", what, repair=by("makes it stopped, until its node says more", change))


def subnet_gone(connection: Connection) -> Iterator[Finding]:
    """Addresses of guests in a subnet that is gone: removing it would have left them without one."""
    # Of an empty book, nothing is also "not in".
    lost = guest_addresses.c.subnet_id.is_not(None) & guest_addresses.c.subnet_id.not_in(select(subnets.c.id))
    query = select(guest_addresses.c.subnet_id, func.count()).where(lost).group_by(guest_addresses.c.subnet_id)
    for number, count in connection.execute(query):
        change = update(guest_addresses).where(guest_addresses.c.subnet_id == number).values(subnet_id=None)
        what = f"{count} addresses of guests belong to subnet {number}, which is gone"
        yield Finding("orphan", what, repair=by("keeps them without a subnet", change))


def not_reserved(connection: Connection, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Addresses of guests that are not reserved for a guest: they could be given to somebody else."""
    same = and_(uses.c.subnet_id == guest_addresses.c.subnet_id, uses.c.address == guest_addresses.c.address)
    query = (
        select(guest_addresses.c.subnet_id, guest_addresses.c.address, guests.c.cluster, guests.c.name)
        .join(guests)
        .outerjoin(uses, and_(same, uses.c.use == _GUEST))
        .where(guest_addresses.c.subnet_id.is_not(None), uses.c.address.is_(None))
    )
    for row in connection.execute(query):
        subnet = directory.by_id.get(row.subnet_id)
        if subnet is None or row.address not in subnet.network:
            continue
        what = f"{row.address} belongs to guest {row.cluster}/{row.name}, but is not reserved for it"
        repair = Repair("reserves it for the guest", _Again(row.subnet_id, row.address, row.name, now))
        yield Finding("guest", what, subnet, row.address, repair)


def left_halfway(connection: Connection, now: datetime) -> Iterator[Finding]:
    """Guests of which the IPAM or the DHCP server was being told when somebody stopped, and nobody has gone on."""
    query = select(guests.c.cluster, guests.c.name, guests.c.telling_since, guests.c.ending_at).order_by(guests.c.id)
    for cluster, name, since, ending in connection.execute(query.where(guests.c.telling_since <= now - _HALFWAY)):
        deed = "reported" if ending is None else "removed"
        what = f"Guest {cluster}/{name} was being {deed} at {shown_moment(since)}, which never ended"
        again = "let its node report it again" if ending is None else f"run leasehold guest remove {cluster}/{name}"
        advice = f"A service on this book goes on with that within minutes; without one, {again}"
        yield Finding("guest", what, advice=advice)


def two_of_an_address(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """Addresses of several guests that do not all share it."""
    place = (guest_addresses.c.subnet_id, guest_addresses.c.address)
    twice = select(*place).where(place[0].is_not(None)).group_by(*place).having(func.count() > 1)
    for number, address in connection.execute(twice).all():
        query = (
            select(guests.c.cluster, guests.c.name, guest_addresses.c.shared)
            .join(guests)
            .where(place[0] == number, place[1] == address)
            .order_by(guests.c.cluster, guests.c.name)
        )
        found = connection.execute(query).all()
        if all(row.shared for row in found):
            continue
        who = ", ".join(f"{row.cluster}/{row.name}" for row in found)
        advice = "Give all but one of them another address, or let all of them report it as shared"
        what = f"{address} belongs to {len(found)} guests: {who}"
        yield Finding("guest", what, directory.by_id.get(number), address, advice=advice)


class _Again:
    """Reserves an address for its guest, unless that was done for another guest of it."""

    def __init__(self, subnet_id: int, address: IPAddress, name: str, now: datetime) -> None:
        self.place = {"subnet_id": subnet_id, "address": address}
        self.name = name
        self.now = now

    def __call__(self, connection: Connection) -> None:
        if connection.execute(select(reservations.c.address).filter_by(**self.place)).first() is None:
            times = {"created_at": self.now, "changed_at": self.now}
            connection.execute(insert(reservations).values(self.place | {"name": self.name} | times))
        use = self.place | {"use": _GUEST}
        if connection.execute(select(uses.c.use).filter_by(**use)).first() is None:
            connection.execute(insert(uses).values(use | {"since": self.now}))
