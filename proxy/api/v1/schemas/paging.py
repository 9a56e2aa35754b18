"""Lists in pages: ``limit`` and ``after`` in the query, ``items`` and ``next`` in the answer."""

from __future__ import annotations

from marshmallow import Schema, fields

from proxy.api.v1.fields import LONGEST_PAIR, QueryWhole, Text, told

MOST = 1000
USUAL = 100


class GroupQuery(Schema):
    """Which group is meant."""

    group = Text(
        load_default="",
        metadata=told("Name of the group. Absent or empty: any, or the one that the token is limited to."),
    )


class PageQuery(Schema):
    """Which page."""

    limit = QueryWhole(1, MOST, load_default=USUAL, metadata=told("How many items a page has at most."))
    after = Text(
        most=LONGEST_PAIR, load_default="", metadata=told("`next` of the page before; absent: the first page.")
    )


class List(Schema):
    """A page."""

    next = fields.String(
        required=True,
        allow_none=True,
        metadata=told(
            "Send it as `after` for the next page; null: there is none. A page may have fewer items than `limit`, even "
            "none, while there is a next one."
        ),
    )
