"""How rows become the ``data`` of an answer: links, filter, dotted addresses, outward names, in phpIPAM's order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.phpipam.accounts import App
from tests.phpipam.asked import Parameters
from tests.phpipam.columns import CUSTOM, OUTWARD
from tests.phpipam.errors import Refused
from tests.phpipam.numbers import dotted, is_numeric

Row = dict[str, Any]


@dataclass
class Results:
    """Shapes rows for one call."""

    parameters: Parameters
    app: App

    def of(self, rows: Sequence[Row] | Row, kind: str, *, links: bool = True, dots: bool = True) -> list[Row] | Row:
        """The rows, or the row, as they are told. They must be copies of what is stored."""
        single = isinstance(rows, dict)
        found: list[Row] = [rows] if isinstance(rows, dict) else list(rows)
        if links and self._links_wanted():
            found = [row | {"links": self._links(kind, row, single)} for row in found]
        if self.parameters.has("filter_by"):
            found, single = self._filtered(found), False
        if dots:
            found = [_with_dots(row) for row in found]
        if self.parameters.text("controller") == "subnets":
            found = [row for row in found if row.get("isFolder") != 1]
            if not found:
                raise Refused(404, "No subnets found")
        found = [self._named(row) for row in found]
        return found[0] if single else found

    def nested(self, data: Any) -> Any:
        """With custom fields in an object of their own; in a list those that are null stay where they were."""
        single = isinstance(data, dict)
        for row in [data] if single else data if isinstance(data, list) else []:
            if not isinstance(row, dict) or not ("subnetId" in row or "sectionId" in row):
                continue
            custom = CUSTOM if "subnetId" in row else ("custom_domain",)
            inside = {name: row.pop(name) for name in custom if name in row and (single or row[name] is not None)}
            if inside:
                row["custom_fields"] = inside
        return data

    def _links_wanted(self) -> bool:
        asked = self.parameters.get("links")
        return self.app.links if asked is None else asked != "false"

    def _links(self, kind: str, row: Row, single: bool) -> list[Row]:
        here = f"/api/{self.parameters.text('app_id')}/{kind}/{row['id']}/"
        own: Row = {"rel": "self", "href": here}
        return [own | {"methods": ["GET", "POST", "DELETE", "PATCH"]}] if single else [own]

    def _named(self, row: Row) -> Row:
        """By outward names. A column ``ip`` beside ``ip_addr`` overwrites it where that stands."""
        names = dict(OUTWARD)
        if self.parameters.text("controller") == "subnets":
            names["ip"] = "ip_addr"
        return {names.get(key, key): value for key, value in row.items()}

    def _filtered(self, rows: list[Row]) -> list[Row]:
        rows = [self._named(row) for row in rows]
        by, match = self.parameters.text("filter_by"), self.parameters.get("filter_match") or "full"
        if not self.parameters.has("filter_value"):
            raise Refused(400, "Missing filter_value")
        value = self.parameters.text("filter_value")
        if value.strip() == "":
            raise Refused(400, "Empty filter_value")
        if not rows or by not in rows[0]:
            raise Refused(400, "Invalid filter_by")
        if match not in {"full", "partial", "regex"}:
            raise Refused(400, "Invalid filter_match")
        left = [row for row in rows if by in row and _matches(row[by], value, match)]
        if not left:
            raise Refused(404, "No results (filter applied)")
        return left


def _with_dots(row: Row) -> Row:
    for column in ("subnet", "ip_addr"):
        if column in row:
            row = {key: value for key, value in row.items() if key != "ip"}
            if isinstance(row[column], int) or str(row[column]).isdigit():
                row[column] = dotted(int(row[column]))
    return row


def _matches(there: Any, value: str, match: str) -> bool:
    text = "" if there is None else str(there)
    if match == "partial":
        return value in text
    if match == "regex":
        return re.search(value.strip("/"), text) is not None
    if is_numeric(there) and is_numeric(value):
        return float(text) == float(value)
    return text == value
