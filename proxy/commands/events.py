"""``leasehold events``: who changed what, when."""

from __future__ import annotations

import click
from netaddr import IPAddress, IPNetwork

from proxy.commands.output import Column, json_option, listing
from proxy.commands.parameters import ADDRESS, NETWORK
from proxy.commands.session import Session, pass_session
from proxy.rows import event_row

_MOST = 100_000
_COLUMNS = (
    Column.of("at", "Time"),
    Column.of("actor", "Who"),
    Column.of("action"),
    Column.of("subnet"),
    Column.of("group"),
    Column.of("address"),
    Column.of("detail"),
)


@click.command()
@click.option(
    "--limit",
    type=click.IntRange(1, _MOST),
    default=50,
    metavar="N",
    help=f"At most so many, up to {_MOST}; 50 if not given.",
)
@click.option("--subnet", "network", type=NETWORK, help="Only what happened in this subnet.")
@click.option("--address", type=ADDRESS, help="Only what happened to this address.")
@click.option("--group", default="", metavar="G", help="Group of the subnet; without it all groups are searched.")
@json_option
@pass_session
def events(
    session: Session, limit: int, network: IPNetwork | None, address: IPAddress | None, group: str, as_json: bool
) -> None:
    """Show who changed what, the latest first."""
    if group and network is None:
        raise click.UsageError("--group says which --subnet is meant: add --subnet")
    book = session.book
    subnet = None if network is None else book.subnet(network, group)
    found = book.events(limit=limit, subnet=subnet, address=address)
    listing((event_row(event) for event in found), _COLUMNS, as_json=as_json, empty="No events.")
