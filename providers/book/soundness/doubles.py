"""What may be there once within a subnet and is there twice, for example after an index was lost."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Table, func, select

from providers.book.directory import Directory
from providers.book.soundness.finding import Finding
from providers.book.tables import dhcp_hosts

_RELEASE = "Release what is wrong: leasehold address release ADDRESS"
_ONCE: tuple[tuple[Table, ColumnElement[str], str], ...] = (
    (dhcp_hosts, func.lower(dhcp_hosts.c.mac), "The MAC {} has {} DHCP hosts"),
    (dhcp_hosts, dhcp_hosts.c.name, "The name {} has {} DHCP hosts"),
)


def within_a_subnet(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """MACs and names with several DHCP hosts."""
    for table, value, words in _ONCE:
        # The columns are taken as they are stored, not from an index that may be the one that is damaged.
        query = select(table.c.subnet_id, value, func.count()).group_by(table.c.subnet_id, value)
        for number, what, count in connection.execute(query.having(func.count() > 1)):
            there = select(table.c.address).where(table.c.subnet_id == number, value == what).order_by(table.c.address)
            where = ", ".join(map(str, connection.scalars(there)))
            subnet = directory.by_id.get(number)
            yield Finding("double", f"{words.format(what, count)} in one subnet: {where}", subnet, advice=_RELEASE)
