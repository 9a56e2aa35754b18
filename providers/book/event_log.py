"""Who changed what, when: every change to the book writes one row here, in the same transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from netaddr import IPAddress
from sqlalchemy import Connection, Subquery, delete, func, insert, select

from providers.book.tables import events
from providers.model import Caller, Event, Subnet

_ADD = insert(events)
_FORGOTTEN_AT_ONCE = 1000


def record(
    connection: Connection,
    at: datetime,
    caller: Caller,
    action: str,
    subnet: Subnet | None,
    address: IPAddress | None = None,
    **detail: Any,  # noqa: ANN401 - whatever JSON can hold
) -> None:
    """Write an event; ``detail`` keeps what is set, and the session of the caller as ``session``."""
    detail["session"] = caller.session_id
    connection.execute(
        _ADD,
        {
            "at": at,
            "actor": caller.actor,
            "request_id": caller.request_id,
            "action": action,
            "group": None if subnet is None else subnet.group.name,
            "subnet": None if subnet is None else str(subnet.network),
            "address": address,
            "detail": {key: value for key, value in detail.items() if value is not None},
        },
    )


def latest(
    connection: Connection,
    *,
    limit: int,
    subnet: Subnet | None = None,
    address: IPAddress | None = None,
    action: str | None = None,
    before: int | None = None,
) -> list[Event]:
    """The newest ``limit`` events, newest first; ``before`` is the id of an event that is newer than them."""
    query = select(events).order_by(events.c.id.desc()).limit(limit)
    if subnet is not None:
        query = query.where(events.c.subnet == str(subnet.network), events.c.group == subnet.group.name)
    if address is not None:
        query = query.where(events.c.address == address)
    if action is not None:
        query = query.where(events.c.action == action)
    if before is not None:
        query = query.where(events.c.id < before)
    return [Event(**row._mapping) for row in connection.execute(query)]


def has_before(connection: Connection, before: datetime) -> bool:
    """Whether one of the next events in line is older than that. Cheap.

    It need not be the first one: a clock that was wrong for a while must not keep all that came later.
    """
    line = _in_line()
    return connection.execute(select(line.c.id).where(line.c.at < before).limit(1)).first() is not None


def forget(connection: Connection, before: datetime) -> int:
    """Remove those of the next events in line that are older than that; returns how many."""
    last = select(func.max(_in_line().c.id)).scalar_subquery()
    return connection.execute(delete(events).where(events.c.id <= last, events.c.at < before)).rowcount


def _in_line() -> Subquery:
    return select(events.c.id, events.c.at).order_by(events.c.id).limit(_FORGOTTEN_AT_ONCE).subquery()
