"""``leasehold export``: the book as other programs read it."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from netaddr import IPNetwork

from providers.guests import Guest
from providers.model import Reservation, Subnet
from proxy.commands.csv_rows import COLUMNS
from proxy.commands.parameters import NETWORK, group_option
from proxy.commands.session import Session, pass_session
from proxy.rows import guest_row, reservation_row, subnet_row

if TYPE_CHECKING:
    from proxy.commands.session import Desk

_FILE = click.Path(path_type=Path, dir_okay=False)
_PAGE = 500
# A node may report what name it likes; localhost is every machine's own (RFC 6761, 6.3).
_HOST_NAME = re.compile(r"(?!localhost(?:\.|$))[a-z0-9]([a-z0-9._-]{0,252}[a-z0-9])?", re.ASCII | re.IGNORECASE)


@click.command()
@click.argument("form", type=click.Choice(["csv", "json", "hosts"]), metavar="csv|json|hosts")
@click.option("--subnet", "network", type=NETWORK, help="Only this subnet and those inside it.")
@group_option
@click.option("--output", type=_FILE, metavar="FILE", help="Write there, whole or not at all.")
@pass_session
def export(session: Session, form: str, network: IPNetwork | None, group: str, output: Path | None) -> None:
    """Print what is reserved: as a table, as JSON with subnets and guests, or as lines for /etc/hosts."""
    book = session.book
    subnets = _chosen(book, network, group)
    with _written(output) as file:
        if form == "csv":
            _csv(book, subnets, file)
        elif form == "json":
            _json(book, subnets, file, whole=network is None and not group)
        else:
            _hosts(book, subnets, file)
    if output is not None:
        click.echo(f"Written: {output}", err=True)


def _chosen(book: Desk, network: IPNetwork | None, group: str) -> list[Subnet]:
    if network is None:
        return book.subnets(group=group)
    subnet = book.subnet(network, group)
    return [each for each in book.subnets(group=subnet.group.name) if each.network in subnet.network]


def _reservations(book: Desk, subnets: list[Subnet]) -> Iterator[Reservation]:
    """The reservations of each subnet; those of the subnets inside it come with them, and only there."""
    for subnet in subnets:
        for reservation in book.reservations(subnet):
            if reservation.subnet.id != subnet.id:
                break
            yield reservation


def _csv(book: Desk, subnets: list[Subnet], file: TextIO) -> None:
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    for found in _reservations(book, subnets):
        uses = " ".join(sorted(found.uses))
        place = (found.description, found.note, uses, found.subnet.network, found.subnet.group.name)
        if not found.hosts:
            lines.writerow((found.address, found.name, found.mac, None, None, None, *place))
        for host in found.hosts:
            served = (host.name, host.mac, host.hostname, host.filename, host.next_server)
            lines.writerow((found.address, *served, *place))


def _guests(book: Desk, subnets: list[Subnet], *, whole: bool) -> Iterator[Guest]:
    """The guests that have an address in one of the subnets; of the whole book all of them."""
    after: tuple[str, str] | None = None
    while found := book.guests(after=after, limit=_PAGE):
        for guest in found:
            if whole or any(each.subnet in subnets for each in guest.addresses):
                yield guest
        after = (found[-1].cluster, found[-1].name)


def _json(book: Desk, subnets: list[Subnet], file: TextIO, *, whole: bool) -> None:
    described = (subnet_row(subnet, book.occupancy(subnet)) for subnet in subnets)
    reserved = (reservation_row(found) for found in _reservations(book, subnets))
    guests = (guest_row(found) for found in _guests(book, subnets, whole=whole))
    before = "{"
    for name, rows in (("subnets", described), ("reservations", reserved), ("guests", guests)):
        file.write(f'{before}"{name}": [')
        for number, row in enumerate(rows):
            file.write((",\n" if number else "\n") + json.dumps(row))
        before = "\n],\n"
    file.write("\n]}\n")


def _hosts(book: Desk, subnets: list[Subnet], file: TextIO) -> None:
    left_out = 0
    for found in _reservations(book, subnets):
        known = [name for host in found.hosts for name in (host.hostname, host.name)] + [found.name]
        names = list(dict.fromkeys(name for name in known if name and _HOST_NAME.fullmatch(name)))
        if names:
            file.write(f"{found.address}\t{' '.join(names)}\n")
        else:
            left_out += 1
    if left_out:
        click.echo(f"{left_out} addresses without a name that is fit for /etc/hosts are left out.", err=True)


@contextmanager
def _written(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that is put in its place when all of it is there."""
    if output is None:
        yield sys.stdout
        return
    try:
        with tempfile.TemporaryDirectory(prefix=".leasehold-export-", dir=output.parent) as directory:
            draft = Path(directory) / output.name
            with draft.open("w", encoding="utf-8", newline="") as file:
                yield file
            os.replace(draft, output)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
