"""``leasehold check``: is the book sound, and what would make it so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from providers.book.soundness.finding import Finding
from proxy.commands.output import Column, Row, json_option, listing
from proxy.commands.session import Session, pass_session

_COLUMNS = (
    Column.of("kind"),
    Column.of("subnet"),
    Column.of("group"),
    Column.of("what"),
    Column("What to do", lambda row: f"--repair {row['repair']}" if row["repair"] else f"decide: {row['advice']}"),
)
_ROUNDS = 5
_SOUND = "The book is sound."


@click.command()
@click.option("--repair", is_flag=True, help="Repair what can be repaired, after showing it and asking.")
@click.option("--yes", is_flag=True, help="Repair without asking.")
@json_option
@pass_session
def check(session: Session, repair: bool, yes: bool, as_json: bool) -> None:
    """Look for anything in the book that is not as it has to be.

    The free space is compared with what is taken, uses with DHCP hosts, holds with reservations, subnets with each
    other, and the book with the IPAM upstream if there is one. Ends with exit code 1 when something is found.
    """
    if repair and as_json and not yes:
        raise click.UsageError("--repair asks before it does anything: with --json, add --yes")
    if repair and as_json:
        _repair(session)
        repair = False
    seen = _show(session, as_json=as_json)
    # What blocked the look at the rest may have hidden more, which is shown and asked about in its turn.
    for _ in range(_ROUNDS if repair else 0):
        if not seen.repairable:
            break
        if not yes:
            click.confirm(f"Repair {_findings(seen.repairable)} now?", abort=True)
        _repair(session)
        seen = _show(session, as_json=False)
    if seen.count:
        click.get_current_context().exit(1)


class _Seen:
    """Findings on their way to the table: how many there are, and how many can be repaired."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = findings
        self.count = 0
        self.repairable = 0
        self.blocked = False

    def rows(self) -> Iterator[Row]:
        """One row for each."""
        for finding in self._findings:
            self.count += 1
            self.repairable += finding.repair is not None
            self.blocked |= finding.blocks
            yield finding_row(finding)


def finding_row(finding: Finding) -> dict[str, Any]:
    """The JSON shape of a finding; ``repair`` is null where a person has to decide."""
    subnet = finding.subnet
    return {
        "kind": finding.kind,
        "what": finding.what,
        "subnet": None if subnet is None else str(subnet.network),
        "group": None if subnet is None else subnet.group.name,
        "address": None if finding.address is None else str(finding.address),
        "repair": None if finding.repair is None else finding.repair.does,
        "advice": finding.advice,
    }


def _repair(session: Session) -> None:
    done = session.local_book.repair(session.caller)
    click.echo(f"Repaired {_findings(len(done))}. See leasehold events.", err=True)


def _show(session: Session, *, as_json: bool) -> _Seen:
    seen = _Seen(session.local_book.check())
    listing(seen.rows(), _COLUMNS, as_json=as_json, empty=_SOUND)
    if seen.count:
        click.echo(f"{_findings(seen.count)}, {seen.repairable} of which --repair can put right.", err=True)
    if seen.blocked:
        click.echo("The rest of the book can be looked at after that is put right.", err=True)
    return seen


def _findings(number: int) -> str:
    return "1 finding" if number == 1 else f"{number} findings"
