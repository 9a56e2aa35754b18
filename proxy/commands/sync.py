"""``leasehold sync``: the DHCP server serves what the book says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from providers.address_book.syncing import Difference, Synced
from providers.model import DHCPHost
from proxy.commands.output import Column, Row, json_option, listing
from proxy.commands.session import Session, pass_session

_COLUMNS = (
    Column.of("subnet"),
    Column.of("change"),
    Column.of("address"),
    Column.of("mac", "MAC"),
    Column.of("name"),
    Column.of("differs"),
)
_EQUAL = "The DHCP server serves what the book says."
_FIELDS = ("address", "name", "hostname", "filename", "next_server", "options")


@click.command()
@click.option("--plan", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--force", is_flag=True, help="Change and remove as many hosts as it takes, whatever :sync_limit: says.")
@json_option
@pass_session
def sync(session: Session, plan: bool, force: bool, as_json: bool) -> None:
    """Compare the DHCP server with the book, and let it serve what the book says.

    Hosts that were given to it by others are left alone. When more would change or go than :sync_limit: allows,
    nothing is done. Ends with exit code 1 when something still differs.
    """
    if plan and force:
        raise click.UsageError("--plan changes nothing, so there is nothing to force")
    book = session.local_book
    if not book.dhcp.capabilities.publishes:
        listing((), _COLUMNS, as_json=as_json, empty=f"{book.dhcp.name}: there is no DHCP server to tell anything.")
        return
    if plan:
        listing(_rows(book.differences()), _COLUMNS, as_json=as_json, empty=_EQUAL)
        # It answers, and something may keep it from serving all the same, such as a line of its configuration.
        health = book.dhcp.health()
        if not health.ok:
            click.echo(f"But {book.dhcp.name}: {health.detail}", err=True)
        return
    done = book.sync(session.caller, most_percent=session.settings().dhcp.sync_limit, force=force)
    listing(_rows(each.difference for each in done), _COLUMNS, as_json=as_json, empty=_EQUAL)
    _tell_failures(done)


def _tell_failures(done: Iterable[Synced]) -> None:
    failures = [f"{each.difference.subnet}: {failure}" for each in done for failure in each.failures]
    for failure in failures:
        click.echo(f"Error: {failure}", err=True)
    if failures:
        click.get_current_context().exit(1)


def _rows(differences: Iterable[Difference]) -> Iterator[Row]:
    for each in differences:
        yield from (_row(each, "add", host) for host in each.missing)
        yield from (_row(each, "change", wanted, differing(served, wanted)) for served, wanted in each.changed)
        yield from (_row(each, "remove", host) for host in each.extra)
        yield from (_row(each, "confirm", host) for host in each.unconfirmed)
        yield from (_row(each, "finish deleting", host) for host in each.abandoned)


def _row(difference: Difference, change: str, host: DHCPHost, differs: str = "") -> dict[str, Any]:
    return {
        "subnet": str(difference.subnet.network),
        "group": difference.subnet.group.name,
        "change": change,
        "address": str(host.address),
        "mac": host.mac,
        "name": host.name,
        "differs": differs,
    }


def differing(served: DHCPHost, wanted: DHCPHost) -> str:
    """Which values of a host differ: ``filename old -> new``."""
    pairs = ((name, getattr(served, name), getattr(wanted, name)) for name in _FIELDS)
    return ", ".join(f"{name} {was or 'none'} -> {becomes or 'none'}" for name, was, becomes in pairs if was != becomes)
