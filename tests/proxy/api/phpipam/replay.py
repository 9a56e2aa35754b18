"""The recorded exchanges of phpIPAM, sent to Leasehold on a book that is like phpIPAM's was.

Identifiers of addresses are other ones here, so wherever the recording has one it is exchanged for ours. What is never
kept here is left out of what is sent: custom fields, devices, line breaks in a note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from netaddr import IPAddress, IPNetwork
from werkzeug.test import TestResponse

from providers.address_book import AddressBook
from providers.model import Caller, Options, SubnetSpec, Use
from proxy.api.phpipam.identifiers import address_id

RECORDED = Path(__file__).parents[3] / "recorded" / "phpipam"
SEEDER = Caller("seed")

SECTIONS = ("Customers", "CBSD", "IPv6", "Lab two", "R&D / Büro #1 100%", "2024")
SUBNETS = (
    ("10.0.1.0/24", 2, {"gateway": "10.0.1.1", "dns": ("10.0.1.53", "10.0.1.54")}),
    ("192.168.0.0/16", 2, {}),
    ("10.20.30.0/29", 2, {}),
    ("2001:db8:abcd:12::/64", 3, {"dns": ("2001:db8:abcd:12::53",)}),
    ("10.0.1.0/24", 1, {}),
    ("203.0.113.0/24", 1, {}),
    ("10.99.0.0/30", 2, {}),
    ("10.99.1.0/30", 2, {}),
    ("10.50.0.0/16", 2, {}),
    ("10.50.1.0/24", 2, {}),
    ("10.99.2.0/31", 2, {}),
    ("10.99.3.7/32", 2, {}),
    ("172.16.5.0/29", 2, {}),
    ("10.60.0.0/24", 2, {}),
    ("2001:db8:abcd:13::/64", 3, {"gateway": "2001:db8:abcd:13::1", "dns": ("2001:db8:abcd:12::53",)}),
    ("10.61.0.0/24", 6, {}),
)
"""In the order of their ids; 6 is a folder in the recording."""
ADDRESSES: dict[int, tuple[int, str, dict[str, str]]] = {
    2: (1, "10.0.1.10", {"name": "jail1.example.test", "mac": "02:00:00:00:00:10", "note": "first jail"}),
    3: (1, "10.0.1.11", {"name": "jail2.example.test", "mac": "02:00:00:00:00:11"}),
    4: (1, "10.0.1.12", {"description": "dhcp pool"}),
    5: (5, "10.0.1.10", {"name": "cust1.example.test", "mac": "02:00:00:00:00:10"}),
    6: (7, "10.99.0.1", {}),
    7: (7, "10.99.0.2", {}),
    10: (1, "10.0.1.13", {"name": "jail1.example.test", "mac": "02:00:00:00:00:13"}),
}
"""By their ids. The gateways, 1 and 8, are no reservations here."""

_NEVER_KEPT = {"deviceId", "switch"}
_ID_IN_PATH = re.compile(r"(?<=/addresses/)(\d+)(?=/|$|\?)")


def seed(book: AddressBook) -> None:
    """Fill an empty book."""
    for name in SECTIONS:
        book.add_group(name, "", SEEDER)
    for number, (network, section, options) in enumerate(SUBNETS, start=1):
        read = {
            key: tuple(map(IPAddress, value)) if isinstance(value, tuple) else IPAddress(value)
            for key, value in options.items()
        }
        spec = SubnetSpec(IPNetwork(network), SECTIONS[section - 1], dhcp=False, options=Options(**read))
        assert book.add_subnet(spec, SEEDER).id == number
    by_id = {subnet.id: subnet for subnet in book.subnets()}
    for subnet_id, address, described in ADDRESSES.values():
        book.reserve(by_id[subnet_id], IPAddress(address), Use.GUEST, SEEDER, **described)
    book.label(by_id[1], IPAddress("10.0.1.11"), SEEDER, tag=3)
    book.label(by_id[1], IPAddress("10.0.1.12"), SEEDER, tag=4)


@dataclass(frozen=True)
class Exchange:
    """One of a file: what it shows, what was sent and what came back."""

    file: str
    what: str
    request: dict[str, Any]
    response: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"

    @property
    def answer(self) -> dict[str, Any] | None:
        """The object that came back; None when it was none."""
        return self.response.get("json")


def exchanges(file: str) -> list[Exchange]:
    """Those of a file, in order."""
    read = json.loads((RECORDED / f"{file}.json").read_text())
    return [Exchange(file, each["what"], each["request"], each["response"]) for each in read["exchanges"]]


class Replay:
    """Sends the exchanges of one file, in order."""

    def __init__(self, client: FlaskClient, book: AddressBook) -> None:
        self._client = client
        self._subnets = {subnet.id: subnet for subnet in book.subnets()}
        self._ours = {number: self._id(subnet, address) for number, (subnet, address, _) in ADDRESSES.items()}

    def send(self, exchange: Exchange) -> TestResponse:
        """What Leasehold answers."""
        sent = exchange.request
        path, _, query = sent["path"].partition("?")
        body = sent.get("body")
        headers = {name: value for name, value in (sent["headers"] or {}).items() if name.lower() != "token"}
        answer = self._client.open(
            "/phpipam" + _ID_IN_PATH.sub(lambda match: str(self._ours.get(int(match[1]), match[1])), path),
            method=sent["method"],
            query_string=query,
            headers=headers,
            data=body if isinstance(body, str) else None if body is None else json.dumps(_kept(body)),
        )
        self._learn(exchange, answer)
        return answer

    def _learn(self, exchange: Exchange, answer: TestResponse) -> None:
        """Which id of ours stands for the one that was made in the recording."""
        recorded = exchange.answer or {}
        ours = parsed(answer) or {}
        if "id" in recorded and "id" in ours:
            self._ours[int(recorded["id"])] = int(ours["id"])

    def _id(self, subnet_id: int, address: str) -> int:
        return int(address_id(self._subnets[subnet_id], IPAddress(address)))


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in body.items() if not key.startswith("custom_") and key not in _NEVER_KEPT}
    return {key: value.replace("\n", " ") if isinstance(value, str) else value for key, value in kept.items()}


def parsed(answer: TestResponse) -> dict[str, Any] | None:
    """The object of an answer; None when it is none, though it may be typed as one."""
    try:
        found = json.loads(answer.text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def differences(recorded: dict[str, Any], ours: dict[str, Any] | None) -> Iterator[str]:
    """Where our answer has another shape, status or words than the recorded one."""
    if not isinstance(ours, dict):
        yield "no object"
        return
    for key in ("code", "success", "message"):
        if recorded.get(key) != ours.get(key):
            yield f"{key}: {ours.get(key)!r}, not {recorded.get(key)!r}"
    if list(recorded) != list(ours):
        yield f"keys: {list(ours)}, not {list(recorded)}"
    yield from _shape("data", recorded.get("data"), ours.get("data"))


def _shape(name: str, recorded: object, ours: object) -> Iterator[str]:
    if isinstance(recorded, dict) and isinstance(ours, dict):
        wanted = [key for key in recorded if not key.startswith("custom_")]
        if set(wanted) != set(ours):
            yield f"{name}: keys {sorted(set(wanted) ^ set(ours))} are not in both"
    elif isinstance(recorded, list) and isinstance(ours, list):
        if len(recorded) != len(ours):
            yield f"{name}: {len(ours)} of them, not {len(recorded)}"
        for one, other in zip(recorded, ours, strict=False):
            yield from _shape(f"{name}[]", one, other)
    elif type(recorded) is not type(ours):
        yield f"{name}: {ours!r}, not {recorded!r}"
