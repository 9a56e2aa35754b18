"""Reservations, their uses and their DHCP hosts: none of them goes without the others."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Insert, and_, delete, exists, insert, select, update

from providers.book.directory import Directory
from providers.book.soundness.finding import Finding, by
from providers.book.tables import dhcp_hosts, reservations, uses
from providers.model import Pending, Use

_HERE = and_(uses.c.subnet_id == reservations.c.subnet_id, uses.c.address == reservations.c.address)
_DHCP = Use.DHCP.value
_UNMARKED = {"pending": None, "pending_since": None}
_RESERVED = select(reservations.c.subnet_id, reservations.c.address, reservations.c.name, reservations.c.changed_at)
_SERVED = select(dhcp_hosts.c.subnet_id, dhcp_hosts.c.address)
_SAYS_SO = select(uses.c.subnet_id, uses.c.address).where(uses.c.use == _DHCP)


def without_use(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """Reservations that nothing keeps, and that no release would ever end."""
    for number, address, name, since in connection.execute(_RESERVED.where(~exists().where(_HERE))):
        served = _SERVED.where(dhcp_hosts.c.subnet_id == number, dhcp_hosts.c.address == address)
        if connection.execute(served).first() is not None:
            continue
        what = f"{address} is reserved{f' for {name}' if name else ''} without any use"
        row = {"subnet_id": number, "address": address, "use": Use.MANUAL.value, "since": since}
        repair = by("gives it the use manual, which leasehold address release ends", insert(uses).values(row))
        yield Finding("use", what, directory.by_id.get(number), address, repair)


def host_without_use(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """DHCP hosts at an address that does not say that DHCP serves it."""
    # Sets, because SQLite looks for single rows of dhcp_hosts by the wrong index.
    for number, address in connection.execute(_SERVED.except_(_SAYS_SO)):
        at = (reservations.c.subnet_id == number, reservations.c.address == address)
        since = connection.execute(select(reservations.c.changed_at).where(*at)).scalar_one_or_none()
        if since is None:
            continue
        what = f"{address} has a DHCP host, but not the use dhcp"
        repair = by("adds the use", _use(number, address, since))
        yield Finding("use", what, directory.by_id.get(number), address, repair)


def use_without_host(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """The use dhcp of an address without a DHCP host: Foreman sees nothing there that it could delete."""
    for number, address in connection.execute(_SAYS_SO.except_(_SERVED)):
        here = and_(uses.c.subnet_id == number, uses.c.address == address)
        others = connection.execute(select(uses.c.use).where(here, uses.c.use != _DHCP)).first()
        if others is None:
            change = update(uses).where(here, uses.c.use == _DHCP).values(use=Use.MANUAL.value)
            repair = by("makes it the use manual, which leasehold address release ends", change)
        else:
            repair = by("ends that use", delete(uses).where(here, uses.c.use == _DHCP))
        what = f"{address} has the use dhcp, but no DHCP host"
        yield Finding("use", what, directory.by_id.get(number), address, repair)


def unknown_mark(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """DHCP hosts whose mark this program does not know, or that were marked nobody knows when."""
    mark, since = dhcp_hosts.c.pending, dhcp_hosts.c.pending_since
    known = mark.in_([each.value for each in Pending]) & since.is_not(None)
    wrong = (mark.is_not(None) & ~known) | (mark.is_(None) & since.is_not(None))
    query = select(dhcp_hosts.c.subnet_id, dhcp_hosts.c.mac, dhcp_hosts.c.address, dhcp_hosts.c.name).where(wrong)
    for number, mac, address, name in connection.execute(query):
        here = and_(dhcp_hosts.c.subnet_id == number, dhcp_hosts.c.mac == mac)
        change = update(dhcp_hosts).where(here).values(_UNMARKED)
        repair = by("takes the mark away; leasehold sync does the rest", change)
        what = f"{address} has the DHCP host {name} ({mac}), on its way to the DHCP server in a way that does not exist"
        yield Finding("dhcp", what, directory.by_id.get(number), address, repair)


def unknown_use(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """Uses that this program does not know."""
    query = select(uses.c.subnet_id, uses.c.address, uses.c.use).where(uses.c.use.not_in([use.value for use in Use]))
    for number, address, use in connection.execute(query):
        here = and_(uses.c.subnet_id == number, uses.c.address == address)
        others = connection.execute(select(uses.c.use).where(here, uses.c.use != use)).first()
        change = update(uses).where(here, uses.c.use == use).values(use=Use.MANUAL.value)
        repair = by("makes it the use manual", change)
        if others is not None:
            repair = by("ends that use", delete(uses).where(here, uses.c.use == use))
        what = f"{address} has the use {use}, which this program does not know"
        yield Finding("use", what, directory.by_id.get(number), address, repair, blocks=True)


def _use(number: int, address: object, since: object) -> Insert:
    return insert(uses).values(subnet_id=number, address=address, use=_DHCP, since=since)
