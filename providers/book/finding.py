"""Reservations and holds by what is known of them; every question is answered by an index, or ends after a while."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from netaddr import IPAddress
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, func, or_, select, union

from providers.book.tables import dhcp_hosts, guest_addresses, guests, holds, reservations, subnets, uses
from providers.model import Hold, Subnet, Use


@dataclass(frozen=True, slots=True)
class Sought:
    """What a reservation is to have; None is anything.

    ``address``, ``mac`` (of the address or of a DHCP host on it), ``name`` (whole, or of a DHCP host), ``use``;
    ``cluster``, ``guest`` (its name) and ``node`` of the guest that has it; ``note`` and ``text`` are looked for
    anywhere in the note, or in name, MAC, description and note, without regard to case.
    """

    address: IPAddress | None = None
    mac: str | None = None
    name: str | None = None
    use: Use | None = None
    cluster: str | None = None
    guest: str | None = None
    node: str | None = None
    note: str | None = None
    text: str | None = None

    @property
    def of_guests(self) -> bool:
        """Whether it asks for guests."""
        return not (self.cluster is None and self.guest is None and self.node is None)

    @property
    def narrow(self) -> bool:
        """Whether an index finds the few addresses that may be meant."""
        return self.of_guests or not (self.address is None and self.mac is None and self.name is None)


@dataclass(frozen=True, slots=True)
class SoughtHold:
    """What a hold is to have; None is anything."""

    address: IPAddress | None = None
    key: str | None = None
    mac: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one subnet has. ``looked_at`` counts reservations; there may be more above ``stopped_at``, if it is set."""

    rows: Sequence[Row[Any]]
    looked_at: int
    stopped_at: IPAddress | None


def occupied(connection: Connection, numbers: Collection[int], use: Use | None) -> set[int]:
    """Those of the subnets with these ids that have any reservation, or one with that use."""
    table = reservations if use is None else uses
    query = select(table.c.subnet_id).where(table.c.subnet_id == subnets.c.id)
    one = (query if use is None else query.where(uses.c.use == use.value)).exists()
    return set(connection.scalars(select(subnets.c.id).where(subnets.c.id.in_(numbers), one)))


def subnets_with(connection: Connection, sought: Sought) -> set[int] | None:
    """The ids of the only subnets that can have what is sought; None when it may be any."""
    questions = [select(each.subquery().c.subnet_id).distinct() for each in _addresses(sought)]
    if not questions:
        return None
    return set.intersection(*(set(connection.scalars(question)) for question in questions))


def rows_of(
    connection: Connection, subnet: Subnet, sought: Sought, start: IPAddress | None, limit: int, budget: int
) -> Part:
    """The rows of at most ``limit`` reservations of a subnet above ``start``, by address.

    Where no index helps it looks at no more than ``budget`` of them.
    """
    # The table that leads: in the order of its key nothing has to be sorted.
    lead = reservations if sought.use is None else uses
    here = lead.c.subnet_id == subnet.id
    if start is not None:
        here = and_(here, lead.c.address > start)
    looked_at, edge = None, None
    if not sought.narrow and (sought.text or sought.note):
        looked_at, edge = _bounded(connection, lead, here, budget)
        if edge is not None:
            here = and_(here, lead.c.address <= edge)
    query = select(reservations).where(here, *_texts(sought)).order_by(lead.c.address).limit(limit)
    for each in _addresses(sought, subnet):
        query = query.where(lead.c.address.in_(select(each.subquery().c.address)))
    if sought.use is not None:
        same = and_(uses.c.subnet_id == reservations.c.subnet_id, uses.c.address == reservations.c.address)
        query = query.join(uses, same).where(uses.c.use == sought.use.value)
    rows = connection.execute(query).all()
    return Part(rows, len(rows) if looked_at is None else looked_at, rows[-1].address if len(rows) == limit else edge)


def holding(connection: Connection, numbers: Collection[int], sought: SoughtHold, now: datetime) -> set[int]:
    """Those of the subnets with these ids that have such a live hold: one look into an index for each."""
    one = select(holds.c.subnet_id).where(holds.c.subnet_id == subnets.c.id, *_of_holds(sought, now)).exists()
    return set(connection.scalars(select(subnets.c.id).where(subnets.c.id.in_(numbers), one)))


def holds_of(
    connection: Connection, subnet: Subnet, sought: SoughtHold, start: IPAddress | None, limit: int, now: datetime
) -> list[Hold]:
    """At most ``limit`` live holds of a subnet above ``start``, by address."""
    query = select(holds).where(holds.c.subnet_id == subnet.id, *_of_holds(sought, now))
    if start is not None:
        query = query.where(holds.c.address > start)
    rows = connection.execute(query.order_by(holds.c.address).limit(limit))
    return [Hold(subnet, row.address, row.key, row.mac, row.taken_at, row.expires_at) for row in rows]


def _of_holds(sought: SoughtHold, now: datetime) -> list[ColumnElement[bool]]:
    """Whether a hold lives and is what is sought."""
    wanted = ((holds.c.address, sought.address), (holds.c.key, sought.key), (holds.c.mac, sought.mac))
    return [holds.c.expires_at > now, *(column == value for column, value in wanted if value is not None)]


def _bounded(
    connection: Connection, lead: Table, here: ColumnElement[bool], budget: int
) -> tuple[int, IPAddress | None]:
    """How many reservations are to be looked at, and the last of them if there are more."""
    part = select(lead.c.address).where(here).order_by(lead.c.address)
    number = connection.execute(select(func.count()).select_from(part.limit(budget).subquery())).scalar_one()
    if number < budget:
        return int(number), None
    return budget, connection.execute(part.offset(budget - 1).limit(1)).scalar_one()


def _addresses(sought: Sought, subnet: Subnet | None = None) -> list[Any]:
    """For everything that an index finds: subnet_id and address of all that have it, in a subnet or anywhere."""
    found: list[Any] = []
    if sought.address is not None:
        found.append(_places(reservations, subnet).where(reservations.c.address == sought.address))
    for name, value in (("mac", sought.mac), ("name", sought.name)):
        if value is not None:
            here, hosts = (_places(table, subnet).where(table.c[name] == value) for table in (reservations, dhcp_hosts))
            found.append(union(here, hosts))
    if sought.of_guests:
        query = _places(guest_addresses, subnet).join(guests).where(guest_addresses.c.subnet_id.is_not(None))
        wanted = ((guests.c.cluster, sought.cluster), (guests.c.name, sought.guest), (guests.c.node, sought.node))
        for column, value in wanted:
            if value is not None:
                query = query.where(column == value)
        found.append(query)
    return found


def _places(table: Table, subnet: Subnet | None) -> Select[Any]:
    query = select(table.c.subnet_id, table.c.address)
    return query if subnet is None else query.where(table.c.subnet_id == subnet.id)


def _texts(sought: Sought) -> list[ColumnElement[bool]]:
    """What has to be somewhere in a text."""
    found: list[ColumnElement[bool]] = []
    if sought.note:
        found.append(reservations.c.note.icontains(sought.note, autoescape=True))
    if sought.text:
        columns = (reservations.c.name, reservations.c.mac, reservations.c.description, reservations.c.note)
        found.append(or_(*(column.icontains(sought.text, autoescape=True) for column in columns)))
    return found
