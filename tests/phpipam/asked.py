"""What a client asked: the parts of the path, the query and the body end up as one set of parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from tests.phpipam.errors import Refused

_PLACES = ("app_id", "controller", "id", "id2", "id3", "id4")


@dataclass
class Request:
    """As it came over the wire; header names are in small letters."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = "127.0.0.1"
    tls: bool = False

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


class Parameters(dict[str, Any]):
    """All of them by name: what comes later in path, query, body overrides what was there."""

    def text(self, name: str) -> str:
        """As text; absent is empty."""
        value = self.get(name)
        return "" if value is None else str(value)

    def has(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self.get(name) is not None

    def take(self, values: Mapping[str, Any]) -> None:
        """Override."""
        self.update(values)
        if isinstance(self.get("controller"), str):
            self["controller"] = self["controller"].lower()


def path_and_query(target: str) -> Parameters:
    """The parameters of an URL below /api/, in which a query without a slash before it is a part of the path.

    Parts that are empty or "0" vanish before they are counted.
    """
    parts = [unquote_plus(part) for part in target.split("/") if part not in {"", "0"}]
    parameters = Parameters()
    named = zip(_PLACES, parts[1:], strict=False)
    parameters.take({name: part for name, part in named if not part.startswith("?")})
    if "?" in target:
        parameters.take(_form(target.split("?")[1]))
    return parameters


def from_body(request: Request) -> dict[str, Any]:
    """What the body adds; raises Refused when it says that it is JSON and is not."""
    if "application/json" in request.content_type:
        return _json(request.body) if request.body.strip() else {}
    return _form(request.body.decode("utf-8", "surrogateescape"))


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode())
    except UnicodeDecodeError as error:
        raise Refused(400, "Invalid JSON: Malformed UTF-8 characters, possibly incorrectly encoded") from error
    except ValueError as error:
        raise Refused(400, "Invalid JSON: Syntax error") from error
    if any("\ud800" <= letter <= "\udfff" for letter in json.dumps(found, ensure_ascii=False)):
        raise Refused(400, "Invalid JSON: Single unpaired UTF-16 surrogate in unicode escape")
    if isinstance(found, list):
        return {str(place): value for place, value in enumerate(found)}
    if not isinstance(found, dict):
        raise Refused(400, "Invalid JSON: No error")
    return found


def _form(text: str) -> dict[str, Any]:
    pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    return {key.replace(".", "_").replace(" ", "_"): value for key, value in pairs}
