"""Tokens: what hooks, scripts and people show in place of a password, and what each of them may do.

A secret is random, so a fast hash of it is enough: nobody can try 2**256 of them. The book keeps only the hash, and is
asked at every use, so a token that was revoked or has expired is refused at once in every process.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from netaddr import IPNetwork
from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from providers.addresses import parse_network
from providers.book import event_log
from providers.book.database import Book
from providers.book.tables import NAME_LENGTH, TOKEN_NAME_LENGTH, tokens
from providers.clock import Clock, shown_moment
from providers.errors import Conflict, InvalidValue, NotAuthenticated, NotFound
from providers.model import Caller
from providers.printable import printable
from providers.token_use import LastUse

PREFIX = "lh_"
"""How every secret begins, so that people and scanners recognise one that lies about."""

_RANDOM_BYTES = 32
_SECRET = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
_REFUSED = "The token is not valid: it is unknown, was revoked or has expired"

_BY_HASH = select(tokens).where(tokens.c.hash == bindparam("sought"))
_BY_NAME = select(tokens).where(tokens.c.name == bindparam("sought"))


class Scope(StrEnum):
    """What a token is good for."""

    READ = "read"
    """Looking."""
    RESERVE = "reserve"
    """Looking, asking for addresses, reserving and releasing them."""
    GUEST = "guest"
    """Looking, and whatever concerns the guests of one node."""
    ADMIN = "admin"
    """Everything."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret.

    ``node`` and ``cluster`` say whose guests the scope guest is about. ``subnets`` and ``groups`` limit the token to
    those; empty means no limit. ``expires_at`` None means never. ``last_used_at`` is behind by a minute at most.
    """

    id: int
    name: str
    scopes: frozenset[Scope]
    node: str | None
    cluster: str | None
    subnets: tuple[IPNetwork, ...]
    groups: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


class Tokens:
    """Makes, checks, lists and revokes tokens."""

    def __init__(self, book: Book, clock: Clock, last_use: LastUse | None = None) -> None:
        """``last_use`` notes when a token was used; by default in a thread of its own."""
        self._book = book
        self._clock = clock
        self._last_use = LastUse(book) if last_use is None else last_use

    def create(
        self,
        name: str,
        scopes: Collection[Scope],
        caller: Caller,
        *,
        node: str | None = None,
        cluster: str | None = None,
        subnets: Collection[IPNetwork] = (),
        groups: Collection[str] = (),
        expires_at: datetime | None = None,
    ) -> tuple[Token, str]:
        """Make a token; returns it and its secret, which nobody can read again.

        Scope guest needs a ``node``, and only it may have ``node`` and ``cluster``. ``expires_at`` is aware. The name
        of a token that has expired may be taken. Raises InvalidValue, and Conflict when a living token has that name.
        """
        now = self._clock()
        secret = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        row = {
            "name": _checked(name, "A token's name", TOKEN_NAME_LENGTH),
            "scopes": _checked_scopes(scopes, node, cluster),
            "node": node and _checked(node, "A node's name"),
            "cluster": cluster and _checked(cluster, "A cluster's name"),
            "subnets": [str(_checked_network(network)) for network in dict.fromkeys(subnets)],
            "groups": [_checked(group, "A group's name") for group in dict.fromkeys(groups)],
            "created_at": now,
            "expires_at": _checked_end(expires_at, now),
        }

        def work(connection: Connection) -> Token:
            there = connection.execute(_BY_NAME, {"sought": name}).first()
            if there is not None:
                if not _token(there).expired(now):
                    raise Conflict(f"There is a token {name} already: revoke it first, or take another name")
                _remove(connection, there.id)
                event_log.record(connection, now, caller, "token.expire", None, name=name)
            connection.execute(insert(tokens).values(row | {"hash": _hash(secret)}))
            event_log.record(connection, now, caller, "token.create", None, **_shown(row))
            return _token(connection.execute(_BY_NAME, {"sought": name}).one())

        return self._book.write(work), secret

    def check(self, secret: str) -> Token:
        """The token with this secret; that it was used is noted, without waiting for it.

        Raises NotAuthenticated, in the same words whether it is unknown, revoked or expired; Unavailable when the book
        does not answer.
        """
        if not _SECRET.fullmatch(secret):
            raise NotAuthenticated(_REFUSED)
        sought = _hash(secret)
        with self._book.read() as connection:
            row = connection.execute(_BY_HASH, {"sought": sought}).first()
        if row is None or not compare_digest(row.hash, sought):
            raise NotAuthenticated(_REFUSED)
        token, now = _token(row), self._clock()
        if token.expired(now):
            raise NotAuthenticated(_REFUSED)
        self._last_use.note(token.id, token.last_used_at, now)
        return token

    def exist(self) -> bool:
        """Whether there is any token, be it one that has expired. Raises Unavailable."""
        with self._book.read(snapshot=False) as connection:
            return connection.execute(select(tokens.c.id).limit(1)).first() is not None

    def list(self) -> Sequence[Token]:
        """All tokens, those that have expired too, by name."""
        with self._book.read() as connection:
            found = [_token(row) for row in connection.execute(select(tokens))]
        return sorted(found, key=lambda token: (token.name.casefold(), token.name))

    def revoke(self, name: str, caller: Caller) -> Token:
        """Refuse a token from now on, everywhere; returns what it was. Raises NotFound."""

        def work(connection: Connection) -> Token:
            there = connection.execute(_BY_NAME, {"sought": name}).first()
            if there is None:
                raise NotFound(f"There is no token {printable(name, TOKEN_NAME_LENGTH)}: see leasehold token list")
            _remove(connection, there.id)
            event_log.record(connection, self._clock(), caller, "token.revoke", None, name=there.name)
            return _token(there)

        return self._book.write(work)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=frozenset(map(Scope, row.scopes)),
        node=row.node,
        cluster=row.cluster,
        subnets=tuple(map(parse_network, row.subnets)),
        groups=tuple(row.groups),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def _remove(connection: Connection, token_id: int) -> None:
    connection.execute(delete(tokens).where(tokens.c.id == token_id))


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """What an event tells of a new token: what it may do, never how it is known again."""
    told = {key: row[key] or None for key in ("name", "scopes", "node", "cluster", "subnets", "groups")}
    end = row["expires_at"]
    return told | {"expires_at": end and end.isoformat(timespec="seconds")}


def _checked(text: str, what: str, longest: int = NAME_LENGTH) -> str:
    if not text or text != text.strip() or not text.isprintable() or len(text) > longest:
        raise InvalidValue(f"{what} has 1 to {longest} printable characters and no blanks at its ends")
    return text


def _checked_scopes(scopes: Collection[Scope], node: str | None, cluster: str | None) -> list[str]:
    if not scopes:
        raise InvalidValue(f"A token needs at least one scope: {', '.join(Scope)}")
    if Scope.GUEST in scopes and not node:
        raise InvalidValue("Scope guest is for the guests of one node: say which node")
    if "/" in (cluster or node or ""):
        raise InvalidValue("A cluster's name, or that of a node in none, has no slash: in keys of holds one ends it")
    if Scope.GUEST not in scopes and (node or cluster):
        raise InvalidValue("Only scope guest has a node or a cluster: add it, or leave these out")
    return sorted(scopes)


def _checked_network(network: IPNetwork) -> IPNetwork:
    if network != network.cidr or network.ip != network.network:
        raise InvalidValue(f"{network} is no network: did you mean {network.cidr}?")
    return network


def _checked_end(expires_at: datetime | None, now: datetime) -> datetime | None:
    if expires_at is None:
        return None
    if expires_at <= now:
        raise InvalidValue(f"A token cannot expire at {shown_moment(expires_at)}: that is past")
    return expires_at.astimezone(UTC)
