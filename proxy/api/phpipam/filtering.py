"""``filter_by``, ``filter_value`` and ``filter_match`` of a query, which narrow what a list has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Request

from proxy.api.form import query_parameters
from proxy.api.phpipam.envelope import Refused

_Row = Mapping[str, object]


def narrowed(rows: Iterator[_Row], request: Request) -> tuple[Iterator[_Row], str | None]:
    """The rows that the query asks for, and what to say when there are none; None: it asks for all of them.

    Values are compared as texts without regard to case: whole, or with ``filter_match=partial`` as parts. Raises
    Refused for a key that the rows do not have and for other ways of matching.
    """
    query = query_parameters(request)
    key, wanted, match = query.text("filter_by"), query.text("filter_value"), query.text("filter_match") or "full"
    if not key:
        return rows, None
    if not wanted:
        raise Refused(400, "Missing filter_value")
    if match not in ("full", "partial"):
        raise Refused(400, "Invalid filter_match: full and partial are offered here")
    return _matching(rows, key, wanted.casefold(), part=match == "partial"), "No results (filter applied)"


def _matching(rows: Iterator[_Row], key: str, wanted: str, *, part: bool) -> Iterator[_Row]:
    for row in rows:
        if key not in row:
            raise Refused(400, "Invalid filter_by")
        value = "" if row[key] is None else str(row[key]).casefold()
        if value == wanted or (part and wanted in value):
            yield row
