"""``leasehold claim``: which node may run a guest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from providers.errors import GuestNotFound
from proxy.commands.guest import every, guest_argument
from proxy.commands.output import Column, json_option, listing
from proxy.commands.parameters import MOMENT
from proxy.commands.session import Session, pass_session
from proxy.rows import claim_row

if TYPE_CHECKING:
    from datetime import datetime

_COLUMNS = (
    Column.of("cluster"),
    Column.of("name"),
    Column.of("node"),
    Column.of("since"),
    Column.of("renewed_at", "Renewed"),
    Column.of("expires_at", "Expires"),
    Column.of("forced_from", "Forced from"),
)


@click.group()
def claim() -> None:
    """List, end and take over claims: the right of one node to run a guest."""


@claim.command("list")
@click.option("--cluster", metavar="C", help="Only of guests of this cluster.")
@click.option("--node", metavar="N", help="Only of this node.")
@click.option("--text", metavar="T", help="Only with this in the name of the guest.")
@json_option
@pass_session
def list_(session: Session, cluster: str | None, node: str | None, text: str | None, as_json: bool) -> None:
    """List the claims that have not expired, by cluster and name."""
    found = every(partial(session.book.claims, cluster=cluster, node=node, text=text))
    listing(map(claim_row, found), _COLUMNS, as_json=as_json, empty="No claims.")


@claim.command()
@guest_argument
@click.option("--node", metavar="N", help="Only that of this node; another one's is refused.")
@click.option("--since", type=MOMENT, help="Only the one that began then, as the list shows it; another is refused.")
@pass_session
def release(session: Session, guest: tuple[str, str], node: str | None, since: datetime | None) -> None:
    """End a claim, so that another node may run the guest.

    Be sure that the guest does not run any more. When there is no claim that is no error.
    """
    ended = session.book.release_claim(*guest, node, session.caller, since=since)
    if ended is None:
        click.echo(f"Nobody claims {'/'.join(guest)}; nothing to release.")
    else:
        click.echo(f"Released the claim of {ended.node} on {'/'.join(guest)}.")


@claim.command()
@guest_argument
@click.option("--node", required=True, metavar="N", help="The node that is to have it.")
@pass_session
def force(session: Session, guest: tuple[str, str], node: str) -> None:
    """Give the claim to a node, whoever has it.

    For a node that is dead: if it still runs the guest, the guest would run twice. The guest need not be known yet.
    """
    known = _is_known(session, guest)
    taken = session.book.claim(*guest, node, session.caller, force=True)
    taken_from = f", taken from {taken.forced_from}" if taken.forced_from else ""
    click.echo(f"{taken.node} has the claim on {'/'.join(guest)}{taken_from}.")
    if not known:
        click.echo(f"No guest {'/'.join(guest)} is known: no node has reported it yet. Is the name right?", err=True)


def _is_known(session: Session, guest: tuple[str, str]) -> bool:
    try:
        session.book.guest(*guest)
    except GuestNotFound:
        return False
    return True
