"""``leasehold token``: what hooks, scripts and people show to be let in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
from netaddr import IPNetwork

from providers.errors import InvalidValue, LeaseholdError
from providers.tokens import Scope, Tokens
from proxy.commands.output import Column, json_option, listing
from proxy.commands.parameters import NETWORK, Parsed
from proxy.commands.session import Session, pass_session
from proxy.rows import moment, token_row

if TYPE_CHECKING:
    from providers.address_book import AddressBook

_MOST_DAYS = 99_999
_COLUMNS = (
    Column.of("name"),
    Column.of("scopes"),
    Column.of("node"),
    Column.of("cluster"),
    Column.of("subnets"),
    Column.of("groups"),
    Column.of("created_at", "Created"),
    Column("Expires", lambda row: f"{row['expires_at']} (expired)" if row["expired"] else row["expires_at"]),
    Column.of("last_used_at", "Last used"),
)


def _end(text: str) -> timedelta | datetime:
    """How long from now, or when: ``90d``, ``2026-12-31`` (its first moment in UTC), ``2026-12-31T18:00+01:00``."""
    days = text.removesuffix("d")
    if days != text and days.isascii() and days.isdigit() and len(days) <= len(str(_MOST_DAYS)):
        return timedelta(days=int(days))
    try:
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidValue(f"write days as 90d, at most {_MOST_DAYS}d, or a date as 2026-12-31") from error


_END = Parsed("END", _end)
_name_argument = click.argument("name")


@click.group()
def token() -> None:
    """Make, list and revoke tokens."""


@token.command()
@_name_argument
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(list(map(str, Scope))),
    multiple=True,
    required=True,
    help="What it is good for; may be repeated.",
)
@click.option("--node", metavar="N", help="The node whose guests it is for; goes with --scope guest.")
@click.option("--cluster", metavar="C", help="The cluster that the node is in.")
@click.option("--subnet", "subnets", type=NETWORK, multiple=True, help="Only for this subnet; may be repeated.")
@click.option("--group", "groups", metavar="G", multiple=True, help="Only for this group; may be repeated.")
@click.option(
    "--expires",
    "end",
    type=_END,
    metavar="90d|DATE",
    help=f"After so many days, at most {_MOST_DAYS}, or when that day begins (UTC); never if not given.",
)
@pass_session
def create(
    session: Session,
    name: str,
    scopes: tuple[str, ...],
    node: str | None,
    cluster: str | None,
    subnets: tuple[IPNetwork, ...],
    groups: tuple[str, ...],
    end: timedelta | datetime | None,
) -> None:
    """Make a token and print its secret, nothing else.

    The secret is shown this once: the book keeps a hash of it and nobody can read it again.
    """
    book = session.local_book
    made, secret = _tokens(session).create(
        name,
        frozenset(map(Scope, scopes)),
        session.caller,
        node=node,
        cluster=cluster,
        subnets=subnets,
        groups=groups,
        expires_at=book.clock() + end if isinstance(end, timedelta) else end,
    )
    click.echo(secret)
    until = f" It expires {moment(made.expires_at)}." if made.expires_at else ""
    click.echo(f"Made token {made.name}.{until} This is the only time that it is shown.", err=True)
    for limit in _reaching_nothing(book, subnets, groups):
        click.echo(f"There is no {limit} yet, so that limit reaches nothing: see leasehold subnet list", err=True)


@token.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the tokens and when they were last used, never their secrets."""
    now = session.local_book.clock()
    rows = (token_row(found, now) for found in _tokens(session).list())
    empty = "There are no tokens. Make one: leasehold token create NAME --scope read"
    listing(rows, _COLUMNS, as_json=as_json, empty=empty)


@token.command()
@_name_argument
@pass_session
def revoke(session: Session, name: str) -> None:
    """Revoke a token: it is refused from now on."""
    revoked = _tokens(session).revoke(name, session.caller)
    click.echo(f"Revoked token {revoked.name}. It is refused from now on; its name may be used again.")


def _reaching_nothing(book: AddressBook, networks: Iterable[IPNetwork], groups: Iterable[str]) -> list[str]:
    """The limits that name nothing in the book, which may be meant or misspelled."""
    try:
        names = {group.name.casefold() for group in book.groups()}
        known = [subnet.network for subnet in book.subnets()]
    except LeaseholdError:
        # The token is made, whether the IPAM that knows the groups answers or not.
        return []
    lost = [f"group {name}" for name in groups if name.casefold() not in names]
    return lost + [f"subnet in {network}" for network in networks if not any(each in network for each in known)]


def _tokens(session: Session) -> Tokens:
    return Tokens(session.local_book.book, session.local_book.clock)
