"""``leasehold-hook sync``: from cron, every few minutes.

Delivers what waits, confirms guests that fired no hook (made from an image, imported, cloned, renamed), releases what
is gone, renews the claims of guests that run here and gives back those of guests that do not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Collection, Sequence

from hooks.errors import BadInput, HookError, printable
from hooks.flush import flush
from hooks.journal import Journal, journal_of
from hooks.node import node_name
from hooks.report import moment
from hooks.service import Service
from hooks.settings import Settings, load
from hooks.sync.applying import Applying, known_guests
from hooks.sync.claims import sync_claims
from hooks.sync.guest import Found
from hooks.sync.plan import plan
from hooks.sync.present import present
from hooks.sync.releases import allowed

_SECONDS = 120.0
_LONGEST = 30.0
"""For a list of guests: with an IPAM elsewhere each of them takes a while, and no guest waits for cron."""
_FAILED = 1


def run(arguments: Sequence[str], clock: Callable[[], float] = time.time) -> int:
    """Bring the service up to date; returns 0, or 1 when something could not be told or was refused."""
    parser = argparse.ArgumentParser(prog="leasehold-hook sync", description="Tell the service what this node has.")
    parser.add_argument("--plan", action="store_true", help="print what would be told, and tell nothing")
    parser.add_argument(
        "--force", action="store_true", help="release what is gone at once, however much of it there is"
    )
    given = parser.parse_args(arguments)
    journal = Journal("sync")
    try:
        settings = load()
        journal = journal_of(settings, "sync")
        # Taken before looking: what a hook reports meanwhile is newer.
        at = moment()
        # From cron no variable says which node this is; CBSD's own file does.
        settings = settings._replace(node=node_name(settings))
        found = _looked(settings, journal, given.plan)
        if given.plan:
            _show(settings, found)
            return 0
        # Before the rest, which may be long or fail: a claim that is not renewed may end while its guest runs.
        failed = _claims(Service(settings, seconds=_SECONDS), settings, journal, found.running)
        _flush(settings, journal)
        service = Service(settings, seconds=_SECONDS, longest=_LONGEST)
        planned = plan(found, known_guests(service, settings), settings.group)
        if not given.force:
            planned = allowed(planned, len(found.guests), settings, journal, clock())
        failed += Applying(service, settings, journal, at).apply(planned)
    except (HookError, OSError) as error:
        journal.loud(str(error))
        return _FAILED
    return _FAILED if failed else 0


def _looked(settings: Settings, journal: Journal, only_plan: bool) -> Found:
    """What is here; when that cannot be told, no claim of a guest that may run is to end. Raises BadInput."""
    try:
        found = present(settings)
    except BadInput:
        if not only_plan:
            _claims(Service(settings, seconds=_SECONDS), settings, journal, None)
        raise
    for name in sorted(found.unread):
        journal.warning(f"guest {name} is here and cannot be read: it is left as it is")
    return found


def _show(settings: Settings, found: Found) -> None:
    planned = plan(found, known_guests(Service(settings, seconds=_SECONDS), settings), settings.group)
    print("\n".join(map(printable, planned.lines())) or "The service knows what is here.")  # noqa: T201 - a command talks


def _flush(settings: Settings, journal: Journal) -> None:
    """Deliver what waits: a newer report would have to go behind it. Raises whatever keeps it from being delivered."""
    done = flush(settings, journal, seconds=_SECONDS)
    if done.hindrance is not None:
        raise done.hindrance


def _claims(service: Service, settings: Settings, journal: Journal, running: Collection[str] | None) -> int:
    return sync_claims(service, settings, journal, running) if settings.claims else 0
