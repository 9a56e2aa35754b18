"""Addresses that are taken: reservations, their uses, their DHCP hosts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from netaddr import IPAddress
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from providers.addresses import Range
from providers.book.tables import dhcp_hosts, guest_addresses, holds, reservations, rests, uses
from providers.model import DHCPHost, Reservation, Subnet, Use

PAGE = 500

_Place = tuple[int, IPAddress]

_SUBNET: BindParameter[int] = bindparam("subnet")
_AT: BindParameter[IPAddress] = bindparam("at")
_RESERVATION = select(reservations).where(reservations.c.subnet_id == _SUBNET, reservations.c.address == _AT)
_USES = select(uses.c.use, uses.c.since).where(uses.c.subnet_id == _SUBNET, uses.c.address == _AT)
_AT_ADDRESS = select(dhcp_hosts.c.mac).where(dhcp_hosts.c.subnet_id == _SUBNET, dhcp_hosts.c.address == _AT)
# By way of the MACs, and put into order here: otherwise SQLite walks through all hosts of the subnet.
_HOSTS = select(dhcp_hosts).where(dhcp_hosts.c.subnet_id == _SUBNET, dhcp_hosts.c.mac.in_(_AT_ADDRESS))
_HOST_OF = select(dhcp_hosts).where(dhcp_hosts.c.subnet_id == _SUBNET, dhcp_hosts.c.mac == bindparam("mac_of"))
_HOST_NAMED = select(dhcp_hosts).where(dhcp_hosts.c.subnet_id == _SUBNET, dhcp_hosts.c.name == bindparam("name_of"))


def reservation(connection: Connection, subnet: Subnet, address: IPAddress) -> Reservation | None:
    """The reservation of an address with its uses and DHCP hosts."""
    at = {"subnet": subnet.id, "at": address}
    row = connection.execute(_RESERVATION, at).first()
    if row is None:
        return None
    found = {Use(use): since for use, since in connection.execute(_USES, at)}
    return _reservation(subnet, row, found, hosts_at(connection, subnet, address))


def reserved_for(connection: Connection, subnet: Subnet, key: str) -> IPAddress | None:
    """The address that was reserved for a request with this key, if it still is."""
    here = (reservations.c.subnet_id == subnet.id, reservations.c.request_key == key)
    return connection.execute(select(reservations.c.address).where(*here).limit(1)).scalar()


def page(connection: Connection, subnet: Subnet, after: IPAddress | None) -> list[Reservation]:
    """The next PAGE reservations above ``after``, by address."""
    query = select(reservations).where(reservations.c.subnet_id == subnet.id)
    if after is not None:
        query = query.where(reservations.c.address > after)
    rows = connection.execute(query.order_by(reservations.c.address).limit(PAGE)).all()
    return completed(connection, {subnet.id: subnet}, rows)


def completed(connection: Connection, subnets: Mapping[int, Subnet], rows: Sequence[Row[Any]]) -> list[Reservation]:
    """The reservations of ``rows``, which are whole rows, with their uses and DHCP hosts; ``subnets`` by id."""
    found: dict[_Place, dict[Use, datetime]] = {(row.subnet_id, row.address): {} for row in rows}
    hosts: dict[_Place, list[DHCPHost]] = {place: [] for place in found}
    if rows:
        for row in connection.execute(_of_reservations(uses, found)):
            found[row.subnet_id, row.address][Use(row.use)] = row.since
        for row in connection.execute(_of_reservations(dhcp_hosts, found)):
            hosts[row.subnet_id, row.address].append(read_host(row))
    # Sorted here: asked to do that, SQLite reads all hosts of a subnet in the order of their names.
    return [
        _reservation(subnets[place[0]], row, found[place], _in_order(hosts[place]))
        for row in rows
        if (place := (row.subnet_id, row.address))
    ]


def _of_reservations(table: Table, places: Collection[_Place]) -> Select[Any]:
    """The rows of ``table`` that belong to the reservations at ``places``.

    By way of the reservations: with a list of addresses alone SQLite would read all hosts of a subnet.
    """
    by_subnet: dict[int, list[IPAddress]] = {}
    for number, address in places:
        by_subnet.setdefault(number, []).append(address)
    among = [
        and_(reservations.c.subnet_id == number, reservations.c.address.in_(addresses))
        for number, addresses in by_subnet.items()
    ]
    same = and_(table.c.subnet_id == reservations.c.subnet_id, table.c.address == reservations.c.address)
    return select(table).join(reservations, same).where(or_(*among))


def addresses(connection: Connection, subnet: Subnet, within: Range) -> Iterator[IPAddress]:
    """Every address in ``within`` that is reserved, held or resting, in order."""
    parts = [
        select(table.c.address).where(
            table.c.subnet_id == subnet.id, table.c.address.between(within.first, within.last)
        )
        for table in (reservations, holds, rests)
    ]
    query = parts[0].union(*parts[1:]).order_by("address")
    yield from connection.scalars(query, execution_options={"yield_per": PAGE})


def add(connection: Connection, subnet: Subnet, address: IPAddress, now: datetime, **described: str | None) -> None:
    """Write a reservation without uses; ``described`` is name, mac, description and note."""
    row = {"subnet_id": subnet.id, "address": address, "created_at": now, "changed_at": now} | described
    connection.execute(insert(reservations).values(row))


def describe(connection: Connection, subnet: Subnet, address: IPAddress, **described: Any) -> None:  # noqa: ANN401
    """Write columns of a reservation: name, mac, description, note, changed_at, request_key."""
    connection.execute(
        update(reservations)
        .where(reservations.c.subnet_id == subnet.id, reservations.c.address == address)
        .values(described)
    )


def remove(connection: Connection, subnet: Subnet, address: IPAddress) -> None:
    """Remove a reservation with its uses and DHCP hosts."""
    connection.execute(
        delete(reservations).where(reservations.c.subnet_id == subnet.id, reservations.c.address == address)
    )


def add_use(connection: Connection, subnet: Subnet, address: IPAddress, use: Use, now: datetime) -> None:
    """Write a use, which must not be there, and that the uses changed."""
    row = {"subnet_id": subnet.id, "address": address, "use": use.value, "since": now}
    connection.execute(insert(uses).values(row))
    describe(connection, subnet, address, changed_at=now)


def remove_use(connection: Connection, subnet: Subnet, address: IPAddress, use: Use, now: datetime) -> None:
    """Remove a use and write that the uses changed."""
    connection.execute(
        delete(uses).where(uses.c.subnet_id == subnet.id, uses.c.address == address, uses.c.use == use.value)
    )
    describe(connection, subnet, address, changed_at=now)


def add_host(connection: Connection, subnet: Subnet, address: IPAddress, host: DHCPHost) -> None:
    """Write a DHCP host of a reserved address."""
    place = {"subnet_id": subnet.id, "address": address}
    connection.execute(insert(dhcp_hosts).values(place | host_values(host)))


def remove_host(connection: Connection, subnet: Subnet, mac: str) -> None:
    """Remove the DHCP host of a MAC."""
    connection.execute(delete(dhcp_hosts).where(dhcp_hosts.c.subnet_id == subnet.id, dhcp_hosts.c.mac == mac))


def hosts_at(connection: Connection, subnet: Subnet, address: IPAddress) -> list[DHCPHost]:
    """The DHCP hosts of an address, by name."""
    return _in_order(map(read_host, connection.execute(_HOSTS, {"subnet": subnet.id, "at": address})))


def host_of(connection: Connection, subnet: Subnet, mac: str) -> DHCPHost | None:
    """The DHCP host of a MAC."""
    row = connection.execute(_HOST_OF, {"subnet": subnet.id, "mac_of": mac}).first()
    return None if row is None else read_host(row)


def host_named(connection: Connection, subnet: Subnet, name: str) -> DHCPHost | None:
    """The DHCP host of a name."""
    row = connection.execute(_HOST_NAMED, {"subnet": subnet.id, "name_of": name}).first()
    return None if row is None else read_host(row)


def host_page(
    connection: Connection, subnet: Subnet, after: DHCPHost | None, *conditions: ColumnElement[bool]
) -> list[DHCPHost]:
    """The next DHCP hosts after ``after`` that meet all ``conditions``, by address and MAC."""
    query = select(dhcp_hosts).where(dhcp_hosts.c.subnet_id == subnet.id, *conditions)
    if after is not None:
        above = dhcp_hosts.c.address > after.address
        beside = (dhcp_hosts.c.address == after.address) & (dhcp_hosts.c.mac > after.mac)
        query = query.where(dhcp_hosts.c.address >= after.address, above | beside)
    rows = connection.execute(query.order_by(dhcp_hosts.c.address, dhcp_hosts.c.mac).limit(PAGE))
    return [read_host(row) for row in rows]


def places_of(connection: Connection, macs: Collection[str]) -> set[tuple[int, str, IPAddress]]:
    """Where the DHCP hosts of these MACs are, in all subnets: the id of the subnet, the MAC, and the address."""
    query = select(dhcp_hosts.c.subnet_id, dhcp_hosts.c.mac, dhcp_hosts.c.address).where(dhcp_hosts.c.mac.in_(macs))
    return {(row.subnet_id, row.mac, row.address) for row in connection.execute(query)}


def reserved_among(connection: Connection, subnet: Subnet, some: Collection[IPAddress]) -> list[IPAddress]:
    """Those of some addresses that the subnet has reserved, in order."""
    here = (reservations.c.subnet_id == subnet.id, reservations.c.address.in_(some))
    return list(connection.scalars(select(reservations.c.address).where(*here).order_by(reservations.c.address)))


def has_other_use(connection: Connection, subnet: Subnet, use: Use, outside: Range | None) -> bool:
    """Whether an address of the subnet, outside a range if one is given, has another use than ``use``."""
    query = select(uses.c.address).where(uses.c.subnet_id == subnet.id, uses.c.use != use.value)
    if outside is not None:
        query = query.where(~uses.c.address.between(outside.first, outside.last))
    return connection.execute(query.limit(1)).first() is not None


def remove_outside(connection: Connection, subnet: Subnet, within: Range) -> None:
    """Remove what the subnet has reserved, held and resting outside a range."""
    for table in (reservations, holds, rests):
        outside = ~table.c.address.between(within.first, within.last)
        connection.execute(delete(table).where(table.c.subnet_id == subnet.id, outside))


def count(
    connection: Connection,
    table: Table,
    subnet: Subnet,
    within: Range,
    *,
    most: int | None = None,
    now: datetime | None = None,
) -> int:
    """How many rows of ``reservations``, ``holds`` or ``rests`` lie within a range; counting stops at ``most``.

    With ``now``, holds and rests that have expired do not count.
    """
    query = select(table.c.address).where(
        table.c.subnet_id == subnet.id, table.c.address.between(within.first, within.last)
    )
    if now is not None and "expires_at" in table.c:
        query = query.where(table.c.expires_at > now)
    if most is not None:
        query = query.limit(most)
    return int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def move(connection: Connection, source: Subnet, target: Subnet, within: Range) -> None:
    """Let everything of ``source`` in a range belong to ``target``, which must have none of it."""
    for table in (reservations, holds, rests, guest_addresses):
        connection.execute(
            update(table)
            .where(table.c.subnet_id == source.id, table.c.address.between(within.first, within.last))
            .values(subnet_id=target.id)
        )


def _reservation(
    subnet: Subnet, row: Row[Any], found: Mapping[Use, datetime], hosts: list[DHCPHost]
) -> Reservation:
    described = (row.name, row.mac, row.description, row.note)
    return Reservation(subnet, row.address, *described, found, tuple(hosts), row.created_at, row.changed_at)


def _in_order(hosts: Iterable[DHCPHost]) -> list[DHCPHost]:
    return sorted(hosts, key=lambda host: (host.name, host.mac))


def host_values(host: DHCPHost) -> dict[str, Any]:
    """A DHCP host as its table has it, without its place."""
    return {
        "mac": host.mac,
        "name": host.name,
        "hostname": host.hostname,
        "filename": host.filename,
        "next_server": host.next_server,
        "options": dict(host.options),
    }


def read_host(row: Row[Any]) -> DHCPHost:
    """A DHCP host from a row of its table."""
    return DHCPHost(row.mac, row.name, row.hostname, row.filename, row.next_server, row.options, row.address)
