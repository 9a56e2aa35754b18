"""``leasehold address``: what is taken, what comes next, and taking and giving back by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from netaddr import IPAddress, IPNetwork

from providers.address_book.amending import UNSET
from providers.address_book.serving import host_for, span_between
from providers.model import Asker, Reservation, Use
from proxy.commands.address_facts import facts, lines
from proxy.commands.output import Column, Row, details, json_option, listing
from proxy.commands.parameters import (
    ADDRESS,
    DESCRIPTION,
    MAC,
    NAME,
    NETWORK,
    TEXT,
    address_argument,
    group_option,
    network_argument,
    optional_network_argument,
)
from proxy.commands.session import Session, pass_session
from proxy.rows import label, reservation_row

if TYPE_CHECKING:
    from proxy.commands.session import Desk

_A_YEAR = 365 * 24 * 60


def _macs(row: Row) -> list[str]:
    every = [row["mac"], *(host["mac"] for host in row["hosts"])]
    return list(dict.fromkeys(mac for mac in every if mac))


_COLUMNS = (
    Column.of("address"),
    Column.of("group"),
    Column.of("name"),
    Column("MAC", _macs),
    Column("Uses", lambda row: list(row["uses"])),
    Column.of("note"),
    Column.of("changed_at", "Changed"),
)

_TITLES = {
    "mac": "MAC",
    "hosts": "DHCP hosts",
    "taken_at": "Held since",
    "expires_at": "Held until",
    "created_at": "Reserved",
    "changed_at": "Changed",
}


@click.group()
def address() -> None:
    """List, ask for, reserve and release addresses."""


@address.command("list")
@optional_network_argument
@group_option
@json_option
@pass_session
def list_(session: Session, network: IPNetwork | None, group: str, as_json: bool) -> None:
    """List what is reserved, in one subnet or in all; address show tells of a single address."""
    rows = (reservation_row(found) for found in _reservations(session.book, network, group))
    empty = "Nothing is reserved. Take an address: leasehold address reserve ADDRESS --name NAME"
    listing(rows, _COLUMNS, as_json=as_json, empty=empty)


@address.command()
@address_argument
@group_option
@json_option
@pass_session
def show(session: Session, address: IPAddress, group: str, as_json: bool) -> None:
    """Show who has one address, or whom it is held for."""
    row = facts(session.book, address, group)
    details(row if as_json else lines(row), _TITLES, as_json=as_json)


@address.command("next")
@network_argument
@group_option
@click.option("--mac", type=MAC, help="For this MAC: asking again gives the same address.")
@click.option("--key", metavar="K", help="For whoever this names; goes before the MAC.")
@click.option("--from", "first", type=ADDRESS, metavar="A", help="No address below this one.")
@click.option("--to", "last", type=ADDRESS, metavar="B", help="No address above this one.")
@click.option(
    "--ttl",
    type=click.IntRange(1, _A_YEAR),
    metavar="MIN",
    help="Hold it at least this long, in minutes; at most a year.",
)
@pass_session
def next_(
    session: Session,
    network: IPNetwork,
    group: str,
    mac: str | None,
    key: str | None,
    first: IPAddress | None,
    last: IPAddress | None,
    ttl: int | None,
) -> None:
    """Hold the next free address and print it, nothing else.

    Nobody else is offered it until the hold expires. A MAC that is reserved there already gets the address that it
    has. Without --mac and --key every call takes another address.
    """
    subnet = session.book.subnet(network, group)
    held = session.book.suggest(
        subnet,
        Asker(key=key, mac=mac),
        session.caller,
        span=span_between(subnet, first, last),
        ttl=None if ttl is None else timedelta(minutes=ttl),
    )
    click.echo(held)
    if sys.stdout.isatty() and session.book.reservation(subnet, held) is None:
        click.echo(f"Held. Keep it: leasehold address reserve {held} --name NAME", err=True)


@address.command()
@click.argument("address", type=ADDRESS, metavar="[ADDRESS]", required=False)
@click.option("--next", "network", type=NETWORK, help="Instead of ADDRESS: whichever is free in this subnet.")
@group_option
@click.option("--name", type=NAME, help="Name of what has the address.")
@click.option("--mac", type=MAC, help="Its MAC; in a subnet on /dhcp it also gets a DHCP host, called --name.")
@click.option("--description", type=DESCRIPTION, help="What has the address, in a few words.")
@click.option("--note", type=TEXT, help="A few words for people.")
@click.option("--key", metavar="K", help="With --next: the same key gets the same address again.")
@click.option("--from", "first", type=ADDRESS, metavar="A", help="With --next: no address below this one.")
@click.option("--to", "last", type=ADDRESS, metavar="B", help="With --next: no address above this one.")
@pass_session
def reserve(
    session: Session,
    address: IPAddress | None,
    network: IPNetwork | None,
    group: str,
    name: str | None,
    mac: str | None,
    description: str | None,
    note: str | None,
    key: str | None,
    first: IPAddress | None,
    last: IPAddress | None,
) -> None:
    """Reserve one address by hand, or with --next the next free one and print it, nothing else.

    Excluded addresses and those outside the pool can be reserved too, by naming them. A hold on the address is
    overruled.
    """
    if network is not None and address is None:
        subnet = session.book.subnet(network, group)
        host = host_for(subnet, mac, name)
        taken = session.book.allocate(
            subnet, Asker(key=key, mac=mac), Use.MANUAL, session.caller, span=span_between(subnet, first, last),
            name=name, mac=mac, description=description, note=note, host=host, once=True,
        )  # fmt: skip
        click.echo(taken.address)
        return
    if address is None or network is not None:
        raise click.UsageError("Say which one: give ADDRESS, or --next with a subnet")
    if any(each is not None for each in (key, first, last)):
        raise click.UsageError("--key, --from and --to go with --next")
    subnet = session.book.subnet_of(address, group)
    host = host_for(subnet, mac, name)
    session.book.reserve(
        subnet, address, Use.MANUAL, session.caller,
        name=name, mac=mac, description=description, note=note, host=host,
    )  # fmt: skip
    served = f", with a DHCP host for {mac}" if host else ""
    click.echo(f"Reserved {address}{f' for {name}' if name else ''} in {label(subnet)}{served}.")


@address.command("set")
@address_argument
@group_option
@click.option("--name", type=NAME.or_empty(), help="Name of what has the address.")
@click.option("--mac", type=MAC.or_empty(), help="Its MAC.")
@click.option("--description", type=DESCRIPTION.or_empty(), help="What has the address, in a few words.")
@click.option("--note", type=TEXT.or_empty(), help="A few words for people.")
@click.pass_context
def set_(ctx: click.Context, /, address: IPAddress, group: str, **told: str | None) -> None:
    """Change what is told about a reserved address.

    What is not given stays as it is; an empty text takes a value away: --note "". Who has the address, and its DHCP
    hosts, stay.
    """
    session = ctx.ensure_object(Session)
    given = {key for key in told if ctx.get_parameter_source(key) is not ParameterSource.DEFAULT}
    if not given:
        raise click.UsageError("Nothing to change: give at least one option, for example --name web1")
    subnet = session.book.subnet_of(address, group)
    changes = {key: value if key in given else UNSET for key, value in told.items()}
    session.book.amend(subnet, address, session.caller, **changes)
    click.echo(f"Changed {address} in {label(subnet)}.")


@address.command()
@address_argument
@group_option
@pass_session
def adopt(session: Session, address: IPAddress, group: str) -> None:
    """Make an address ours that somebody else took in the IPAM upstream.

    Its row there gets our mark, and keeps its name, MAC and description. From then on it is released and described
    from here. Adopting what is ours already is no error. A row that is missing there, although the address is reserved
    here, is made again.
    """
    subnet = session.book.subnet_of(address, group)
    adopted = session.book.adopt(subnet, address, session.caller)
    click.echo(f"Adopted {_told(adopted)} in {label(subnet)}.")


@address.command()
@address_argument
@group_option
@pass_session
def release(session: Session, address: IPAddress, group: str) -> None:
    """Release an address: all its uses and DHCP hosts.

    It rests for a while before it is offered to others. Releasing what is free is no error.
    """
    subnet = session.book.subnet_of(address, group)
    released = session.book.release(subnet, session.caller, address=address)
    if not released:
        click.echo(f"{address} was not reserved in {label(subnet)}; nothing to release.")
        if any(hold.address == address for hold in session.book.holds(subnet)):
            click.echo(f"It is held. End that: leasehold hold release {address}")
    for reservation in released:
        click.echo(f"Released {_told(reservation)} in {label(subnet)}.")
    if any(Use.GUEST in reservation.uses for reservation in released):
        for guest in session.book.guests(address=address):
            named = f"{guest.cluster}/{guest.name}"
            advice = f"leasehold guest remove {named}"
            click.echo(f"Guest {named} gets it back with its next report. If the guest is gone: {advice}", err=True)


def _reservations(book: Desk, network: IPNetwork | None, group: str) -> Iterator[Reservation]:
    if network is not None:
        yield from book.reservations(book.subnet(network, group))
    elif group:
        for subnet in book.subnets(group=group):
            yield from (each for each in book.reservations(subnet) if each.subnet.network == subnet.network)
    else:
        yield from book.reservations()


def _told(reservation: Reservation) -> str:
    parts = [reservation.name, ", ".join(sorted(reservation.uses))]
    told = "; ".join(part for part in parts if part)
    return f"{reservation.address} ({told})" if told else str(reservation.address)
