"""The file itself, values that cannot be read, and the one row of the directory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.exc import DatabaseError

from providers.book.columns import Address
from providers.book.directory import unreadable
from providers.book.soundness.finding import Finding, Repair, by
from providers.book.tables import dhcp_hosts, directory, events, free_space, groups, holds, metadata, rests, subnets

_RESTORE = "Stop the service and restore a backup: leasehold database restore"
_BY_HAND = "Restore a backup, or put the row right with the database's own client"
_MOST_LINES = 20
_INDEX = ("row ", "wrong # of entries in index", "non-unique entry in index")
_OCTETS = 16
_BORN = 1_577_836_800
_REPAIRED_BY_SEARCH = {
    "subnets",
    "reservations",
    "uses",
    "dhcp_hosts",
    "holds",
    "rests",
    "free_space",
    "labels",
    "upstream_groups",
    "upstream_subnets",
    "upstream_doubts",
    "guest_addresses",
    "guest_nics",
}
_DISPENSABLE = {holds.name, rests.name, free_space.name}


def damage(connection: Connection) -> Iterator[Finding]:
    """What SQLite itself says about its file; nothing on databases that look after themselves."""
    if connection.dialect.name != "sqlite":
        return
    try:
        lines = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_LINES})")]
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    except DatabaseError as error:
        yield Finding("file", f"The file is damaged: {error.orig}", advice=_RESTORE, blocks=True)
        return
    for line in lines:
        if line.startswith(_INDEX) and "index" in line:
            repair = Repair("builds all indexes anew", lambda c: c.exec_driver_sql("REINDEX"))
            yield Finding("file", f"An index is damaged: {line}", repair=repair, blocks=True)
        elif line != "ok":
            yield Finding("file", f"The file is damaged: {line}", advice=_RESTORE, blocks=True)
    for table, row, parent, _ in dangling:
        if table not in _REPAIRED_BY_SEARCH:
            what = f"Row {row} of {table} belongs to a row of {parent} that is gone"
            yield Finding("orphan", what, advice=_BY_HAND)


def values(connection: Connection, now: datetime) -> Iterator[Finding]:
    """Values that the program cannot read."""
    yield from _directory(connection, now)
    yield from _subnets(connection)
    for table in metadata.sorted_tables:
        if table is subnets:
            continue
        for column in table.columns:
            if isinstance(column.type, Address):
                yield from _addresses(connection, table, column)
    for table, column in ((dhcp_hosts, dhcp_hosts.c.options), (events, events.c.detail)):
        yield from _json(connection, table, column)


def _directory(connection: Connection, now: datetime) -> Iterator[Finding]:
    count = connection.execute(select(func.count()).select_from(directory)).scalar_one()
    if count != 1:
        # Running processes compare revisions: the new one must be none that they may have seen.
        revision = int(now.timestamp()) - _BORN
        repair = by("writes it anew", delete(directory), insert(directory).values(id=1, revision=revision))
        what = "The row of the directory is missing" if count == 0 else f"The directory has {count} rows instead of one"
        yield Finding("directory", what, repair=repair, blocks=True)


def _subnets(connection: Connection) -> Iterator[Finding]:
    known = set(connection.scalars(select(groups.c.id)))
    for number, group in connection.execute(select(subnets.c.id, subnets.c.group_id)).all():
        if group not in known:
            known.add(group)
            name = f"recovered-{group}"
            repair = by(f"makes a group {name}", insert(groups).values(id=group, name=name, description=""))
            what = f"Subnet {number} belongs to group {group}, which is gone"
            yield Finding("orphan", what, repair=repair, blocks=True)
    for number, reason in unreadable(connection):
        what = f"Subnet {number} cannot be read: {reason}"
        yield Finding("unreadable", what, advice=_BY_HAND, blocks=True)


def _addresses(connection: Connection, table: Table, column: Column[Any]) -> Iterator[Finding]:
    octets = type_coerce(column, LargeBinary)
    wrong: ColumnElement[bool] = func.length(octets) != _OCTETS
    if connection.dialect.name == "sqlite":
        wrong = or_(wrong, func.typeof(octets) != "blob")
    wrong = column.is_not(None) & wrong
    count = connection.execute(select(func.count()).select_from(table).where(wrong)).scalar_one()
    if not count:
        return
    what = f"{count} rows of {table.name} have an unreadable {column.name}"
    if table.name in _DISPENSABLE:
        yield Finding("unreadable", what, repair=by("removes them", delete(table).where(wrong)), blocks=True)
    elif table is events:
        cleared = update(table).where(wrong).values({column.name: None})
        yield Finding("unreadable", what, repair=by("clears it", cleared), blocks=True)
    else:
        yield Finding("unreadable", what, advice=_BY_HAND, blocks=True)


def _json(connection: Connection, table: Table, column: Column[Any]) -> Iterator[Finding]:
    dialect = connection.dialect.name
    text = type_coerce(column, LargeBinary)
    if dialect == "sqlite":
        wrong: ColumnElement[bool] = case((func.json_valid(text) == 1, func.json_type(text) != "object"), else_=true())
    elif dialect == "postgresql":
        wrong = func.json_typeof(column) != "object"
    else:
        wrong = func.json_type(text) != "OBJECT"
    count = connection.execute(select(func.count()).select_from(table).where(wrong)).scalar_one()
    if count:
        what = f"{count} rows of {table.name} have an unreadable {column.name}"
        cleared = update(table).where(wrong).values({column.name: {}})
        yield Finding("unreadable", what, repair=by("empties it", cleared), blocks=True)
