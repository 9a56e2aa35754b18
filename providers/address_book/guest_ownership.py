"""Rule 16 of the address book: whose reports about a guest count, and which come too late."""

from __future__ import annotations

from datetime import UTC, datetime

from providers.book.guests import Kept, Past
from providers.guests import GuestState

STARTS = frozenset({GuestState.STARTING, GuestState.RUNNING})
"""The states by which a node takes a guest over."""


def objection(known: Kept | None, past: Past | None, node: str, at: datetime, state: GuestState | None) -> str | None:
    """Why a report of ``node`` about what happened ``at`` has no effect, in words; None when it counts."""
    if known is None:
        if past is None or at >= past.event_at:
            return None
        became = "removed" if past.renamed_to is None else f"renamed to {past.renamed_to}"
        return f"the guest was {became} at {_moment(past.event_at)}, after what is reported"
    if known.ending_at is not None and at < known.ending_at:
        return f"the guest is being removed, as of {_moment(known.ending_at)}, after what is reported"
    if known.node != node and state not in STARTS:
        return _foreign(known)
    return _late(known, at)


def removal_objection(known: Kept, node: str | None, at: datetime) -> str | None:
    """Why ``known`` is not removed or renamed by ``node``, which may be nobody's; None when it is."""
    if node is not None and known.node != node:
        return _foreign(known)
    return _late(known, at)


def _late(known: Kept, at: datetime) -> str | None:
    if at >= known.event_at:
        return None
    return f"node {known.node} reported something newer, of {_moment(known.event_at)}"


def _foreign(known: Kept) -> str:
    return f"the guest belongs to node {known.node}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
