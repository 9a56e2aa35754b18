"""The time of day, as something that tests can hand in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from providers.errors import InvalidValue

Clock = Callable[[], datetime]
"""Returns the present moment as an aware datetime in UTC."""


def utc_now() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


def shown_moment(moment: datetime) -> str:
    """``2026-01-31T09:30:00Z``, as messages and commands tell a time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str) -> datetime:
    """The moment that ``2026-01-31T09:30:00Z`` says, in any zone; raises InvalidValue, also when no zone is there."""
    unfit = InvalidValue("Write a time as 2026-01-31T09:30:00Z, with its zone")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise unfit
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise unfit from error
