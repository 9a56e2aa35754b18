"""What the book remembers of an IPAM that keeps the truth elsewhere: names of things there, turns, doubts, a mark."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from netaddr import IPAddress, IPNetwork
from sqlalchemy import Connection, delete, insert, select, update

from providers.book.tables import (
    subnets,
    upstream_doubts,
    upstream_groups,
    upstream_mark,
    upstream_subnets,
    upstream_turns,
)
from providers.model import Subnet

_PORTION = 400
"""Subnets in one statement: databases allow a bounded number of values."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An address that upstream may have taken for us, although nobody here has it."""

    subnet_id: int
    address: IPAddress
    since: datetime


def group_keys(connection: Connection) -> dict[str, int]:
    """The ids of groups by what upstream calls them."""
    rows = connection.execute(select(upstream_groups))
    return {row.key: row.group_id for row in rows}


def subnet_keys(connection: Connection) -> dict[str, int]:
    """The ids of subnets by what upstream calls them, also of those that it has no more."""
    rows = connection.execute(select(upstream_subnets))
    return {row.key: row.subnet_id for row in rows}


def gone(connection: Connection) -> dict[int, datetime]:
    """The ids of subnets that upstream has no more, and since when."""
    rows = connection.execute(select(upstream_subnets).where(upstream_subnets.c.gone_at.is_not(None)))
    return {row.subnet_id: row.gone_at for row in rows}


def key_of(connection: Connection, subnet: Subnet) -> str | None:
    """What upstream calls ``subnet``; None when it has none of it, or has it no more."""
    query = select(upstream_subnets.c.key).where(
        upstream_subnets.c.subnet_id == subnet.id, upstream_subnets.c.gone_at.is_(None)
    )
    key: str | None = connection.execute(query).scalar_one_or_none()
    return key


def keys_around(connection: Connection, subnet: Subnet) -> list[str]:
    """What upstream calls the subnets of the same group around ``subnet``, the closest first."""
    query = (
        select(upstream_subnets.c.key, subnets.c.network, subnets.c.prefix)
        .join(subnets, subnets.c.id == upstream_subnets.c.subnet_id)
        .where(
            subnets.c.group_id == subnet.group.id,
            subnets.c.prefix < subnet.network.prefixlen,
            subnets.c.network <= subnet.network.network,
            upstream_subnets.c.gone_at.is_(None),
        )
        .order_by(subnets.c.prefix.desc())
    )
    rows = connection.execute(query)
    return [row.key for row in rows if subnet.network in IPNetwork(f"{row.network}/{row.prefix}")]


def name_group(connection: Connection, group_id: int, key: str) -> None:
    """Write that upstream calls a group ``key``."""
    same = (upstream_groups.c.group_id == group_id) | (upstream_groups.c.key == key)
    connection.execute(delete(upstream_groups).where(same))
    connection.execute(insert(upstream_groups).values(group_id=group_id, key=key))


def name_subnets(connection: Connection, keys: Mapping[int, str]) -> None:
    """Write what upstream calls some subnets, by their ids, and that it has them."""
    coming = iter(keys.items())
    while portion := dict(islice(coming, _PORTION)):
        same = upstream_subnets.c.subnet_id.in_(portion) | upstream_subnets.c.key.in_(portion.values())
        connection.execute(delete(upstream_subnets).where(same))
        named = [{"subnet_id": each, "key": key, "full": False, "gone_at": None} for each, key in portion.items()]
        connection.execute(insert(upstream_subnets), named)


def say_full(connection: Connection, keys: Collection[str]) -> None:
    """Write which subnets upstream says are full: those with these keys and no others."""
    right = upstream_subnets.c.key.in_(keys)
    connection.execute(update(upstream_subnets).where(upstream_subnets.c.full, ~right).values(full=False))
    connection.execute(update(upstream_subnets).where(~upstream_subnets.c.full, right).values(full=True))


@dataclass(frozen=True, slots=True)
class Fill:
    """What upstream says of a subnet: that it is ``full`` for whatever reason, or taken everywhere below ``floor``.

    ``gone``: it has the subnet no more.
    """

    full: bool = False
    floor: IPAddress | None = None
    gone: bool = False


def fill_of(connection: Connection, subnet: Subnet, now: datetime) -> Fill:
    """What upstream said lately."""
    known = upstream_subnets.c
    query = select(known.full, known.floor, known.floor_until, known.gone_at).where(known.subnet_id == subnet.id)
    row = connection.execute(query).first()
    if row is None:
        return Fill()
    floor = row.floor if row.floor_until is not None and row.floor_until > now else None
    return Fill(row.full, floor, row.gone_at is not None)


def set_floor(connection: Connection, subnet: Subnet, floor: IPAddress, until: datetime) -> None:
    """Write that everything below ``floor`` is taken upstream, which is believed until ``until``."""
    mine = upstream_subnets.c.subnet_id == subnet.id
    connection.execute(update(upstream_subnets).where(mine).values(floor=floor, floor_until=until))


def mark_gone(connection: Connection, subnet_id: int, now: datetime) -> None:
    """Write that upstream has a subnet no more, or never had it."""
    known = upstream_subnets.c.subnet_id == subnet_id
    if not connection.execute(update(upstream_subnets).where(known).values(gone_at=now)).rowcount:
        key = f"none:{subnet_id}"
        connection.execute(insert(upstream_subnets).values(subnet_id=subnet_id, key=key, full=False, gone_at=now))


def next_turn(connection: Connection, name: str) -> datetime | None:
    """When ``name`` is next to be done; None when it never was."""
    query = select(upstream_turns.c.not_before).where(upstream_turns.c.name == name)
    at: datetime | None = connection.execute(query).scalar_one_or_none()
    return at


def take_turn(
    connection: Connection, name: str, now: datetime, every: timedelta, *, lasting: timedelta | None = None
) -> bool:
    """Whether it is for this process to do ``name`` now, as is done ``every`` so often.

    If so nobody else has the turn for as long as it may be ``lasting``, by default until the next one.
    """
    until = now + (every if lasting is None else lasting)
    mine, at = upstream_turns.c.name == name, upstream_turns.c.not_before
    # One statement, so that of two at once one finds it done. A turn far ahead was left by a clock that was wrong.
    due = update(upstream_turns).where(mine, (at <= now) | (at > now + every)).values(not_before=until)
    if connection.execute(due).rowcount:
        return True
    if next_turn(connection, name) is not None:
        return False
    connection.execute(insert(upstream_turns).values(name=name, not_before=until))
    return True


def set_turn(connection: Connection, name: str, at: datetime) -> None:
    """Let ``name`` next be done at ``at``."""
    mine = upstream_turns.c.name == name
    if not connection.execute(update(upstream_turns).where(mine).values(not_before=at)).rowcount:
        connection.execute(insert(upstream_turns).values(name=name, not_before=at))


def doubt(connection: Connection, subnet: Subnet, address: IPAddress, now: datetime) -> None:
    """Write that upstream may have taken ``address`` for us."""
    drop_doubt(connection, subnet, address)
    connection.execute(insert(upstream_doubts).values(subnet_id=subnet.id, address=address, since=now))


def drop_doubt(connection: Connection, subnet: Subnet, address: IPAddress) -> None:
    """Write that there is no doubt about ``address`` any more."""
    there = (upstream_doubts.c.subnet_id == subnet.id) & (upstream_doubts.c.address == address)
    connection.execute(delete(upstream_doubts).where(there))


def doubts(connection: Connection, most: int) -> list[Doubt]:
    """The oldest ``most`` doubts."""
    rows = connection.execute(select(upstream_doubts).order_by(upstream_doubts.c.since).limit(most))
    return [Doubt(row.subnet_id, row.address, row.since) for row in rows]


def mark(connection: Connection) -> str:
    """What rows upstream bear that were made from this book: eight characters, made when first asked for."""
    query = select(upstream_mark.c.mark)
    there: str | None = connection.execute(query).scalar_one_or_none()
    if there is None:
        there = secrets.token_hex(4)
        connection.execute(insert(upstream_mark).values(id=1, mark=there))
    return there


def forget_mark(connection: Connection) -> None:
    """Let the book get another mark when it is next asked for: what bears the old one upstream is not its own then."""
    connection.execute(delete(upstream_mark))
    connection.execute(delete(upstream_doubts))
