"""``leasehold-hook iocage``: ``alloc NAME`` for ``iocage create``, and what the ``exec_*`` properties run.

A failing ``poststart`` stops the jail and a failing ``prestop`` keeps it from stopping, so the status is 0 whatever
happens; ``prestart --strict`` alone may refuse a start (guest-hooks, section 6).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from hooks.addresses import Address
from hooks.errors import HookError
from hooks.iocage.jail import Jail, read_jail, root_of
from hooks.journal import Journal, journal_of
from hooks.real_dhcp import address_by_mac
from hooks.report import Reporter, Sent, reporter
from hooks.settings import Settings, load

EMULATOR = "iocage"
ALLOC = "alloc"
STRICT = "--strict"
_FAILED, _WRONG_USAGE = 1, 2
_USAGE = (
    "usage: leasehold-hook iocage alloc NAME [--interface IFACE] [--subnet CIDR | -6]\n"
    "       leasehold-hook iocage prestart|poststart|prestop|poststop NAME [--strict]"
)


def run(arguments: Sequence[str]) -> int:
    """Run one of them; returns 0, or 1 for ``alloc`` and for ``prestart --strict`` when it cannot be done."""
    action, rest = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if action == ALLOC:
        return _alloc(rest)
    if action not in EVENTS:
        print(_USAGE, file=sys.stderr)  # noqa: T201 - a command talks
        return _WRONG_USAGE
    return _event(action, [each for each in rest if each != STRICT], strict=STRICT in rest)


def _alloc(arguments: list[str]) -> int:
    # Imported here: the properties of every jail that starts do without argparse.
    from hooks.iocage.allocation import allocate

    journal = Journal("iocage alloc")
    try:
        settings = load()
        journal = journal_of(settings, "iocage alloc")
        print(allocate(arguments, settings, journal))  # noqa: T201
    except HookError as error:
        journal.loud(str(error))
        return _FAILED
    return 0


def _event(event: str, names: list[str], *, strict: bool) -> int:
    journal = Journal(f"iocage {event}")
    sent: Sent | None = None
    try:
        settings = load()
        journal = journal_of(settings, f"iocage {event}")
        if len(names) == 1:
            sent = _report(event, names[0], settings, journal)
        else:
            journal.loud(f"exec_{event} has to name its one jail: leasehold-hook iocage {event} NAME")
    except HookError as error:
        journal.loud(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop a jail that runs
        journal.loud(f"exec_{event}: {type(error).__name__}, which is a mistake of leasehold-hook")
    refused = sent in (None, Sent.REFUSED, Sent.LOST)
    return _FAILED if strict and event == "prestart" and refused else 0


def _report(event: str, name: str, settings: Settings, journal: Journal) -> Sent:
    # Before looking: a report says what was so at its moment.
    report = reporter(settings, journal, os.environ)
    jail = read_jail(root_of(settings), name, settings.shared_addresses)
    if jail.is_template:
        return Sent.WITHOUT_EFFECT
    return EVENTS[event](settings, report, jail)


def _whole(settings: Settings, report: Reporter, jail: Jail, state: str) -> Sent:
    """Report everything that is known about a jail: all of its addresses, or nothing about them."""
    listed: list[Address] | None = list(jail.addresses)
    if not jail.known:
        leased = _leased(settings, report, jail)
        listed = None if leased is None else [*jail.addresses, *leased]
    return report.whole(
        jail.name,
        emulator=EMULATOR,
        hostname=jail.hostname,
        state=state,
        addresses=None if listed is None else [each.as_reported() for each in listed],
        nics=jail.reported_nics(),
    )


def _leased(settings: Settings, report: Reporter, jail: Jail) -> list[Address] | None:
    """What a DHCP server is to give the cards that ask; None unless there is an address for each of them."""
    leased: list[Address] = []
    for card in jail.asking:
        found = address_by_mac(settings, report, jail.name, [jail.nics[card]])
        if not found:
            return None
        leased += [each._replace(nic=card) for each in found]
    return leased or None


def _starting(settings: Settings, report: Reporter, jail: Jail) -> Sent:
    return _whole(settings, report, jail, "starting")


def _started(settings: Settings, report: Reporter, jail: Jail) -> Sent:
    return _whole(settings, report, jail, "running")


def _stopping(_settings: Settings, _report: Reporter, _jail: Jail) -> Sent:
    """It still runs; poststop follows."""
    return Sent.WITHOUT_EFFECT


def _stopped(_settings: Settings, report: Reporter, jail: Jail) -> Sent:
    return report.state(jail.name, "stopped")


EVENTS: dict[str, Callable[[Settings, Reporter, Jail], Sent]] = {
    "prestart": _starting,
    "poststart": _started,
    "prestop": _stopping,
    "poststop": _stopped,
}
"""What each ``exec_*`` property is for."""
