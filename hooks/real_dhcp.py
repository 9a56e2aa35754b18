"""Guests that ask a real DHCP server: an address by MAC, before they ask for it (guest-hooks, section 9)."""

from __future__ import annotations

from collections.abc import Iterable

from hooks.addresses import Address
from hooks.errors import Refused, Unreachable
from hooks.report import Reporter
from hooks.service import Call
from hooks.settings import Settings
from hooks.told import told_address

_USED_UP = "exhausted"


def address_by_mac(settings: Settings, report: Reporter, guest: str, macs: Iterable[str | None]) -> list[Address]:
    """The address of the first of the ``macs`` that is known, in the first subnet of the settings with room.

    Empty when no subnet is set, no MAC is known, nothing is free, or the service cannot be asked. The service gives the
    same MAC the same address, so it may be asked again.
    """
    mac = next(filter(None, macs), None)
    subnets = [each for each in settings.subnets if ":" not in each]
    if mac is None or not subnets:
        return []
    query = {"group": settings.group} if settings.group else None
    # A node's token holds with keys of its cluster alone.
    body = {"key": f"{report.cluster}/{guest}/{mac}", "mac": mac, "use": "guest"}
    subnet = subnets[0]
    try:
        for subnet in _own_first(report, mac, subnets):
            call = Call("POST", f"/subnets/{subnet}/next", query, body)
            try:
                return [Address(told_address(report.service.call(call), version=4))]
            except Refused as error:
                if error.code != _USED_UP:
                    raise
    except Unreachable as error:
        report.journal.warning(f"guest {guest}: no address for {mac} can be had now: {error}")
        return []
    except Refused as error:
        report.journal.loud(f"guest {guest}: no address for {mac} in {subnet}: {error}")
        return []
    report.journal.loud(f"guest {guest}: no address is free for {mac} in {', '.join(subnets)}")
    return []


def _own_first(report: Reporter, mac: str, subnets: list[str]) -> list[str]:
    """The subnet in which the MAC has its address comes first: room in another one is no reason to move."""
    if len(subnets) == 1:
        return subnets
    own = {each["subnet"] for each in report.service.items("/addresses", {"mac": mac})}
    return sorted(subnets, key=lambda each: each not in own)
