"""``mnt_start`` and ``mnt_stop`` on shared storage: the claim first, then the site's own script.

CBSD runs ``mnt_start -d DATA -f FSTAB -j NAME -r RCCONF -s SYSTEM`` before it creates or starts a guest whose storage
is shared; ``-f`` is absent for virtual machines. Any status but 0 keeps the guest from being started
(guest-hooks, section 4). CBSD never runs ``mnt_stop``; whoever does gives the claim back by it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hooks import claim
from hooks.errors import BadInput, HookError, NotAllowed, Refused, Unreachable
from hooks.journal import Journal, journal_of
from hooks.node import node_name
from hooks.service import Service
from hooks.settings import ALLOW, Settings, load

START, STOP = "start", "stop"
_OPTIONS = "dfjrs"
_USAGE = """\
usage: leasehold-mount [start|stop] -j NAME [-d DATA] [-f FSTAB] [-r RCCONF] [-s SYSTEM]

CBSD's mnt_start: takes the claim of guest NAME for this node, then runs mount_script with the same options. stop runs
unmount_script and gives the claim back."""
_REFUSED = 1
_BY_SIGNAL = 128


class Mounting(NamedTuple):
    """What CBSD asks for: ``arguments`` as they came, for the site's script; ``workdir`` is CBSD's, if ``-s`` says."""

    action: str
    guest: str
    arguments: tuple[str, ...]
    workdir: str = ""


def run(arguments: Sequence[str], program: str | None = None) -> int:
    """Mount or unmount; returns 0 when the guest may be started, else 1 or what the site's script said."""
    if "--help" in arguments:
        print(_USAGE)  # noqa: T201 - somebody looks
        return 0
    journal = Journal("mount")
    try:
        settings = load()
        journal = journal_of(settings, "mount")
        asked = understood(arguments, os.path.basename(sys.argv[0] if program is None else program))
        settings = settings._replace(node=node_name(settings, {**os.environ, "workdir": asked.workdir}))
        return _start(settings, journal, asked) if asked.action == START else _stop(settings, journal, asked)
    except HookError as error:
        journal.loud(str(error))
        return _REFUSED


def understood(arguments: Sequence[str], program: str) -> Mounting:
    """The arguments in any order; ``start`` or ``stop`` may come first, else the name of the program says which.

    Raises BadInput without a guest, or for an option that CBSD does not know.
    """
    rest = list(arguments)
    action = STOP if program == "mnt_stop" else START
    if rest and rest[0] in (START, STOP):
        action = rest.pop(0)
    given: dict[str, str] = {}
    words = iter(rest)
    for word in words:
        option = word[1:2]
        if not word.startswith("-") or option not in _OPTIONS or not option:
            raise BadInput(f"{word[:40]!r} is none of -d -f -j -r -s")
        value = word[2:] or next(words, None)
        if value is None:
            raise BadInput(f"{word} needs a value")
        given[option] = value
    if not given.get("j"):
        raise BadInput("-j NAME is missing: which guest is it?")
    # The system directory of a guest is WORKDIR/jails-system/NAME; no variable says where WORKDIR is.
    workdir = os.path.dirname(os.path.dirname(given.get("s", "").rstrip("/")))
    return Mounting(action, given["j"], tuple(rest), workdir)


def _start(settings: Settings, journal: Journal, asked: Mounting) -> int:
    taken = _claimed(settings, journal, asked.guest) if settings.claims else None
    status = _site_script(settings.mount_script, asked, journal)
    if status != 0 and taken is not None:
        _give_back(settings, journal, asked.guest, taken.get("since"))
    return status


def _stop(settings: Settings, journal: Journal, asked: Mounting) -> int:
    status = _site_script(settings.unmount_script, asked, journal)
    if status == 0 and settings.claims:
        _give_back(settings, journal, asked.guest)
    return status


def _claimed(settings: Settings, journal: Journal, guest: str) -> dict[str, Any] | None:
    """Have the claim; returns it when it is new. Raises Refused when another node has it, else as settings say."""
    service = Service(settings)
    try:
        if claim.renew(service, settings, guest):
            return None
        taken = claim.take(service, settings, guest)
    except Unreachable as error:
        if settings.claim_when_unreachable != ALLOW:
            raise Unreachable(
                f"guest {guest} is not mounted: whether another node runs it cannot be asked ({error}). Set "
                f'claim_when_unreachable = "{ALLOW}" if it may be mounted all the same'
            ) from error
        journal.loud(f"guest {guest} is mounted without its claim, because the service cannot be asked: {error}")
        return None
    except NotAllowed as error:
        raise NotAllowed(f"guest {guest} is not mounted: {error}", error.status) from error
    except Refused as error:
        raise Refused(f"guest {guest} is not mounted: {error}", error.status) from error
    journal.info(f"guest {guest} is claimed by this node")
    return taken


def _give_back(settings: Settings, journal: Journal, guest: str, since: str | None = None) -> None:
    try:
        claim.release(Service(settings), settings, guest, since=since)
    except Refused as error:
        # Somebody took it by force meanwhile, or this node has taken it anew: it is theirs now.
        journal.warning(f"guest {guest}: the claim is not ours to give back: {error}")
    except HookError as error:
        journal.loud(f"guest {guest}: the claim could not be given back: {error}")


def _site_script(script: str, asked: Mounting, journal: Journal, environment: Mapping[str, str] = os.environ) -> int:
    """Run the site's own script with the arguments as they came; its status, 0 without a script."""
    if not script:
        return 0
    try:
        # The site named the script in a file that only root writes; CBSD the arguments, each stays one word.
        status = subprocess.run([script, *asked.arguments], env=dict(environment), check=False).returncode  # noqa: S603
    except OSError as error:
        journal.loud(f"guest {asked.guest}: {script} cannot be run: {error.strerror}")
        return _REFUSED
    if status != 0:
        journal.loud(f"guest {asked.guest}: {script} ended with status {status}")
    return status if status >= 0 else _BY_SIGNAL - status
