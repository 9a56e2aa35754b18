"""Guests by what is known of them; every question is answered by an index, or ends after a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netaddr import IPAddress
from sqlalchemy import ColumnElement, Connection, func, or_, select, tuple_

from providers.book.guests import Kept, Place, with_details
from providers.book.tables import guest_addresses, guest_nics, guests
from providers.guests import GuestState


@dataclass(frozen=True, slots=True)
class SoughtGuest:
    """Which guests are looked for; None everywhere means any."""

    cluster: str | None = None
    node: str | None = None
    state: GuestState | None = None
    emulator: str | None = None
    text: str | None = None
    address: IPAddress | None = None
    mac: str | None = None

    @property
    def narrow(self) -> bool:
        """Whether an index finds the few guests that may be meant, or all are."""
        few = not (self.node is None and self.address is None and self.mac is None)
        return few or (not self.text and self.state is None and self.emulator is None)


def page(
    connection: Connection, sought: SoughtGuest, after: Place | None, limit: int, budget: int
) -> tuple[list[Kept], Place | None]:
    """At most ``limit`` guests above ``after``, by cluster and name, and after which to go on if there may be more.

    Where no index helps it looks at no more than ``budget`` of them.
    """
    place = tuple_(guests.c.cluster, guests.c.name)
    above = [] if after is None else [place > tuple_(*after)]
    edge = None if sought.narrow else _edge(connection, sought.cluster, above, budget)
    if edge is not None:
        above.append(place <= tuple_(*edge))
    query = select(guests).where(*_conditions(sought), *above).order_by(guests.c.cluster, guests.c.name).limit(limit)
    found = with_details(connection, connection.execute(query).all())
    return found, (found[-1].cluster, found[-1].name) if len(found) == limit else edge


def _conditions(sought: SoughtGuest) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        guests.c[name] == str(value)
        for name in ("cluster", "node", "state", "emulator")
        if (value := getattr(sought, name)) is not None
    ]
    if sought.text:
        wanted = sought.text.lower()
        texts = (guests.c.name, guests.c.hostname, guests.c.note)
        found.append(or_(*(func.lower(text).contains(wanted, autoescape=True) for text in texts)))
    if sought.address is not None:
        here = (guest_addresses.c.address == sought.address, ~guest_addresses.c.leaving)
        found.append(guests.c.id.in_(select(guest_addresses.c.guest_id).where(*here)))
    if sought.mac is not None:
        found.append(guests.c.id.in_(select(guest_nics.c.guest_id).where(guest_nics.c.mac == sought.mac)))
    return found


def _edge(
    connection: Connection, cluster: str | None, above: Sequence[ColumnElement[bool]], budget: int
) -> Place | None:
    """The guest up to which ``budget`` of them are looked at; None when there are fewer."""
    query = select(guests.c.cluster, guests.c.name).where(*above).order_by(guests.c.cluster, guests.c.name)
    if cluster is not None:
        query = query.where(guests.c.cluster == cluster)
    row = connection.execute(query.offset(budget - 1).limit(1)).first()
    return None if row is None else (row.cluster, row.name)
