"""The table of addresses: columns in their order, and what the database makes of a value."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.phpipam.errors import Refused

NEVER_SEEN = "1970-01-01 00:00:01"

_CHARACTERS = {"description": 64, "hostname": 255, "mac": 20, "owner": 128, "port": 32, "custom_node": 32}
_BYTES = {"note": 65_535}
_SMALL = ("is_gateway", "excludePing", "PTRignore", "custom_managed")
_NEVER_NULL = ("is_gateway", "excludePing", "PTRignore")
_WHOLE = ("state", "switch", "location", "PTR", "customer_id", "custom_ttl")

EMPTY: dict[str, Any] = {
    "id": 0,
    "subnetId": 0,
    "ip_addr": 0,
    "is_gateway": 0,
    "description": None,
    "hostname": None,
    "mac": None,
    "owner": None,
    "state": 2,
    "switch": None,
    "location": None,
    "port": None,
    "note": None,
    "lastSeen": NEVER_SEEN,
    "excludePing": 0,
    "PTRignore": 0,
    "PTR": 0,
    "firewallAddressObject": None,
    "editDate": None,
    "customer_id": None,
    "custom_node": None,
    "custom_ttl": None,
    "custom_managed": None,
}
"""A row in which nothing is set."""

CUSTOM = {
    "custom_node": {"type": "varchar(32)", "Comment": "CBSD node"},
    "custom_ttl": {"type": "int(11)", "Comment": "lease seconds"},
    "custom_managed": {"type": "tinyint(1)", "Comment": "made by leasehold"},
}
OUTWARD = {"switch": "deviceId", "state": "tag", "ip_addr": "ip"}
"""Names of columns outside where they differ."""

_TAG = re.compile(r"<(?!\s)(?:\"[^\"]*\"|'[^']*'|[^>\"'])*(?:>|$|[\"'].*$)", re.DOTALL)


def stored(column: str, value: Any) -> Any:
    """What the column has after ``value`` was written into it; raises Refused as the database does, in strict mode."""
    if isinstance(value, (list, dict)):
        value = "Array"
    if value is None or value is False or value == "":
        if column in _NEVER_NULL:
            raise Refused(
                500, f"Error: SQLSTATE[23000]: Integrity constraint violation: 1048 Column '{column}' cannot be null"
            )
        return None
    if column in _SMALL or column in _WHOLE:
        return _number(column, value)
    text = _TAG.sub("", _text(value)).replace("\0", "")
    if column == "lastSeen":
        return _moment(text)
    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused(
            500,
            "Error: SQLSTATE[22007]: Invalid datetime format: 1366 Incorrect string value: for column "
            f"`phpipam`.`ipaddresses`.`{column}` at row 1",
        )
    if len(text) > _CHARACTERS.get(column, len(text)) or len(text.encode()) > _BYTES.get(column, 10**9):
        message = f"String data, right truncated: 1406 Data too long for column '{column}' at row 1"
        raise Refused(500, f"Error: SQLSTATE[22001]: {message}")
    return text or None


def _text(value: Any) -> str:
    return "1" if value is True else str(value)


def _number(column: str, value: Any) -> int:
    text = _text(value).strip()
    if not re.fullmatch(r"[+-]?\d+", text):
        raise Refused(
            500,
            f"Error: SQLSTATE[22007]: Invalid datetime format: 1366 Incorrect integer value: '{value}' for column "
            f"`phpipam`.`ipaddresses`.`{column}` at row 1",
        )
    limit = 2**7 if column in _SMALL else 2**31
    if not -limit <= int(text) < limit:
        message = f"Numeric value out of range: 1264 Out of range value for column '{column}' at row 1"
        raise Refused(500, f"Error: SQLSTATE[22003]: {message}")
    return int(text)


def _moment(text: str) -> str:
    try:
        datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - phpIPAM's times have no zone
    except ValueError as error:
        raise Refused(
            500,
            f"Error: SQLSTATE[22007]: Invalid datetime format: 1292 Incorrect datetime value: '{text}' for column "
            "`phpipam`.`ipaddresses`.`lastSeen` at row 1",
        ) from error
    return text
