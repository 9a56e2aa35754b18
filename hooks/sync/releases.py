"""Which guests that are gone may be released now: not those that may come back, and not too many at once."""

from __future__ import annotations

from hooks.journal import Journal
from hooks.node import cluster_of, node_name
from hooks.settings import Settings
from hooks.sync.missing import missing_since
from hooks.sync.plan import Plan

_MINUTE = 60
_FEW = 2
"""So many may always go: a share of few guests says nothing."""


def allowed(planned: Plan, present_now: int, settings: Settings, journal: Journal, now: float) -> Plan:
    """The plan without releases that have to wait, or that are too many at once to be believed.

    ``present_now`` is how many guests are here, ``now`` the time in seconds since the epoch. Raises OSError.
    """
    alone = cluster_of(settings) == node_name(settings)
    since = missing_since(settings.spool_dir, planned.removals, now)
    # Alone there is no other node that could be about to register it.
    patience = 0 if alone else settings.release_after * _MINUTE
    due = tuple(name for name in planned.removals if now - since[name] >= patience)
    known = present_now + len(planned.removals)
    if due and len(due) > _most(present_now, known, settings.sync_limit):
        what = f"{len(due)} guests of {known} are gone, more than sync_limit ({settings.sync_limit} %)."
        if not present_now:
            what = f"none of the {known} guests that the service knows is here: is their storage mounted?"
        journal.loud(f"{what} Nothing is released. Look at leasehold-hook sync --plan, then use --force")
        due = ()
    return planned._replace(removals=due)


def _most(present_now: int, known: int, percent: int) -> int:
    """How many may go at once; none when nothing at all is left."""
    return max(_FEW, known * percent // 100) if present_now else 0
