"""``leasehold subnet``: what the book hands addresses out of."""

from __future__ import annotations

import click
from netaddr import IPNetwork

from providers.address_book import subnet_spec
from providers.errors import Conflict
from providers.model import Occupancy, SubnetSpec
from proxy.commands.output import Column, details, json_option, listing, text
from proxy.commands.parameters import group_option, network_argument
from proxy.commands.sample_subnets import SAMPLE
from proxy.commands.session import Session, pass_session
from proxy.commands.subnet_options import described, subnet_options, typed
from proxy.commands.subnet_remarks import about_gateway, about_new, around
from proxy.rows import label, subnet_row

_COLUMNS = (
    Column.of("network", "Subnet"),
    Column.of("group"),
    Column.of("description"),
    Column.of("dhcp", "/dhcp"),
    Column.of("reserved", right=True),
    Column.of("held", right=True),
    Column.of("free", right=True),
)
_TITLES = {
    "network": "Subnet",
    "dhcp": "On /dhcp",
    "dynamic": "Dynamic range",
    "dns": "Name servers",
    "ntp": "Time servers",
    "mtu": "MTU",
    "next_server": "Boot server",
    "filename": "Boot file",
    "id": "ID",
}


@click.group()
def subnet() -> None:
    """Add, list, change and remove subnets."""


@subnet.command()
@network_argument
@click.option(
    "--group", default="default", metavar="G", help='Group to put it in, made when it is new; "default" if not given.'
)
@subnet_options
@click.pass_context
def add(ctx: click.Context, /, network: IPNetwork, group: str, **options: object) -> None:
    """Add a subnet.

    Its network and broadcast address, gateway and name servers are never handed out.
    """
    session = ctx.ensure_object(Session)
    spec = described(SubnetSpec(network=network, group=group), typed(ctx, options))
    outer = around(session.book, network, group)
    added = session.book.add_subnet(spec, session.caller)
    free = session.book.occupancy(added).free
    click.echo(f"Added {label(added)}; free addresses: {text(free)}. Ask for one: leasehold address next {network}")
    for remark in about_new(added, spec, outer):
        click.echo(remark, err=True)


@subnet.command("list")
@click.option("--group", default="", metavar="G", help="Only the subnets of this group.")
@json_option
@pass_session
def list_(session: Session, group: str, as_json: bool) -> None:
    """List subnets and how full they are."""
    book = session.book
    rows = (subnet_row(found, book.occupancy(found)) for found in book.subnets(group=group))
    empty = f"Group {group} has no subnets." if group else "No subnets. Add one: leasehold subnet add 10.0.1.0/24"
    listing(rows, _COLUMNS, as_json=as_json, empty=empty)


@subnet.command()
@network_argument
@group_option
@json_option
@pass_session
def show(session: Session, network: IPNetwork, group: str, as_json: bool) -> None:
    """Show everything about one subnet."""
    found = session.book.subnet(network, group)
    details(subnet_row(found, session.book.occupancy(found)), _TITLES, as_json=as_json)


@subnet.command("set")
@network_argument
@group_option
@subnet_options
@click.pass_context
def set_(ctx: click.Context, /, network: IPNetwork, group: str, **options: object) -> None:
    """Change a subnet.

    What is not given stays as it is; an empty text takes a value away: --gateway "". Exclusions, name servers and
    time servers are replaced as a whole. The network and the group cannot change.
    """
    session = ctx.ensure_object(Session)
    changes = typed(ctx, options)
    if not changes:
        raise click.UsageError("Nothing to change: give at least one option, for example --domain example.com")
    found = session.book.only_subnet(network, group)
    changed = session.book.change_subnet(found, described(subnet_spec(found), changes), session.caller)
    click.echo(f"Changed {label(changed)}; see it with: leasehold subnet show {changed.network}")
    if "gateway" in changes and (remark := about_gateway(changed)):
        click.echo(remark, err=True)


@subnet.command()
@network_argument
@group_option
@click.option("--force", is_flag=True, help="Also when something in it is reserved or held; that is lost.")
@pass_session
def remove(session: Session, network: IPNetwork, group: str, force: bool) -> None:
    """Remove a subnet.

    One with anything in it is only removed with --force; the refusal counts what is there.
    """
    found = session.book.only_subnet(network, group)
    gone = session.book.remove_subnet(found, session.caller, force=force)
    click.echo(f"Removed {label(found)}{_lost(gone)}.")


@subnet.command()
@click.option("--if-empty", is_flag=True, help="Do nothing and say nothing when there are subnets already.")
@pass_session
def sample(session: Session, if_empty: bool) -> None:
    """Add a small sample to try things with: two groups, IPv4 and IPv6."""
    book = session.book
    if if_empty and book.subnets():
        return
    for spec in SAMPLE:
        try:
            added = book.add_subnet(spec, session.caller)
        except Conflict as error:
            click.echo(f"Left out {spec.network}: {error}", err=True)
        else:
            click.echo(f"Added {label(added)}")
    click.echo(f"Try: leasehold address next {SAMPLE[0].network}")


def _lost(gone: Occupancy) -> str:
    counted = [f"{count} {what}" for count, what in ((gone.reserved, "reserved"), (gone.held, "held")) if count]
    return f" and what was in it: {', '.join(counted)}" if counted else ""
