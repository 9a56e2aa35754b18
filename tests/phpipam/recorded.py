"""Recorded exchanges: reading them, asking the double the same, and what differs."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.phpipam.accounts import User
from tests.phpipam.asked import Request
from tests.phpipam.double import Double

FOLDER = Path(__file__).parent.parent / "recorded" / "phpipam"

_REPEATED = re.compile(r"<(\d+) times (.)>")
_HOLES = {
    "<SECONDS>": r"\d+(\.\d+)?(e-?\d+)?",
    "<TOKEN>": r"[\w-]{24}",
    "<YYYY-MM-DD HH:MM:SS>": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "<SESSION>": r"[0-9a-z]+",
    "<DATE>": r"[^;]+",
}
_TOLD_HEADERS = ("Location", "Content-Type", "Set-Cookie")


@dataclass(frozen=True)
class Exchange:
    """One question and the answer to it."""

    group: str
    place: int
    what: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.group} {self.place}: {self.what}"


def groups() -> list[str]:
    """Names of the files."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def exchanges(group: str) -> Iterator[Exchange]:
    """Those of one file, in order."""
    found = json.loads((FOLDER / f"{group}.json").read_text())["exchanges"]
    for place, each in enumerate(found):
        yield Exchange(group, place, each["what"], each["request"], each["response"])


def ask(double: Double, exchange: Exchange, user: User, last_token: str) -> list[str]:
    """Ask the double the same; returns what differs in its answer."""
    asked = exchange.request
    headers = {name.lower(): _header(value, user, last_token) for name, value in asked.get("headers", {}).items()}
    body = _body(asked.get("body"))
    status, told, text = double.answer(Request(asked["method"], asked["path"], headers, body))
    return [*_differences(exchange, status, told, text, head=asked["method"] == "HEAD")]


def _header(value: str, user: User, last_token: str) -> str:
    token = user.token or last_token
    if value.startswith("Basic <"):
        return "Basic " + b64encode(value.removeprefix("Basic <").removesuffix(">").encode()).decode()
    return value.replace("<TOKEN, all letters lower-cased>", token.lower()).replace("<TOKEN>", token)


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    text = _REPEATED.sub(lambda found: found[2] * int(found[1]), text)
    # Where bytes were no UTF-8, the recording has the character that stands for such.
    return text.encode().replace("\N{REPLACEMENT CHARACTER}".encode(), b"\xff")


def _differences(exchange: Exchange, status: int, told: dict[str, str], text: bytes, *, head: bool) -> Iterator[str]:
    expected = exchange.response
    if status != expected["status"]:
        yield f"status {status}, not {expected['status']}"
    lower = {name.lower(): value for name, value in told.items()}
    for name, value in expected["headers"].items():
        if name.title() in _TOLD_HEADERS and not _fits(lower.get(name.lower()), value):
            yield f"{name}: {lower.get(name.lower())}, not {value}"
    if head:
        return
    before, body = _parted(text.decode("utf-8", "replace"))
    expected_before, expected_body = ("", expected["json"]) if "json" in expected else _parted(expected["text"])
    if before != expected_before:
        yield f"text {before[:200]!r}, not {expected_before[:200]!r}"
    yield from _compare("", body, expected_body)
    if isinstance(body, dict) and isinstance(expected_body, dict) and list(body) != list(expected_body):
        yield f"members {list(body)}, not {list(expected_body)}"


def _parted(text: str) -> tuple[str, Any]:
    """What stands before the JSON, and the JSON; the whole text where there is none."""
    place = text.find("{")
    try:
        return text[:place], json.loads(text[place:])
    except ValueError:
        return text, None


def _compare(where: str, found: Any, expected: Any) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in expected.keys() | found.keys():
            if (name in expected) != (name in found):
                yield f"{where}.{name} {'is missing' if name in expected else 'is too much'}"
            else:
                yield from _compare(f"{where}.{name}", found[name], expected[name])
    elif isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from _compare(f"{where}[{place}]", one, other)
    elif (type(found) is not type(expected) and expected != "<SECONDS>") or not _fits(found, expected):
        yield f"{where} is {found!r}, not {expected!r}"


def _fits(found: Any, expected: Any) -> bool:
    if not isinstance(expected, str) or found is None:
        return bool(found == expected)
    pattern = re.escape(expected)
    for hole, pieces in _HOLES.items():
        pattern = pattern.replace(re.escape(hole), pieces)
    return re.fullmatch(pattern, str(found), re.DOTALL) is not None
