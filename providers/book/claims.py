"""Claims, as the tables have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select, tuple_, update

from providers.book.tables import claims
from providers.guests import Claim


def find(connection: Connection, cluster: str, name: str) -> Claim | None:
    """The claim of a guest, live or expired."""
    row = connection.execute(select(claims).where(*_at(cluster, name))).first()
    return None if row is None else _claim(row)


def of(connection: Connection, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Claim]:
    """The claims of guests, (cluster, name), live or expired.

    By cluster: with a list of pairs SQLite reads all claims.
    """
    by_cluster: dict[str, list[str]] = {}
    for cluster, name in names:
        by_cluster.setdefault(cluster, []).append(name)
    found = {}
    for cluster, of_cluster in by_cluster.items():
        query = select(claims).where(claims.c.cluster == cluster, claims.c.name.in_(of_cluster))
        found.update({(row.cluster, row.name): _claim(row) for row in connection.execute(query)})
    return found


def find_to_change(connection: Connection, cluster: str, name: str) -> Claim | None:
    """Like ``find``, and other writers of this claim wait until this transaction ends."""
    query = select(claims).where(*_at(cluster, name)).with_for_update()
    row = connection.execute(query).first()
    return None if row is None else _claim(row)


def put(connection: Connection, claim: Claim, *, over: Claim | None) -> None:
    """Write a claim, over the one of that guest that ``find_to_change`` found.

    When it found none and another transaction wrote one meanwhile, the unique key lets this one fail and run again.
    """
    row = {
        "node": claim.node,
        "since": claim.since,
        "renewed_at": claim.renewed_at,
        "expires_at": claim.expires_at,
        "forced_from": claim.forced_from,
    }
    if over is None:
        connection.execute(insert(claims).values(row | {"cluster": claim.cluster, "name": claim.name}))
    else:
        connection.execute(update(claims).where(*_at(claim.cluster, claim.name)).values(row))


def rename(connection: Connection, cluster: str, name: str, new_name: str) -> None:
    """Let a claim go with its guest; there must be none of the new name."""
    connection.execute(update(claims).where(*_at(cluster, name)).values(name=new_name))


def remove(connection: Connection, cluster: str, name: str) -> None:
    """Remove the claim of a guest, if there is one."""
    connection.execute(delete(claims).where(*_at(cluster, name)))


def live(
    connection: Connection,
    now: datetime,
    *,
    cluster: str | None,
    node: str | None,
    text: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[Claim]:
    """The first ``limit`` claims above ``after`` that have not expired, by cluster and name."""
    query = select(claims).where(or_(claims.c.expires_at.is_(None), claims.c.expires_at > now)).limit(limit)
    if after is not None:
        query = query.where(tuple_(claims.c.cluster, claims.c.name) > tuple_(*after))
    if text:
        query = query.where(claims.c.name.icontains(text, autoescape=True))
    if cluster is not None:
        query = query.where(claims.c.cluster == cluster)
    if node is not None:
        query = query.where(claims.c.node == node)
    return [_claim(row) for row in connection.execute(query.order_by(claims.c.cluster, claims.c.name))]


def _at(cluster: str, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return claims.c.cluster == cluster, claims.c.name == name


def _claim(row: Row[Any]) -> Claim:
    return Claim(row.cluster, row.name, row.node, row.since, row.renewed_at, row.expires_at, row.forced_from)
