"""Owner and tag of addresses, which only phpIPAM's clients tell and read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from netaddr import IPAddress
from sqlalchemy import Connection, insert, select, update

from providers.book.tables import labels
from providers.model import Subnet


@dataclass(frozen=True, slots=True)
class Label:
    """What was told of an address; None is nothing."""

    owner: str | None = None
    tag: int | None = None


def label_at(connection: Connection, subnet: Subnet, address: IPAddress) -> Label | None:
    """That of a reserved address."""
    query = select(labels.c.owner, labels.c.tag).where(labels.c.subnet_id == subnet.id, labels.c.address == address)
    row = connection.execute(query).first()
    return None if row is None else Label(row.owner, row.tag)


def labels_at(
    connection: Connection, places: Mapping[int, Collection[IPAddress]]
) -> dict[tuple[int, IPAddress], Label]:
    """Those of addresses, by the id of their subnet and address; ``places`` has the addresses by subnet."""
    found: dict[tuple[int, IPAddress], Label] = {}
    for number, addresses in places.items():
        query = select(labels).where(labels.c.subnet_id == number, labels.c.address.in_(addresses))
        found |= {(number, row.address): Label(row.owner, row.tag) for row in connection.execute(query)}
    return found


def write(connection: Connection, subnet: Subnet, address: IPAddress, told: dict[str, Any]) -> None:
    """Write ``owner``, ``tag`` or both of a reserved address; what is not in ``told`` stays."""
    place = {"subnet_id": subnet.id, "address": address}
    if label_at(connection, subnet, address) is None:
        connection.execute(insert(labels).values(place | told))
    else:
        here = (labels.c.subnet_id == subnet.id) & (labels.c.address == address)
        connection.execute(update(labels).where(here).values(told))
