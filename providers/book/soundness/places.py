"""Addresses in the wrong subnet: outside of it, or in one although a subnet inside it holds them (rule 9)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from netaddr import IPAddress, IPNetwork
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, or_, select, update

from providers.book.directory import Directory
from providers.book.soundness.finding import Finding, Repair, by
from providers.book.tables import dhcp_hosts, guest_addresses, holds, reservations, rests
from providers.model import Subnet

_PROMISES = (holds, rests)


def children(directory: Directory) -> dict[int, list[Subnet]]:
    """The subnets right inside each subnet that has any, by id."""
    found: dict[int, list[Subnet]] = {}
    around: list[Subnet] = []
    for subnet in sorted(directory.subnets, key=_wider_first):
        while around and not (around[-1].group.id == subnet.group.id and subnet.network in around[-1].network):
            around.pop()
        if around and around[-1].network != subnet.network:
            found.setdefault(around[-1].id, []).append(subnet)
        around.append(subnet)
    return found


def misplaced(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """Reservations, holds and rests that their subnet should not have."""
    inside = children(directory)
    for subnet in directory.subnets:
        for table in (reservations, *_PROMISES):
            address = table.c.address
            first, last = _ends(subnet.network)
            wrong = [or_(address < first, address > last)]
            wrong += [address.between(*_ends(each.network)) for each in inside.get(subnet.id, ())]
            found = chain.from_iterable(_addresses(connection, table, subnet, each) for each in wrong)
            for at in dict.fromkeys(found):
                yield _finding(connection, directory, table, subnet, at)


def _wider_first(subnet: Subnet) -> tuple[int, int, int, int]:
    network = subnet.network
    return subnet.group.id, network.version, network.first, network.prefixlen


def _addresses(
    connection: Connection, table: Table, subnet: Subnet, where: ColumnElement[bool]
) -> Iterator[IPAddress]:
    yield from connection.scalars(select(table.c.address).where(table.c.subnet_id == subnet.id, where))


def _finding(
    connection: Connection, directory: Directory, table: Table, subnet: Subnet, address: IPAddress
) -> Finding:
    right = next((each for each in directory.holding(address) if each.group.id == subnet.group.id), None)
    outside = address not in subnet.network
    kind = "reserved" if table is reservations else "held" if table is holds else "resting"
    belongs = f", it belongs to {right.network}" if right is not None else ""
    what = f"{address} is {kind} {'outside its subnet' if outside else 'in the wrong subnet'}{belongs}"
    if table is not reservations:
        gone = delete(table).where(table.c.subnet_id == subnet.id, table.c.address == address)
        return Finding("place", what, subnet, address, by("ends that", gone))
    if right is None:
        advice = f"Add a subnet of group {subnet.group.name} that holds it, then repair"
        return Finding("place", what, subnet, address, advice=advice)
    rival = _rival(connection, subnet, right, address)
    if rival is not None:
        return Finding("place", f"{what}, where {rival}", subnet, address, advice="Release it there, then repair")
    return Finding("place", what, subnet, address, _move(subnet, right, address))


def _rival(connection: Connection, subnet: Subnet, right: Subnet, address: IPAddress) -> str | None:
    """What is in the way in the subnet where the address belongs."""
    there = and_(reservations.c.subnet_id == right.id, reservations.c.address == address)
    if connection.execute(select(reservations.c.name).where(there)).first() is not None:
        return "it is reserved too"
    own = select(dhcp_hosts.c.mac, dhcp_hosts.c.name).where(
        dhcp_hosts.c.subnet_id == subnet.id, dhcp_hosts.c.address == address
    )
    for mac, name in connection.execute(own).all():
        same = and_(dhcp_hosts.c.subnet_id == right.id, or_(dhcp_hosts.c.mac == mac, dhcp_hosts.c.name == name))
        other = connection.execute(select(dhcp_hosts.c.name, dhcp_hosts.c.address).where(same)).first()
        if other is not None:
            return f"{other.name} has {other.address} with that MAC or name"
    return None


def _move(subnet: Subnet, right: Subnet, address: IPAddress) -> Repair:
    clear = [delete(table).where(table.c.subnet_id == right.id, table.c.address == address) for table in _PROMISES]
    move = [
        update(table).where(table.c.subnet_id == subnet.id, table.c.address == address).values(subnet_id=right.id)
        for table in (reservations, guest_addresses)
    ]
    return by(f"moves it to {right.network}", *clear, *move)


def _ends(network: IPNetwork) -> tuple[IPAddress, IPAddress]:
    return IPAddress(network.first, network.version), IPAddress(network.last, network.version)
