"""Holds and rests: none on an address that somebody has, and one hold only for each key."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_, delete, func, select

from providers.book.directory import Directory
from providers.book.soundness.finding import Finding, by
from providers.book.tables import holds, reservations, rests


def on_reserved(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """Holds and rests on a reserved address, rests on a held one: what comes later in a life gives way."""
    for loser, winner, what in (
        (holds, reservations, "is held, but reserved"),
        (rests, reservations, "rests, but is reserved"),
        (rests, holds, "rests, but is held"),
    ):
        same = and_(loser.c.subnet_id == winner.c.subnet_id, loser.c.address == winner.c.address)
        for number, address in connection.execute(select(loser.c.subnet_id, loser.c.address).join(winner, same)):
            gone = delete(loser).where(loser.c.subnet_id == number, loser.c.address == address)
            repair = by(f"ends the {loser.name.removesuffix('s')}", gone)
            yield Finding("promise", f"{address} {what}", directory.by_id.get(number), address, repair)


def two_of_a_key(connection: Connection, directory: Directory) -> Iterator[Finding]:
    """Several holds of one key in a subnet: the one that lasts longest stays."""
    place = (holds.c.subnet_id, holds.c.key)
    for number, key, count in connection.execute(
        select(*place, func.count()).group_by(*place).having(func.count() > 1)
    ):
        of_key = and_(holds.c.subnet_id == number, holds.c.key == key)
        newest = select(holds.c.address).where(of_key).order_by(holds.c.expires_at.desc(), holds.c.address).limit(1)
        kept = connection.execute(newest).scalar_one()
        repair = by(f"ends all but that on {kept}", delete(holds).where(of_key, holds.c.address != kept))
        yield Finding("promise", f"{key} has {count} holds in one subnet", directory.by_id.get(number), repair=repair)
