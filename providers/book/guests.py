"""Guests with their addresses and cards, as the tables have them, and the names of those that are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from netaddr import IPAddress
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, select, update

from providers.book.tables import guest_addresses, guest_nics, guests, past_guests
from providers.guests import NIC, GuestState

_FORGOTTEN_AT_ONCE = 100
_DESCRIBED = ("node", "emulator", "hostname", "state", "note", "event_at", "created_at", "changed_at")
_MARKS = ("telling_since", "ending_at")


Place = tuple[str, str]
"""Cluster and name of a guest."""

Left = tuple[datetime, int]
"""Since when somebody is telling of a guest, and its id: the order of those that were left halfway."""


@dataclass(frozen=True, slots=True)
class KeptAddress:
    """An address of a guest. ``served_mac`` is that of the DHCP host that was made for it.

    ``told``: the IPAM and the DHCP server know of it, as far as there are any. ``leaving``: it is being given back, and
    belongs to the guest until that is done everywhere.
    """

    address: IPAddress
    subnet_id: int | None
    nic: str | None
    shared: bool
    served_mac: str | None = None
    told: bool = True
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A guest as it is kept; ``id`` 0 before it is written. ``revision`` grows with every report that counts.

    ``telling_since``: since when somebody is telling the IPAM and the DHCP server what changed; None when all is told.
    ``ending_at``: it is being removed, as of that moment.
    """

    id: int
    revision: int
    cluster: str
    name: str
    node: str
    emulator: str | None
    hostname: str | None
    state: GuestState
    note: str | None
    event_at: datetime
    created_at: datetime
    changed_at: datetime
    addresses: tuple[KeptAddress, ...] = ()
    nics: tuple[NIC, ...] = ()
    telling_since: datetime | None = None
    ending_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.cluster}/{self.name}"


@dataclass(frozen=True, slots=True)
class Holder:
    """A guest that has an address."""

    guest_id: int
    cluster: str
    name: str
    node: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a guest that had a name until lately: removed, or called ``renamed_to``."""

    event_at: datetime
    renamed_to: str | None


def find(connection: Connection, cluster: str, name: str) -> Kept | None:
    """The guest of that name."""
    return _found(connection, select(guests).where(guests.c.cluster == cluster, guests.c.name == name))


def find_to_change(connection: Connection, cluster: str, name: str) -> Kept | None:
    """Like ``find``, and other writers of this guest wait until this transaction ends."""
    query = select(guests).where(guests.c.cluster == cluster, guests.c.name == name)
    return _found(connection, query.with_for_update())


def put(connection: Connection, guest: Kept, *, over: Kept | None) -> Kept:
    """Write a guest with its addresses and cards, over what is there of it; returns it with its id."""
    row = {key: getattr(guest, key) for key in ("revision", "cluster", "name", *_DESCRIBED, *_MARKS)}
    row["state"] = guest.state.value
    if over is None:
        (new_id,) = connection.execute(insert(guests).values(row)).inserted_primary_key or (0,)
        guest = replace(guest, id=int(new_id))
    else:
        connection.execute(update(guests).where(guests.c.id == guest.id).values(row))
    if over is None or over.addresses != guest.addresses:
        _put_addresses(connection, guest)
    if over is None or over.nics != guest.nics:
        _put_nics(connection, guest)
    return guest


def remove(connection: Connection, guest: Kept) -> None:
    """Remove a guest with its addresses and cards; its reservations are left as they are."""
    connection.execute(delete(guests).where(guests.c.id == guest.id))


def remove_address(connection: Connection, guest: Kept, address: IPAddress) -> None:
    """Let a guest have an address no longer; its reservation is left as it is."""
    here = (guest_addresses.c.guest_id == guest.id, guest_addresses.c.address == address)
    connection.execute(delete(guest_addresses).where(*here))


def mark_told(connection: Connection, guest: Kept) -> None:
    """Write that everybody knows of the addresses of a guest that were not told when ``guest`` was written.

    And that nobody is telling anything any more, unless another report came in since.
    """
    same = (guests.c.id == guest.id, guests.c.revision == guest.revision)
    connection.execute(update(guests).where(*same).values(telling_since=None))
    untold = [row.address for row in guest.addresses if not row.told]
    if untold:
        here = (guest_addresses.c.guest_id == guest.id, guest_addresses.c.address.in_(untold))
        connection.execute(update(guest_addresses).where(*here).values(told=True))


def halfway(connection: Connection, before: datetime, after: Left | None, limit: int) -> list[Kept]:
    """At most ``limit`` guests that somebody began to tell of before then and never ended, the oldest after a place."""
    query = select(guests).where(guests.c.telling_since <= before).order_by(guests.c.telling_since, guests.c.id)
    if after is not None:
        since, number = after
        beside = (guests.c.telling_since == since) & (guests.c.id > number)
        query = query.where(guests.c.telling_since >= since, (guests.c.telling_since > since) | beside)
    return with_details(connection, connection.execute(query.limit(limit)).all())


def holders(connection: Connection, subnet_id: int, address: IPAddress) -> list[Holder]:
    """The guests that have an address, by cluster and name; several when all of them share it."""
    query = (
        select(guests.c.id, guests.c.cluster, guests.c.name, guests.c.node, guest_addresses.c.shared)
        .join(guest_addresses)
        .where(guest_addresses.c.subnet_id == subnet_id, guest_addresses.c.address == address)
        .order_by(guests.c.cluster, guests.c.name)
    )
    return [Holder(*row) for row in connection.execute(query)]


def detach(connection: Connection, subnet_id: int, address: IPAddress) -> None:
    """Write that an address of guests is not reserved for them any more."""
    here = (guest_addresses.c.subnet_id == subnet_id, guest_addresses.c.address == address)
    connection.execute(update(guest_addresses).where(*here).values(subnet_id=None, served_mac=None))


def past(connection: Connection, cluster: str, name: str) -> Past | None:
    """What became of the guest that had a name until lately."""
    row = connection.execute(select(past_guests).where(*_once(cluster, name))).first()
    return None if row is None else Past(row.event_at, row.renamed_to)


def end(connection: Connection, cluster: str, name: str, gone: Past, now: datetime, forget: datetime) -> None:
    """Write that a name is a guest's no longer; what ended before ``forget`` is forgotten, a few at a time."""
    revive(connection, cluster, name)
    row = {"event_at": gone.event_at, "renamed_to": gone.renamed_to, "ended_at": now}
    connection.execute(insert(past_guests).values(row | {"cluster": cluster, "name": name}))
    query = select(past_guests.c.cluster, past_guests.c.name).where(past_guests.c.ended_at < forget)
    for old_cluster, old_name in connection.execute(query.limit(_FORGOTTEN_AT_ONCE)).all():
        revive(connection, old_cluster, old_name)


def revive(connection: Connection, cluster: str, name: str) -> None:
    """Forget what became of the guest that had a name until lately: there is one again."""
    connection.execute(delete(past_guests).where(*_once(cluster, name)))


def _once(cluster: str, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return past_guests.c.cluster == cluster, past_guests.c.name == name


def _found(connection: Connection, query: Select[Any]) -> Kept | None:
    row = connection.execute(query).first()
    return None if row is None else with_details(connection, [row])[0]


def with_details(connection: Connection, rows: Sequence[Row[Any]]) -> list[Kept]:
    """The guests of ``rows``, which are whole rows, with their addresses and cards."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    addresses = _by_guest(connection, select(guest_addresses).where(guest_addresses.c.guest_id.in_(ids)))
    nics = _by_guest(connection, select(guest_nics).where(guest_nics.c.guest_id.in_(ids)))
    return [
        Kept(
            id=row.id,
            revision=row.revision,
            cluster=row.cluster,
            name=row.name,
            **{key: getattr(row, key) for key in _DESCRIBED} | {"state": GuestState(row.state)},
            addresses=tuple(
                KeptAddress(
                    each.address, each.subnet_id, each.nic, each.shared, each.served_mac, each.told, each.leaving
                )
                for each in addresses.get(row.id, ())
            ),
            nics=tuple(NIC(each.mac, each.name, each.parent) for each in nics.get(row.id, ())),
            **{key: getattr(row, key) for key in _MARKS},
        )
        for row in rows
    ]


def _by_guest(connection: Connection, query: Select[Any]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for row in sorted(connection.execute(query), key=lambda each: int(each.position)):
        found.setdefault(row.guest_id, []).append(row)
    return found


def _put_addresses(connection: Connection, guest: Kept) -> None:
    connection.execute(delete(guest_addresses).where(guest_addresses.c.guest_id == guest.id))
    rows = [
        {key: getattr(each, key) for key in each.__slots__} | {"guest_id": guest.id, "position": position}
        for position, each in enumerate(guest.addresses)
    ]
    if rows:
        connection.execute(insert(guest_addresses), rows)


def _put_nics(connection: Connection, guest: Kept) -> None:
    connection.execute(delete(guest_nics).where(guest_nics.c.guest_id == guest.id))
    rows = [
        {"guest_id": guest.id, "position": position, "mac": nic.mac, "name": nic.name, "parent": nic.parent}
        for position, nic in enumerate(guest.nics)
    ]
    if rows:
        connection.execute(insert(guest_nics), rows)
