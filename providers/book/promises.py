"""Holds and rests: addresses promised to somebody, and addresses that wait for whoever had them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from netaddr import IPAddress
from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, literal, null, select, union_all, update

from providers.addresses import Range
from providers.book.tables import dhcp_hosts, holds, reservations, rests
from providers.model import Hold, Subnet

_SUBNET: BindParameter[int] = bindparam("subnet")
_KEY: BindParameter[str] = bindparam("key")
_BELONGINGS = union_all(
    select(literal("host").label("kind"), dhcp_hosts.c.address, reservations.c.changed_at.label("at"))
    .join(reservations)
    .where(dhcp_hosts.c.subnet_id == _SUBNET, dhcp_hosts.c.mac == bindparam("mac")),
    select(literal("hold"), holds.c.address, holds.c.expires_at).where(
        holds.c.subnet_id == _SUBNET, holds.c.key == _KEY
    ),
    select(literal("rest"), rests.c.address, rests.c.expires_at).where(
        rests.c.subnet_id == _SUBNET, rests.c.key == _KEY
    ),
)
_HOLD = insert(holds)
_REST = insert(rests)
_DROP_HOLD = delete(holds).where(holds.c.subnet_id == _SUBNET, holds.c.address == bindparam("at"))
_DROP_REST = delete(rests).where(rests.c.subnet_id == _SUBNET, rests.c.address == bindparam("at"))
_EXTEND = (
    update(holds)
    .where(holds.c.subnet_id == _SUBNET, holds.c.address == bindparam("at"))
    .values(expires_at=bindparam("until"))
)
_AT = select(holds).where(holds.c.subnet_id == _SUBNET, holds.c.address == bindparam("at"))
_REST_AT = select(rests.c.key, rests.c.expires_at).where(
    rests.c.subnet_id == _SUBNET, rests.c.address == bindparam("at")
)
_DUE = union_all(
    select(literal("hold").label("kind"), holds.c.address, holds.c.key.label("key")).where(
        holds.c.subnet_id == _SUBNET, holds.c.expires_at <= bindparam("now")
    ),
    select(literal("rest"), rests.c.address, null()).where(
        rests.c.subnet_id == _SUBNET, rests.c.expires_at <= bindparam("now")
    ),
).limit(bindparam("most"))


@dataclass(frozen=True, slots=True)
class Rest:
    """For whom an address rests, and until when."""

    key: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Belongings:
    """What an asker has in a subnet already."""

    host: IPAddress | None
    hold: IPAddress | None
    hold_until: datetime | None
    rests: tuple[IPAddress, ...]


def belongings(connection: Connection, subnet: Subnet, key: str, mac: str | None) -> Belongings:
    """The DHCP host of ``mac``, and the hold and the resting addresses of ``key``, live or due, in one question."""
    host: IPAddress | None = None
    hold: IPAddress | None = None
    until: datetime | None = None
    resting: list[IPAddress] = []
    for kind, address, at in connection.execute(_BELONGINGS, {"subnet": subnet.id, "key": key, "mac": mac}):
        if kind == "host":
            host = address
        elif kind == "hold":
            hold, until = address, at
        else:
            resting.append(address)
    return Belongings(host, hold, until, tuple(resting))


def hold(connection: Connection, new: Hold) -> None:
    """Write a hold; its address and its key must have none in that subnet."""
    connection.execute(
        _HOLD,
        {
            "subnet_id": new.subnet.id,
            "address": new.address,
            "key": new.key,
            "mac": new.mac,
            "taken_at": new.taken_at,
            "expires_at": new.expires_at,
        },
    )


def extend_hold(connection: Connection, subnet: Subnet, address: IPAddress, until: datetime) -> None:
    """Let a hold live until ``until``."""
    connection.execute(_EXTEND, {"subnet": subnet.id, "at": address, "until": until})


def drop_hold(connection: Connection, subnet: Subnet, address: IPAddress) -> None:
    """Remove the hold on an address, if there is one; the address is not given back by that."""
    connection.execute(_DROP_HOLD, {"subnet": subnet.id, "at": address})


def rest(connection: Connection, subnet: Subnet, address: IPAddress, key: str | None, until: datetime) -> None:
    """Let an address rest for ``key`` until ``until``."""
    connection.execute(_REST, {"subnet_id": subnet.id, "address": address, "key": key, "expires_at": until})


def drop_rest(connection: Connection, subnet: Subnet, address: IPAddress) -> None:
    """End the rest of an address, if it rests; the address is not given back by that."""
    connection.execute(_DROP_REST, {"subnet": subnet.id, "at": address})


def hold_at(connection: Connection, subnet: Subnet, address: IPAddress) -> Hold | None:
    """The hold on an address, live or due."""
    row = connection.execute(_AT, {"subnet": subnet.id, "at": address}).first()
    return None if row is None else Hold(subnet, row.address, row.key, row.mac, row.taken_at, row.expires_at)


def rest_at(connection: Connection, subnet: Subnet, address: IPAddress) -> Rest | None:
    """The rest of an address, live or due."""
    row = connection.execute(_REST_AT, {"subnet": subnet.id, "at": address}).first()
    return None if row is None else Rest(row.key, row.expires_at)


def any_live(connection: Connection, subnet: Subnet, now: datetime, outside: Range | None) -> bool:
    """Whether an address of the subnet, outside a range if one is given, is held."""
    query = select(holds.c.address).where(holds.c.subnet_id == subnet.id, holds.c.expires_at > now)
    if outside is not None:
        query = query.where(~holds.c.address.between(outside.first, outside.last))
    return connection.execute(query.limit(1)).first() is not None


def due(connection: Connection, subnet: Subnet, now: datetime, most: int) -> list[tuple[str, IPAddress, str | None]]:
    """At most ``most`` holds and rests whose time is over: ("hold" or "rest", address, key)."""
    rows = connection.execute(_DUE, {"subnet": subnet.id, "now": now, "most": most})
    return [(kind, address, key) for kind, address, key in rows]
