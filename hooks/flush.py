"""``leasehold-hook flush``: deliver what could not be delivered before."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from hooks.delivery import Delivery, deliver
from hooks.errors import HookError, NotAllowed
from hooks.journal import Journal, journal_of
from hooks.service import Service
from hooks.settings import Settings, load
from hooks.spool import Spool

_SECONDS = 60.0
_NOT_FOUND = 404
_SHOWN = 3


def run(arguments: Sequence[str]) -> int:
    """Deliver; returns 0 when nothing waits any more and nothing lies aside, 1 otherwise."""
    # Imported here: hooks deliver too, and start much more often.
    import argparse

    parser = argparse.ArgumentParser(
        prog="leasehold-hook flush", description="Deliver what could not be delivered before."
    )
    parser.add_argument("--again", action="store_true", help="what was put aside too")
    given = parser.parse_args(arguments)
    try:
        settings = load()
        journal = journal_of(settings, "flush")
        spool = Spool(settings.spool_dir)
        if given.again:
            spool.take_back()
        done = flush(settings, journal, seconds=_SECONDS)
        aside = spool.aside()
    except HookError as error:
        Journal("flush").loud(str(error))
        return 1
    print(f"{done.delivered} delivered, {len(done.refused)} refused, {done.waiting} waiting")  # noqa: T201
    for line in held_up(done):
        print(f"leasehold-hook flush: {line}", file=sys.stderr)  # noqa: T201
    if aside:
        print(lying_aside(aside))  # noqa: T201
    return 1 if done.waiting or aside else 0


def held_up(done: Delivery) -> Iterator[str]:
    """Why something still waits, a line for each reason."""
    for entry, reason in done.stuck:
        until = "until it is allowed" if isinstance(reason, NotAllowed) else "because the service fails on it"
        yield f"guest {entry.guest}: a report waits {until}: {reason}"
    if done.hindrance is not None:
        yield f"what waits cannot be delivered now: {done.hindrance}"


def lying_aside(files: Sequence[str]) -> str:
    """What was put aside, for people."""
    return (
        f"Put aside, because the service failed on them: {len(files)} ({', '.join(files[:_SHOWN])}"
        f"{', ...' if files[_SHOWN:] else ''}). Once that is mended: leasehold-hook flush --again"
    )


def flush(settings: Settings, journal: Journal, *, seconds: float | None = None) -> Delivery:
    """Deliver what waits in the spool, within a bounded time.

    What the service refuses, or failed on for too long, is told loudly. Raises SpoolFailure, Misconfigured.
    """
    service = Service(settings, seconds=seconds)
    done = deliver(Spool(settings.spool_dir), service.call)
    for entry, refusal in done.refused:
        if refusal.status == _NOT_FOUND and entry.call.method != "PUT":
            # Stopped after it was removed: nothing is left that could be told of it.
            journal.info(f"guest {entry.guest}: a report that waited has no effect: {refusal}")
            continue
        journal.loud(f"guest {entry.guest}: a report that waited was refused: {refusal}")
    for line in held_up(done):
        journal.warning(line)
    for entry, failure, path in done.aside:
        journal.loud(f"guest {entry.guest}: the service fails on a report, which is put aside as {path}: {failure}")
    return done
