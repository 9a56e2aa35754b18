"""Writing many reservations of a subnet at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from netaddr import IPAddress
from sqlalchemy import Connection, delete, insert

from providers.book.tables import dhcp_hosts, holds, reservations, rests, uses
from providers.book.taken import host_values
from providers.model import DHCPHost, Subnet, Use

_PORTION = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """A reservation to be written; nothing may be reserved at its address."""

    address: IPAddress
    name: str | None
    mac: str | None
    description: str | None
    note: str | None
    uses: frozenset[Use]
    hosts: tuple[DHCPHost, ...]


def add(connection: Connection, subnet: Subnet, arrivals: Sequence[Arrival], now: datetime) -> None:
    """Write reservations with their uses and hosts; holds and rests on their addresses end.

    The free space is left as it was: it has to be measured anew.
    """
    for start in range(0, len(arrivals), _PORTION):
        portion = arrivals[start : start + _PORTION]
        for table in (holds, rests):
            there = table.c.address.in_([each.address for each in portion])
            connection.execute(delete(table).where(table.c.subnet_id == subnet.id, there))
        places = [(each, {"subnet_id": subnet.id, "address": each.address}) for each in portion]
        connection.execute(
            insert(reservations),
            [
                place
                | {
                    "name": each.name,
                    "mac": each.mac,
                    "description": each.description,
                    "note": each.note,
                    "created_at": now,
                    "changed_at": now,
                }
                for each, place in places
            ],
        )
        connection.execute(
            insert(uses),
            [place | {"use": use.value, "since": now} for each, place in places for use in sorted(each.uses)],
        )
        served = [place | host_values(host) for each, place in places for host in each.hosts]
        if served:
            connection.execute(insert(dhcp_hosts), served)
