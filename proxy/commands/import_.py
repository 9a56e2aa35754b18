"""``leasehold import``: bring in what a DHCP server or a CSV file has."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from netaddr import IPAddress

from providers.address_book.incoming import Incoming, IncomingAddress, IncomingSubnet, Plan
from providers.errors import Conflict
from proxy.commands.output import Column, listing, text
from proxy.commands.parameters import NAME
from proxy.commands.session import Session, pass_session

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from providers.dhcp.isc.grammar import Place, Statement
    from providers.dhcp.isc.survey import Remark

_Noun = tuple[str, str]
"""A word for one of them, and for several."""
_PATIENCE = 1.0
_REFUSED = 1
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_SUBNETS = (
    Column.of("subnet"),
    Column.of("gateway"),
    Column.of("dynamic", "Dynamic range"),
    Column.of("exclusions"),
    Column.of("origin", "From"),
)
_ADDRESSES = (
    Column.of("address"),
    Column.of("name"),
    Column.of("mac", "MAC"),
    Column.of("filename", "Boot file"),
    Column.of("next_server", "Boot server"),
    Column.of("origin", "From"),
)

_apply_option = click.option(
    "--apply/--dry-run", default=False, help="Do it; without it the plan is shown and nothing changes."
)


@click.group("import")
def import_() -> None:
    """Bring in what another system has; shows a plan first."""


@import_.command()
@click.argument("configuration", type=_FILE, metavar="DHCPD.CONF")
@click.argument("leases", type=_FILE, metavar="[DHCPD.LEASES]", required=False)
@click.option("--group", type=NAME, default="default", metavar="G", help="Group to put the subnets in, made when new.")
@_apply_option
@pass_session
@click.pass_context
def isc(
    ctx: click.Context, session: Session, configuration: Path, leases: Path | None, group: str, *, apply: bool
) -> None:
    """Import subnets and hosts of an ISC dhcpd.

    From the leases file come the host objects made and deleted through OMAPI; leases are shown, not imported. What
    cannot come in is listed with file and line, and the exit code is 1; the rest comes in nevertheless. Running it
    again changes nothing.
    """
    from providers.dhcp.isc.grammar import read
    from providers.dhcp.isc.leases import written
    from providers.dhcp.isc.survey import survey

    now = session.local_book.clock()
    kept = None
    if leases is not None:
        with _Bar("Reading leases") as bar:
            kept = written(_watched(read(leases, torn=True), leases, bar), now)
    found = survey(read(configuration), kept, group=group)
    problems = [f"{remark.place}: {remark.text}" for remark in found.problems]
    leased = [lease.address for lease in found.leases]
    _bring_in(ctx, session, found.incoming, problems, _gathered(found.unused), "dhcpd", leased, apply=apply)


@import_.command()
@click.argument("configuration", type=_FILE, metavar="DNSMASQ.CONF")
@click.argument("leases", type=_FILE, metavar="[DNSMASQ.LEASES]", required=False)
@click.option("--group", type=NAME, default="default", metavar="G", help="Group to put the subnets in, made when new.")
@_apply_option
@pass_session
@click.pass_context
def dnsmasq(
    ctx: click.Context, session: Session, configuration: Path, leases: Path | None, group: str, *, apply: bool
) -> None:
    """Import subnets and hosts of a dnsmasq.

    The files that dnsmasq.conf names are read too. Leases are shown, not imported. What cannot come in is listed with
    file and line, and the exit code is 1; the rest comes in nevertheless. Running it again changes nothing.
    """
    from providers.dhcp.dnsmasq.grammar import read
    from providers.dhcp.dnsmasq.leases import LeasesFile
    from providers.dhcp.dnsmasq.survey import survey

    found = survey(read(configuration), group=group)
    active = [] if leases is None else list(LeasesFile(leases, session.local_book.clock).all())
    problems = [f"{remark.place}: {remark.text}" for remark in found.problems]
    leased = [lease.address for lease in active]
    _bring_in(ctx, session, found.incoming, problems, _gathered(found.unused), "dnsmasq", leased, apply=apply)


@import_.command()
@click.argument("configuration", type=_FILE, metavar="KEA-DHCP4.CONF")
@click.option("--group", type=NAME, default="default", metavar="G", help="Group to put the subnets in, made when new.")
@_apply_option
@pass_session
@click.pass_context
def kea(ctx: click.Context, session: Session, configuration: Path, group: str, *, apply: bool) -> None:
    """Import subnets and reservations of a Kea.

    From its configuration file, with what that includes, or from the answer to config-get. What cannot come in is
    listed, and the exit code is 1; the rest comes in nevertheless. Running it again changes nothing.
    """
    from providers.dhcp.kea.grammar import read
    from providers.dhcp.kea.survey import survey

    found = survey(read(configuration), group=group)
    _bring_in(ctx, session, found.incoming, found.problems, found.unused, "Kea", (), apply=apply)


@import_.command("csv")
@click.argument("file", type=_FILE, metavar="FILE")
@_apply_option
@pass_session
def csv_(session: Session, file: Path, *, apply: bool) -> None:
    """Import addresses from a CSV file into subnets that are there.

    The first line names the columns: address, name, mac, hostname, filename, next_server, description, note, uses,
    subnet, group; only address is needed. When anything is wrong nothing is imported. Running it again changes nothing.
    """
    from proxy.commands.csv_rows import read_csv

    incoming = Incoming(addresses=tuple(read_csv(file)))
    with _Bar("Importing") as bar:
        plan = _carried_out(session, incoming, bar, apply=apply, whole=True)
    if plan.clashes:
        _list("Wrong", [f"{clash.origin}: {clash.text}" for clash in plan.clashes])
        raise Conflict(f"{len(plan.clashes)} lines cannot be imported, so nothing would be")
    _show(plan, ("address", "addresses"), apply=apply)
    _advise(plan, apply=apply)


def _bring_in(
    ctx: click.Context,
    session: Session,
    incoming: Incoming,
    problems: Iterable[str],
    unused: Iterable[str],
    server: str,
    leased: Sequence[IPAddress],
    *,
    apply: bool,
) -> None:
    """Import what a DHCP server has, or show what would come; tell what cannot come, and end with 1 then."""
    with _Bar("Importing") as bar:
        plan = _carried_out(session, incoming, bar, apply=apply, whole=False)
    _show(plan, ("host", "hosts"), apply=apply)
    if leased:
        click.echo(f"\nActive leases, which stay with {server} ({len(leased)}): {', '.join(map(str, leased))}")
    _list("Left out", [f"{clash.origin}: {clash.text}" for clash in plan.clashes])
    _list("Please look at", list(problems))
    _list("Not used", list(unused))
    _advise(plan, apply=apply)
    if plan.clashes:
        ctx.exit(_REFUSED)


def _carried_out(session: Session, incoming: Incoming, bar: _Bar, *, apply: bool, whole: bool) -> Plan:
    if not apply:
        return session.local_book.plan_import(incoming)
    return session.local_book.apply_import(incoming, session.caller, whole=whole, progress=bar.advance)


def _watched(statements: Iterable[Statement], path: Path, bar: _Bar) -> Iterator[Statement]:
    """The statements, the bar following their lines; leases files have no includes."""
    try:
        lines = path.read_bytes().count(b"\n")
    except OSError:
        lines = 0
    for statement in statements:
        bar.advance(min(statement.place.line, lines), lines)
        yield statement
    bar.advance(lines, lines)


class _Bar:
    """A progress bar for whatever takes longer than a second, where somebody is watching."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begin = time.monotonic()
        self._bar: ProgressBar[Any] | None = None

    def advance(self, done: int, total: int) -> None:
        """``done`` of ``total``."""
        if self._bar is None:
            if time.monotonic() - self._begin < _PATIENCE or not sys.stderr.isatty():
                return
            self._bar = click.progressbar(length=total, label=self._label, file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            with suppress(OSError):
                self._bar.render_finish()


def _show(plan: Plan, what: _Noun, *, apply: bool) -> None:
    """What was done in numbers, or what would be done in full."""
    if not apply:
        if plan.new_subnets:
            listing(map(_subnet_row, plan.new_subnets), _SUBNETS, as_json=False, empty="")
            click.echo()
        if plan.new_addresses:
            listing(map(_address_row, plan.new_addresses), _ADDRESSES, as_json=False, empty="")
            click.echo()
    added = "Added" if apply else "To add"
    there = _counted(plan.same_subnets, plan.same_addresses, what)
    click.echo(f"{added}: {_counted(len(plan.new_subnets), len(plan.new_addresses), what)}; there already: {there}.")


def _counted(subnets: int, others: int, what: _Noun) -> str:
    return ", ".join(
        f"{number} {one if number == 1 else several}"
        for number, (one, several) in ((subnets, ("subnet", "subnets")), (others, what))
    )


def _advise(plan: Plan, *, apply: bool) -> None:
    if not (plan.changes or plan.same_subnets or plan.same_addresses or plan.clashes):
        click.echo("\nNothing was found that could be imported. Is it the right file?", err=True)
    elif not apply:
        click.echo(
            "\nNothing was changed. To do it, add --apply." if plan.changes else "\nThere is nothing to do.", err=True
        )


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        click.echo(f"\n{title} ({len(lines)}):")
        for line in lines:
            click.echo(f"  {text(line)}")


def _gathered(remarks: Iterable[Remark]) -> Iterable[str]:
    """One line for each statement, with all its places: ``max-lease-time: dhcpd.conf:3, dhcpd.conf:17``."""
    places: dict[str, list[Place]] = defaultdict(list)
    for remark in remarks:
        places[remark.text].append(remark.place)
    for what, where in places.items():
        yield f"{what}: {', '.join(map(str, where))}"


def _subnet_row(incoming: IncomingSubnet) -> dict[str, Any]:
    spec = incoming.spec
    return {
        "subnet": str(spec.network),
        "gateway": spec.options.gateway and str(spec.options.gateway),
        "dynamic": spec.dynamic and str(spec.dynamic),
        "exclusions": list(map(str, spec.exclusions)),
        "origin": incoming.origin,
    }


def _address_row(incoming: IncomingAddress) -> dict[str, Any]:
    host = incoming.host
    return {
        "address": str(incoming.address),
        "name": host.name if host else incoming.name,
        "mac": host.mac if host else incoming.mac,
        "filename": host and host.filename,
        "next_server": host and host.next_server,
        "origin": incoming.origin,
    }
