"""Rows whose subnet or reservation is gone, for example after somebody deleted it with foreign keys off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from netaddr import IPAddress
from sqlalchemy import Connection, delete, func, insert, select

from providers.book.directory import Directory
from providers.book.soundness.finding import Finding, Repair, by
from providers.book.tables import (
    dhcp_hosts,
    free_space,
    groups,
    holds,
    labels,
    reservations,
    rests,
    subnets,
    upstream_doubts,
    upstream_groups,
    upstream_subnets,
    uses,
)
from providers.model import Use

_TABLES = (uses, dhcp_hosts, labels, reservations, holds, rests, free_space, upstream_subnets, upstream_doubts)


def without_subnet(connection: Connection) -> Iterator[Finding]:
    """Whatever belongs to a subnet that is gone: removing the subnet would have removed it."""
    known = select(subnets.c.id)
    for table in _TABLES:
        query = select(table.c.subnet_id, func.count()).where(table.c.subnet_id.not_in(known))
        for number, count in connection.execute(query.group_by(table.c.subnet_id)):
            what = f"{count} rows of {table.name} belong to subnet {number}, which is gone"
            repair = by("removes them", delete(table).where(table.c.subnet_id == number))
            yield Finding("orphan", what, repair=repair)


def without_group(connection: Connection) -> Iterator[Finding]:
    """What upstream calls a group that is gone."""
    lost = upstream_groups.c.group_id.not_in(select(groups.c.id))
    for number, key in connection.execute(select(upstream_groups.c.group_id, upstream_groups.c.key).where(lost)):
        what = f"Row {key} of upstream_groups belongs to group {number}, which is gone"
        change = delete(upstream_groups).where(upstream_groups.c.group_id == number)
        yield Finding("orphan", what, repair=by("removes it", change))


def labels_of_nothing(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """Owner and tag of an address that is not reserved: they would be those of whoever gets it next."""
    same = (reservations.c.subnet_id == labels.c.subnet_id) & (reservations.c.address == labels.c.address)
    query = select(labels.c.subnet_id, labels.c.address).outerjoin(reservations, same)
    for number, address in connection.execute(query.where(reservations.c.address.is_(None))):
        subnet = directory.by_id.get(number)
        if subnet is not None:
            here = (labels.c.subnet_id == number) & (labels.c.address == address)
            what = f"{address} has an owner or a tag without a reservation"
            yield Finding("orphan", what, subnet, address, by("removes them", delete(labels).where(here)))


def without_reservation(connection: Connection, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Uses and DHCP hosts of an address that nobody has reserved: it could be given to somebody else."""
    for table in (uses, dhcp_hosts):
        described = (table.c.use, uses.c.use) if table is uses else (table.c.name, table.c.mac)
        query = (
            select(table.c.subnet_id, table.c.address, *described)
            .outerjoin(
                reservations,
                (reservations.c.subnet_id == table.c.subnet_id) & (reservations.c.address == table.c.address),
            )
            .where(reservations.c.address.is_(None))
        )
        for number, address, first, second in connection.execute(query):
            subnet = directory.by_id.get(number)
            if subnet is None:
                continue
            if table is uses:
                what, name, mac = f"{address} has the use {first} without a reservation", None, None
            else:
                what, name, mac = f"{address} has the DHCP host {first} ({second}) without a reservation", first, second
            repair = Repair("reserves the address again", _Again(number, address, name, mac, now))
            yield Finding("orphan", what, subnet, address, repair)


class _Again:
    """Reserves an address again, unless that was done for another row of it; a DHCP host brings its use along."""

    def __init__(self, subnet_id: int, address: IPAddress, name: str | None, mac: str | None, now: datetime) -> None:
        self.place = {"subnet_id": subnet_id, "address": address}
        self.described = {"name": name, "mac": mac}
        self.now = now

    def __call__(self, connection: Connection) -> None:
        here = select(reservations.c.address).filter_by(**self.place)
        if connection.execute(here).first() is None:
            times = {"created_at": self.now, "changed_at": self.now}
            connection.execute(insert(reservations).values(self.place | self.described | times))
        served = select(uses.c.use).filter_by(**self.place, use=Use.DHCP.value)
        if self.described["mac"] is not None and connection.execute(served).first() is None:
            connection.execute(insert(uses).values(self.place | {"use": Use.DHCP.value, "since": self.now}))
