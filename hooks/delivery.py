"""Delivering what waits in the spool, and what may be behind what."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from hooks.errors import HookError, InternalError, NotAllowed, Refused, Unreachable
from hooks.failing import Failing
from hooks.service import Call
from hooks.spool import Entry, Spool

Send = Callable[[Call], Any]

_MOST_FAILURES = 5
"""After so many in a row the reports are not to blame."""


class Delivery(NamedTuple):
    """What became of the spool: how many entries were delivered, which were refused and why, how many still wait.

    ``hindrance`` stopped it. ``stuck`` are entries that wait for other rights, or for a service that does not fail on
    them, and hold up their guests alone. ``aside`` are those that it failed on for too long, and their files.
    """

    delivered: int
    refused: tuple[tuple[Entry, Refused], ...] = ()
    waiting: int = 0
    hindrance: HookError | None = None
    stuck: tuple[tuple[Entry, NotAllowed | InternalError], ...] = ()
    aside: tuple[tuple[Entry, InternalError, str], ...] = ()

    def holds_up(self, guest: str) -> bool:
        """Whether a report of ``guest`` has to go behind what waits."""
        return self.hindrance is not None or any(entry.guest == guest for entry, _ in self.stuck)


def deliver(spool: Spool, send: Send, clock: Callable[[], float] = time.time) -> Delivery:
    """Send what waits, in order, until the service cannot be reached. Raises SpoolFailure.

    What the service refuses is dropped and returned: it would be refused for ever. What it forbids or fails on stays,
    and so does what came later of the same guest; what it failed on often and for long enough is put aside. One process
    delivers at a time; nobody waits for it, because it may take as long as the service lets it.
    """
    entries = spool.entries()
    if not entries:
        return Delivery(0)
    lock = spool.lock()
    if lock is None:
        return Delivery(0, waiting=len(entries), hindrance=Unreachable("another process delivers what waits"))
    try:
        return _deliver(spool, send, clock)
    finally:
        os.close(lock)


def _deliver(spool: Spool, send: Send, clock: Callable[[], float]) -> Delivery:
    # Read again: whoever had the lock before has delivered some of it.
    entries = spool.entries()
    failing = Failing(spool.directory)
    delivered: list[Entry] = []
    refused: list[tuple[Entry, Refused]] = []
    aside: list[tuple[Entry, InternalError, str]] = []
    stuck: dict[str, tuple[Entry, NotAllowed | InternalError]] = {}
    hindrance: HookError | None = None
    failures = 0
    for entry in entries:
        if entry.guest in stuck:
            continue
        try:
            send(entry.call)
        except InternalError as failure:
            failures += 1
            if failing.again(entry.guest, clock()) and _works(send):
                aside.append((entry, failure, spool.put_aside(entry)))
                failing.forget(entry.guest)
            else:
                stuck[entry.guest] = (entry, failure)
            if failures == _MOST_FAILURES:
                hindrance = failure
                break
            continue
        except (NotAllowed, Unreachable) as reason:
            if not isinstance(reason, NotAllowed) or not reason.for_this_alone:
                hindrance = reason
                break
            stuck[entry.guest] = (entry, reason)
        except Refused as refusal:
            refused.append((entry, refusal))
            spool.remove(entry)
        else:
            delivered.append(entry)
            spool.remove(entry)
        failures = 0
        failing.forget(entry.guest)
    gone = {entry.number for entry in (*delivered, *(each[0] for each in refused), *(each[0] for each in aside))}
    waiting = [entry.guest for entry in entries if entry.number not in gone]
    failing.keep(waiting)
    return Delivery(len(delivered), tuple(refused), len(waiting), hindrance, tuple(stuck.values()), tuple(aside))


def _works(send: Send) -> bool:
    """Whether the service answers anything at all without failing: else no report is to blame."""
    try:
        send(Call("GET", "/guests", {"limit": "1"}))
    except Refused:
        return True
    except Unreachable:
        return False
    return True
