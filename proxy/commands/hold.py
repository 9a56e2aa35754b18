"""``leasehold hold``: addresses that are promised but not yet reserved."""

from __future__ import annotations

import click
from netaddr import IPAddress, IPNetwork

from proxy.commands.output import Column, json_option, listing
from proxy.commands.parameters import address_argument, group_option, optional_network_argument
from proxy.commands.session import Session, pass_session
from proxy.rows import hold_row, label

_COLUMNS = (
    Column.of("address"),
    Column.of("subnet"),
    Column.of("group"),
    Column.of("key"),
    Column.of("mac", "MAC"),
    Column.of("taken_at", "Taken"),
    Column.of("expires_at", "Expires"),
)


@click.group()
def hold() -> None:
    """List and release holds: promised, not yet reserved."""


@hold.command("list")
@optional_network_argument
@group_option
@json_option
@pass_session
def list_(session: Session, network: IPNetwork | None, group: str, as_json: bool) -> None:
    """List the holds that have not expired, in one subnet or in all."""
    book = session.book
    if network is not None:
        found = book.holds(book.subnet(network, group))
    elif group:
        found = [held for subnet in book.subnets(group=group) for held in book.holds(subnet)]
    else:
        found = book.holds()
    listing(
        (hold_row(held) for held in found),
        _COLUMNS,
        as_json=as_json,
        empty="Nothing is held. Ask for an address: leasehold address next CIDR",
    )


@hold.command()
@address_argument
@group_option
@pass_session
def release(session: Session, address: IPAddress, group: str) -> None:
    """Release the hold on an address, so that it can be offered to others."""
    subnet = session.book.subnet_of(address, group)
    released = session.book.release_hold(subnet, address, session.caller)
    click.echo(f"Released the hold of {released.key} on {address} in {label(subnet)}.")
