"""Which DHCP hosts are on their way to a DHCP server, or away from it.

A host is marked before the server is told, and the mark goes when the server has confirmed: whoever finds an old mark
knows that somebody stopped halfway.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from providers.book import taken
from providers.book.tables import dhcp_hosts
from providers.book.taken import read_host
from providers.model import DHCPHost, Pending, Subnet

_MARK = select(dhcp_hosts.c.pending, dhcp_hosts.c.pending_since).where(
    dhcp_hosts.c.subnet_id == bindparam("subnet"), dhcp_hosts.c.mac == bindparam("mac_of")
)
_STAYS = dhcp_hosts.c.pending.is_(None) | (dhcp_hosts.c.pending != Pending.WITHDRAW.value)


def mark(connection: Connection, subnet: Subnet, mac: str, pending: Pending, now: datetime) -> None:
    """Write that the host of ``mac`` is on its way."""
    _set(connection, subnet, mac, pending=pending.value, pending_since=now)


def clear(connection: Connection, subnet: Subnet, mac: str) -> None:
    """Write that the DHCP server has it as the book says."""
    _set(connection, subnet, mac, pending=None, pending_since=None)


def of(connection: Connection, subnet: Subnet, mac: str) -> Pending | None:
    """The mark of the host of ``mac``; None also when there is no such host."""
    found = since(connection, subnet, mac)
    return None if found is None else found[0]


def since(connection: Connection, subnet: Subnet, mac: str) -> tuple[Pending, datetime] | None:
    """The mark of the host of ``mac`` and when it was made; None also when there is no such host."""
    row = connection.execute(_MARK, {"subnet": subnet.id, "mac_of": mac}).first()
    return None if row is None or row.pending is None else (Pending(row.pending), row.pending_since)


def marked(connection: Connection, subnet: Subnet) -> list[tuple[DHCPHost, Pending, datetime]]:
    """The marked hosts of a subnet with their mark and since when, by address."""
    query = select(dhcp_hosts).where(dhcp_hosts.c.subnet_id == subnet.id, dhcp_hosts.c.pending.is_not(None))
    rows = connection.execute(query.order_by(dhcp_hosts.c.address, dhcp_hosts.c.mac))
    return [(read_host(row), Pending(row.pending), row.pending_since) for row in rows]


def older_than(connection: Connection, moment: datetime) -> bool:
    """Whether some host was marked before ``moment`` and still is."""
    query = select(dhcp_hosts.c.mac).where(dhcp_hosts.c.pending_since < moment).limit(1)
    return connection.execute(query).first() is not None


def host_page(connection: Connection, subnet: Subnet, after: DHCPHost | None) -> list[DHCPHost]:
    """The next hosts that the DHCP server is to serve after ``after``, by address and MAC: all but those going."""
    return taken.host_page(connection, subnet, after, _STAYS)


def to_serve(connection: Connection, subnet: Subnet, mac: str) -> list[DHCPHost]:
    """The host of ``mac`` if the DHCP server is to serve it: one or none."""
    query = select(dhcp_hosts).where(dhcp_hosts.c.subnet_id == subnet.id, dhcp_hosts.c.mac == mac, _STAYS)
    return [read_host(row) for row in connection.execute(query)]


def _set(connection: Connection, subnet: Subnet, mac: str, **values: object) -> None:
    connection.execute(
        update(dhcp_hosts).where(dhcp_hosts.c.subnet_id == subnet.id, dhcp_hosts.c.mac == mac).values(values)
    )
