"""What a client sends of an address, from JSON, form and query, by the names that phpIPAM has for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from providers.address_book.labelling import refuse_unfit_label
from providers.addresses import parse_mac
from providers.errors import InvalidValue
from providers.printable import printable
from proxy.api.form import LARGEST_BODY, all_parameters, query_parameters
from proxy.api.phpipam.envelope import Refused

_RENAMED = {"ip_addr": "ip", "state": "tag", "switch": "deviceId"}
_PLACE = {"id", "subnetId", "ip"}
_UNKEPT = {"excludePing", "PTRignore", "PTR", "lastSeen"}
"""About phpIPAM's own scanning and DNS, which does not exist here: taken and passed over."""
_ONLY_EMPTY = {"is_gateway", "deviceId", "location", "port", "customer_id", "firewallAddressObject"}
"""Not kept here: refused unless there is nothing in it, so that nobody believes that it was."""
_KNOWN = {"hostname", "description", "note", "mac", "owner", "tag", *_PLACE, *_UNKEPT, *_ONLY_EMPTY}
_EMPTY = {"", "0"}
_LONGEST_TAG = 9
_BARE = re.compile(r"[0-9a-fA-F]{12}")
_MARKS = re.compile(r"[:.-]")


class Described(TypedDict, total=False):
    """What is said of an address, as far as it was sent; None is nothing."""

    name: str | None
    mac: str | None
    description: str | None
    note: str | None


class Labelled(TypedDict, total=False):
    """Owner and tag, as far as they were sent; None is nothing."""

    owner: str | None
    tag: int | None


@dataclass(frozen=True, slots=True)
class Sent:
    """The keys of a request with their values as text; null is the empty text."""

    values: Mapping[str, str]

    def described(self) -> Described:
        """What was sent.

        Raises Refused for a key that there is not, a MAC that is none, and for what would not be kept.
        """
        self._refuse_unkept()
        told: Described = {}
        for key, value in self.values.items():
            match key:
                case "hostname":
                    told["name"] = value or None
                case "description":
                    told["description"] = value or None
                case "note":
                    told["note"] = value or None
                case "mac":
                    told["mac"] = any_mac(value) if value else None
        return told

    def labelled(self) -> Labelled:
        """Owner and tag, as far as they were sent; raises Refused for a tag that there is not."""
        told: Labelled = {}
        if "owner" in self.values:
            told["owner"] = self.values["owner"] or None
        if "tag" in self.values:
            tag = self.values["tag"]
            if not tag.isdecimal():
                raise Refused(400, "Invalid state")
            told["tag"] = int(tag[:_LONGEST_TAG])
        refuse_unfit_label(told.get("owner"), told.get("tag"))
        return told

    def _refuse_unkept(self) -> None:
        for key, value in self.values.items():
            if key not in _KNOWN:
                raise Refused(400, f"Invalid request key {printable(key)}")
            if key in _ONLY_EMPTY and value not in _EMPTY:
                raise Refused(400, f"{key} is not kept here: leave it out")


def sent(request: Request) -> Sent:
    """The keys of body and query; those of the body count. Raises Refused for JSON that cannot be read."""
    body = _json(request)
    pairs: Mapping[str, object] = (
        all_parameters(request) if body is None else {**query_parameters(request), **_flat(body)}
    )
    values = {}
    for key, value in pairs.items():
        if value is not None and not isinstance(value, str):
            raise Refused(400, f"Invalid value of {printable(key)}: it is to be one text")
        values[_RENAMED.get(key, key)] = value or ""
    return Sent(values)


def any_mac(text: str) -> str:
    """A MAC in one of the usual spellings: with ``:``, ``-``, ``.`` or nothing in between. Raises Refused."""
    bare = _MARKS.sub("", text)
    if _BARE.fullmatch(bare):
        return ":".join(bare[place : place + 2] for place in range(0, len(bare), 2)).lower()
    try:
        return parse_mac(text)
    except InvalidValue:
        raise Refused(400, "Invalid MAC address") from None


def _json(request: Request) -> dict[str, object] | None:
    """The body as an object; None when it is a form. JSON with a form's type, as ``curl -d`` sends it, is JSON."""
    if request.mimetype == "multipart/form-data":
        return None
    raw = request.get_data()
    if len(raw) > LARGEST_BODY:
        raise RequestEntityTooLarge
    if request.mimetype != "application/json" and not raw.lstrip().startswith(b"{"):
        return None
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(400, "Invalid JSON: Syntax error") from None
    if not isinstance(value, dict):
        raise Refused(400, "Invalid JSON: No error")
    return value


def _flat(body: Mapping[str, object]) -> dict[str, object]:
    return {key: _text(value) for key, value in body.items()}


def _text(value: object) -> object:
    """A scalar as phpIPAM writes it into a text column: true is 1, false and null are nothing."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    return str(value) if isinstance(value, int | float) else value
