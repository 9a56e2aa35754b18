"""The hook of all CBSD hook directories: what happens to a guest, told to the service (guest-hooks, section 3).

The event is the directory that the program is linked into. Standard input belongs to CBSD and is never read. The status
is always 0: CBSD ignores it, and a guest that has its address starts and stops whether we are there or not (rule 17).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from hooks.addresses import Address
from hooks.cbsd.guest import CBSDGuest, read_guest
from hooks.cbsd.running import is_running
from hooks.errors import HookError
from hooks.journal import Journal, journal_of
from hooks.real_dhcp import address_by_mac
from hooks.report import Reporter, Sent, reporter
from hooks.settings import Settings, load

STARTING, RUNNING, STOPPED = "starting", "running", "stopped"


def run(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Tell the service about one event, the name of its directory being the argument; returns 0."""
    event = arguments[0].removesuffix("/") if arguments else ""
    journal = Journal(f"cbsd {event}")
    try:
        settings = load(environment)
        journal = journal_of(settings, f"cbsd {event}")
        happened = EVENTS.get(event)
        if happened is None:
            journal.loud(f"there is nothing to do in {event or 'no hook directory'}; linked are {', '.join(EVENTS)}")
            return 0
        guest = read_guest(environment, settings.shared_addresses)
        if guest is None:
            journal.loud("CBSD named no guest (jname is not set)")
            return 0
        happened(settings, reporter(settings, journal, environment), guest)
    except HookError as error:
        journal.loud(str(error))
    return 0


def _created(settings: Settings, report: Reporter, guest: CBSDGuest) -> None:
    """Without a state: for a jail that is set to run as an application this comes after its first start."""
    _whole(settings, report, guest, None)
    if settings.claims and not is_running(guest):
        # mnt_start has claimed it to make its data, and mnt_stop never comes.
        report.unclaim(guest.name)


def _starting(settings: Settings, report: Reporter, guest: CBSDGuest) -> None:
    _whole(settings, report, guest, STARTING)


def _started(settings: Settings, report: Reporter, guest: CBSDGuest) -> None:
    """CBSD comes here after a failed start too."""
    if guest.has_started:
        _whole(settings, report, guest, RUNNING)
    else:
        report.state(guest.name, STOPPED)


def _stopping(settings: Settings, report: Reporter, guest: CBSDGuest) -> None:
    """It still runs; poststop follows."""


def _stopped(settings: Settings, report: Reporter, guest: CBSDGuest) -> None:
    """Never creates and never releases: it also comes after the guest was removed, and twice for bhyve.

    Of a copy it comes when that is removed, long after the guest has started elsewhere. It says nothing about the
    guest, and delivered before the start there it would make that one late.
    """
    if guest.is_slave:
        report.journal.info(f"guest {guest.name}: this node has a copy of what another one has")
        return
    report.state(guest.name, STOPPED)
    if settings.claims:
        report.unclaim(guest.name)


def _removed(settings: Settings, report: Reporter, guest: CBSDGuest) -> None:
    if guest.is_slave:
        report.journal.info(f"guest {guest.name}: a copy of what another node has was removed")
        return
    report.gone(guest.name)


def _cloned(settings: Settings, report: Reporter, guest: CBSDGuest) -> None:
    """The variables are those of the old guest; the new one reports itself when it starts, or ``sync`` does."""


EVENTS: Mapping[str, Callable[[Settings, Reporter, CBSDGuest], None]] = {
    "master_create.d": _created,
    "master_prestart.d": _starting,
    "master_poststart.d": _started,
    "master_prestop.d": _stopping,
    "master_poststop.d": _stopped,
    "remove.d": _removed,
    "clone.d": _cloned,
}
"""What each hook directory means."""


def _whole(settings: Settings, report: Reporter, guest: CBSDGuest, state: str | None) -> Sent:
    listed, known = _addresses(settings, report, guest, state)
    return report.whole(
        guest.name,
        emulator=guest.emulator,
        hostname=guest.hostname,
        state=state,
        addresses=[each.as_reported() for each in listed] if known else None,
        nics=[nic.as_reported() for nic in guest.nics] if guest.nics and guest.has_cards else None,
    )


def _addresses(
    settings: Settings, report: Reporter, guest: CBSDGuest, state: str | None
) -> tuple[list[Address], bool]:
    """The addresses of a guest, and whether those are all that it is to have: nothing is released on a guess.

    The MACs are final when it starts, not before; an address that could not be had then is asked for once it runs.
    """
    listed = list(guest.addresses.listed)
    if guest.addresses.unread:
        unread = ", ".join(guest.addresses.unread)[:200]
        report.journal.loud(f"guest {guest.name}: ip4_addr has what is no address, so none of it is recorded: {unread}")
        return listed, False
    cards = guest.served_cards
    if not cards:
        return listed, bool(listed)
    if state is None:
        return listed, False
    for nic in cards:
        found = address_by_mac(settings, report, guest.name, [nic.mac])
        if not found:
            return listed, False
        listed += [each._replace(nic=nic.name) for each in found]
    return listed, True
