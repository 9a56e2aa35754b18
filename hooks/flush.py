"""``leasehold-hook flush``: deliver what could not be delivered before."""

from __future__ import annotations

from collections.abc import Sequence

from hooks.errors import HookError
from hooks.journal import Journal, journal_of
from hooks.service import Service
from hooks.settings import Settings, load
from hooks.spool import Delivery, Spool

_SECONDS = 60.0
_NOT_FOUND = 404


def run(arguments: Sequence[str]) -> int:
    """Deliver; returns 0 when nothing waits any more, 1 otherwise."""
    # Imported here: hooks deliver too, and start much more often.
    import argparse

    argparse.ArgumentParser(
        prog="leasehold-hook flush", description="Deliver what could not be delivered before."
    ).parse_args(arguments)
    try:
        settings = load()
        journal = journal_of(settings, "flush")
        done = flush(settings, journal, seconds=_SECONDS)
    except HookError as error:
        Journal("flush").loud(str(error))
        return 1
    print(f"{done.delivered} delivered, {len(done.refused)} refused, {done.waiting} waiting")  # noqa: T201
    return 1 if done.waiting else 0


def flush(settings: Settings, journal: Journal, *, seconds: float | None = None) -> Delivery:
    """Deliver what waits in the spool, within a bounded time; what the service refuses is told loudly.

    Raises SpoolFailure, Misconfigured.
    """
    service = Service(settings, seconds=seconds)
    done = Spool(settings.spool_dir).deliver(service.call)
    for entry, refusal in done.refused:
        if refusal.status == _NOT_FOUND and entry.call.method != "PUT":
            # Stopped after it was removed: nothing is left that could be told of it.
            journal.info(f"guest {entry.guest}: a report that waited has no effect: {refusal}")
            continue
        journal.loud(f"guest {entry.guest}: a report that waited was refused: {refusal}")
    for entry, reason in done.forbidden:
        journal.warning(f"guest {entry.guest}: a report waits until it is allowed: {reason}")
    if done.hindrance is not None:
        journal.warning(f"{done.waiting} reports wait: {done.hindrance}")
    return done
