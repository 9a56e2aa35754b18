"""What a payload of vmadm wants filled, and what has to be right before vmadm sees it (guest-hooks, section 7).

Two tools share the name: SmartOS' own, with ``ips`` and ``gateways``, and r-vmadm on FreeBSD, with ``ip``, ``netmask``
and ``gateway``. What is not asked for is left as it is, also what nobody here knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, MutableMapping
from typing import Any, NamedTuple

from hooks.addresses import normal_address
from hooks.errors import BadInput
from hooks.mac import normal_mac

CREATE, UPDATE = "create", "update"
NIC = MutableMapping[str, Any]

_ASKING = {"dhcp", "auto"}
_INTERFACE = re.compile(r"[a-zA-Z]{1,4}[0-9]{0,3}")
_LISTS = {CREATE: ("nics",), UPDATE: ("add_nics", "update_nics")}
_REQUIRED = ("interface", "nic_tag", "ip", "netmask", "gateway")
_OPTIONAL = {"vlan": int, "mtu": int, "primary": bool, "network_uuid": str}


class Gap(NamedTuple):
    """A card without an address. ``number`` is its place among all cards, ``where`` the list that it is in."""

    nic: NIC
    number: int
    has_ips: bool
    where: str = "nics"


def read_payload(text: bytes) -> dict[str, Any]:
    """The payload. Raises BadInput when it is no JSON object."""
    try:
        payload = json.loads(text)
    except ValueError as error:
        raise BadInput(f"the payload is no JSON: {error}") from error
    if not isinstance(payload, dict):
        raise BadInput("the payload is no JSON object")
    return payload


def cards(payload: dict[str, Any], form: str) -> list[tuple[str, NIC]]:
    """All cards and the list that each is in. Raises BadInput for a list that is none."""
    found: list[tuple[str, NIC]] = []
    for name in _LISTS[form]:
        listed = payload.get(name) or []
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise BadInput(f"{name} is no list of objects")
        found += [(name, each) for each in listed]
    return found


def gaps(payload: dict[str, Any], form: str) -> Iterator[Gap]:
    """The cards that want an address: those without one, or with ``dhcp`` or ``auto`` in its place.

    In ``update_nics`` what is absent stays as it is, so there only the words ask.
    """
    for number, (where, nic) in enumerate(cards(payload, form)):
        ips = nic.get("ips")
        if isinstance(ips, list):
            if any(str(each).lower() == "dhcp" for each in ips):
                yield Gap(nic, number, True, where)
        elif nic.get("ip") is not None:
            if str(nic["ip"]).lower() in _ASKING:
                yield Gap(nic, number, False, where)
        elif where != "update_nics":
            yield Gap(nic, number, False, where)


def refuse_unfit_update(payload: dict[str, Any]) -> None:
    """Raise BadInput for a card that r-vmadm would write as it is, and then could not read any more.

    It does not check updates; SmartOS does, so cards with ``ips`` are left to it.
    """
    for where, nic in cards(payload, UPDATE):
        if "mac" in nic and normal_mac(str(nic["mac"])) is None:
            raise BadInput(f"{where}: mac is {nic['mac']!r}, which is none")
        if "ips" in nic:
            continue
        wanted = _REQUIRED if where == "add_nics" else tuple(key for key in _REQUIRED if key in nic)
        for key in wanted:
            if not isinstance(nic.get(key), str) or not _fits(key, nic[key]):
                raise BadInput(f"{where}: {key} is {nic.get(key)!r}, which no card can have")
        for key, kind in _OPTIONAL.items():
            # A bool is an int in Python, and no VLAN.
            if key in nic and type(nic[key]) is not kind:
                raise BadInput(f"{where}: {key} is {nic[key]!r}, which no card can have")


def _fits(key: str, text: str) -> bool:
    if key == "interface":
        return _INTERFACE.fullmatch(text) is not None
    if key == "nic_tag":
        return bool(text)
    return normal_address(text) == text and ":" not in text
