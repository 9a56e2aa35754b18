"""Filling the gaps of a payload: an address from the service, and what goes with it."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from hooks.errors import BadInput, Refused
from hooks.mac import normal_mac
from hooks.node import cluster_of
from hooks.service import Call, Service
from hooks.settings import Settings
from hooks.told import told_address, told_prefix
from hooks.vmadm.payload import CREATE, NIC, UPDATE, Gap, cards, gaps, refuse_unfit_update

_USED_UP = "exhausted"
_PREFIX = "02:08:20"
"""What r-vmadm's own MACs begin with: locally administered, so nobody else is given them."""


def fill(payload: dict[str, Any], form: str, settings: Settings, service: Service, guest: str | None = None) -> None:
    """Fill ``payload`` in place. ``guest`` is the UUID where the payload has none, as in updates.

    The addresses are held for a UUID and the place of its card, in updates for its MAC, so the same payload filled
    twice gets the same ones.
    Raises BadInput, Refused, Unreachable: then the payload is of no use.
    """
    if form == CREATE:
        if not payload.get("uuid"):
            payload["uuid"] = guest or str(uuid.uuid4())
        guest = str(payload["uuid"])
    else:
        _refuse_unnamed(payload)
    for gap in list(gaps(payload, form)):
        # A card that is changed is found by its MAC as it is written: that of r-vmadm may be unpadded.
        if gap.where != "update_nics":
            gap.nic["mac"] = _mac_of(gap.nic)
        # A card that is added later has a number that one of the first ones had.
        place = str(gap.number) if form == CREATE else str(normal_mac(str(gap.nic["mac"])))
        _fill_gap(gap, f"{guest}#{place}" if guest else place, settings, service)
    if form == CREATE:
        _name_primary(payload)
    else:
        refuse_unfit_update(payload)


def _refuse_unnamed(payload: dict[str, Any]) -> None:
    """Raise BadInput for a card that is to be changed and cannot be found: before anything is held for it."""
    for where, nic in cards(payload, UPDATE):
        if where == "update_nics" and normal_mac(str(nic.get("mac", ""))) is None:
            raise BadInput(f"update_nics: mac is {nic.get('mac')!r}, and a card is found by its MAC")


def _mac_of(nic: NIC) -> str:
    """The MAC that a card has, in its usual form, or a new one. Raises BadInput for what is none."""
    if not nic.get("mac"):
        return _made_mac()
    mac = normal_mac(str(nic["mac"]))
    if mac is None:
        raise BadInput(f"mac is {nic['mac']!r}, which is none")
    return mac


def _fill_gap(gap: Gap, key: str, settings: Settings, service: Service) -> None:
    subnet, address = _held(gap, key, settings, service)
    prefix = told_prefix(subnet, "network")
    gateway = subnet["gateway"]
    nic = gap.nic
    if gap.has_ips:
        nic["ips"] = [f"{address}/{prefix}" if str(each).lower() == "dhcp" else each for each in nic["ips"]]
        if gateway and "gateway" not in nic:
            nic.setdefault("gateways", [gateway])
        return
    if not gateway and not nic.get("gateway"):
        raise BadInput(
            f"{subnet['network']} has no gateway, and a card needs one: leasehold subnet set --gateway"
        )
    nic["ip"] = address
    nic.setdefault("netmask", _netmask(prefix))
    nic.setdefault("gateway", gateway)


def _held(gap: Gap, key: str, settings: Settings, service: Service) -> tuple[dict[str, Any], str]:
    """A subnet with room for the card, and the address in it."""
    tag = str(gap.nic.get("nic_tag", ""))
    tagged = settings.nic_tags.get(tag)
    subnets = (tagged,) if tagged else settings.subnets
    if not subnets:
        raise BadInput(f"no subnet for nic_tag {tag!r}: name one in nic_tags or subnets of the settings")
    query = {"group": settings.group} if settings.group else None
    body = {"key": f"{cluster_of(settings)}/{key}", "use": "guest", "minutes": settings.hold_minutes}
    for network in subnets:
        if ":" in network and not (gap.has_ips and tagged):
            # What asks for DHCP wants IPv4, unless its network is named and has nothing else.
            continue
        try:
            held = service.call(Call("POST", f"/subnets/{network}/next", query, body))
        except Refused as error:
            if error.code == _USED_UP:
                continue
            raise
        subnet = service.call(Call("GET", f"/subnets/{network}", query))
        return subnet, told_address(held, version=6 if ":" in network else 4)
    raise Refused(f"no address is free in {', '.join(subnets)}", 409, _USED_UP)


def _name_primary(payload: dict[str, Any]) -> None:
    nics = payload.get("nics") or []
    if nics and not any(nic.get("primary") for nic in nics):
        nics[0]["primary"] = True


def _made_mac() -> str:
    return ":".join((_PREFIX, *(f"{part:02x}" for part in secrets.token_bytes(3))))


def _netmask(prefix: int) -> str:
    bits = (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
    return ".".join(str(bits >> shift & 0xFF) for shift in (24, 16, 8, 0))
