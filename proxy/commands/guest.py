"""``leasehold guest``: jails and virtual machines, as their nodes reported them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from providers.guests import Claim, Guest, GuestState
from proxy.commands.output import Column, Row, details, json_option, listing
from proxy.commands.parameters import ADDRESS, GUEST, MAC
from proxy.commands.session import Session, pass_session
from proxy.rows import guest_row

if TYPE_CHECKING:
    from netaddr import IPAddress


Named = TypeVar("Named", Guest, Claim)

_PAGE = 500


def _addresses(row: Row) -> list[str]:
    return [address["address"] for address in row["addresses"]]


_COLUMNS = (
    Column.of("cluster"),
    Column.of("name"),
    Column.of("node"),
    Column.of("emulator"),
    Column.of("state"),
    Column("Addresses", _addresses),
    Column("Claimed by", lambda row: row["claim"] and row["claim"]["node"]),
    Column.of("event_at", "Reported"),
)
_TITLES = {
    "nics": "Network cards",
    "event_at": "Reported",
    "created_at": "First seen",
    "changed_at": "Changed",
}

guest_argument = click.argument("guest", type=GUEST, metavar="CLUSTER/NAME")


@click.group()
def guest() -> None:
    """List, show and forget jails and virtual machines."""


@guest.command("list")
@click.option("--cluster", metavar="C", help="Only of this cluster; a node that is in none is a cluster of its own.")
@click.option("--node", metavar="N", help="Only on this node.")
@click.option("--state", type=click.Choice([str(state) for state in GuestState]), help="Only in this state.")
@click.option("--emulator", metavar="E", help="Only run by this: jail, bhyve, ...")
@click.option("--address", type=ADDRESS, help="Only with this address.")
@click.option("--mac", type=MAC, help="Only with this MAC.")
@click.option("--text", metavar="T", help="Only with this in the name, host name or note.")
@json_option
@pass_session
def list_(
    session: Session,
    cluster: str | None,
    node: str | None,
    state: str | None,
    emulator: str | None,
    address: IPAddress | None,
    mac: str | None,
    text: str | None,
    as_json: bool,
) -> None:
    """List guests, by cluster and name."""
    page = partial(
        session.book.guests,
        cluster=cluster,
        node=node,
        state=None if state is None else GuestState(state),
        emulator=emulator,
        address=address,
        mac=mac,
        text=text,
    )
    rows = map(guest_row, every(page))
    listing(rows, _COLUMNS, as_json=as_json, empty="No guests: nodes report theirs through /api/v1.")


@guest.command()
@guest_argument
@json_option
@pass_session
def show(session: Session, guest: tuple[str, str], as_json: bool) -> None:
    """Show everything about one guest."""
    row = guest_row(session.book.guest(*guest))
    claim = row["claim"]
    shown = {"addresses": _addresses(row), "claim": claim and f"{claim['node']}, since {claim['since']}"}
    details(row if as_json else row | shown, _TITLES, as_json=as_json)


@guest.command()
@guest_argument
@click.option("--node", metavar="N", help="Only while it belongs to this node.")
@pass_session
def remove(session: Session, guest: tuple[str, str], node: str | None) -> None:
    """Forget a guest, and release its addresses and its claim.

    What is not there is no error. A guest that still runs is reported again by its node, and gets its addresses back
    if nobody else has taken them.
    """
    outcome = session.book.remove_guest(*guest, session.caller, node=node, at=None)
    if outcome.accepted:
        click.echo(f"Removed guest {'/'.join(guest)}.")
    else:
        click.echo(f"Nothing was removed: {outcome.reason or 'there is no such guest'}.")


def every(page: Callable[..., Sequence[Named]]) -> Iterator[Named]:
    """All guests, or all of what is theirs, that the book's own ``page`` gives page by page."""
    after: tuple[str, str] | None = None
    while found := page(after=after, limit=_PAGE):
        yield from found
        if len(found) < _PAGE:
            return
        after = found[-1].cluster, found[-1].name
