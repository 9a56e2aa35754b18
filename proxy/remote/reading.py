"""From the JSON of ``/api/v1`` back to what the book speaks of; :mod:`proxy.rows` is the way there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from netaddr import IPAddress, IPNetwork

from providers.addresses import Range
from providers.guests import NIC, Claim, Guest, GuestAddress, GuestState
from providers.model import (
    DHCPHost,
    Event,
    Group,
    Hold,
    Occupancy,
    Options,
    Reservation,
    Strategy,
    Subnet,
    Use,
)

Row = Mapping[str, Any]

UNKNOWN = 0
"""The id of what is known by its name alone."""


def subnet_from(row: Row) -> Subnet:
    """A subnet; the id of its group is not told."""
    return Subnet(
        id=row["id"],
        revision=UNKNOWN,
        network=IPNetwork(row["network"]),
        group=Group(UNKNOWN, row["group"]),
        description=row["description"],
        dhcp=row["dhcp"],
        strategy=Strategy(row["strategy"]),
        pool=_range(row["pool"]),
        dynamic=_range(row["dynamic"]),
        exclusions=tuple(map(Range.parse, row["exclusions"])),
        options=Options(
            gateway=_address(row["gateway"]),
            dns=tuple(map(IPAddress, row["dns"])),
            ntp=tuple(map(IPAddress, row["ntp"])),
            domain=row["domain"],
            mtu=row["mtu"],
            next_server=row["next_server"],
            filename=row["filename"],
        ),
    )


def named_subnet(network: str, group: str) -> Subnet:
    """A subnet of which only network and group are told, as rows of other things have it."""
    return Subnet(
        UNKNOWN,
        UNKNOWN,
        IPNetwork(network),
        Group(UNKNOWN, group),
        description="",
        dhcp=False,
        strategy=Strategy.FIRST,
        pool=None,
        dynamic=None,
        exclusions=(),
        options=Options(),
    )


def occupancy_from(row: Row) -> Occupancy:
    """How full a subnet is."""
    return Occupancy(row["reserved"], row["held"], row["resting"], row["free"])


def reservation_from(row: Row) -> Reservation:
    """A reservation."""
    address = IPAddress(row["address"])
    hosts = tuple(
        DHCPHost(
            mac=host["mac"],
            name=host["name"],
            hostname=host["hostname"],
            filename=host["filename"],
            next_server=host["next_server"],
            options=host["options"],
            address=address,
        )
        for host in row["hosts"]
    )
    return Reservation(
        subnet=named_subnet(row["subnet"], row["group"]),
        address=address,
        name=row["name"],
        mac=row["mac"],
        description=row["description"],
        note=row["note"],
        uses={Use(use): _moment(since) for use, since in row["uses"].items()},
        hosts=hosts,
        created_at=_moment(row["created_at"]),
        changed_at=_moment(row["changed_at"]),
    )


def hold_from(row: Row) -> Hold:
    """A hold."""
    return Hold(
        subnet=named_subnet(row["subnet"], row["group"]),
        address=IPAddress(row["address"]),
        key=row["key"],
        mac=row["mac"],
        taken_at=_moment(row["taken_at"]),
        expires_at=_moment(row["expires_at"]),
    )


def event_from(row: Row) -> Event:
    """An event."""
    return Event(
        id=row["id"],
        at=_moment(row["at"]),
        actor=row["actor"],
        request_id=row["request_id"],
        action=row["action"],
        subnet=row["subnet"],
        group=row["group"],
        address=_address(row["address"]),
        detail=row["detail"],
    )


def claim_from(row: Row) -> Claim:
    """A claim."""
    return Claim(
        cluster=row["cluster"],
        name=row["name"],
        node=row["node"],
        since=_moment(row["since"]),
        renewed_at=_moment(row["renewed_at"]),
        expires_at=None if row["expires_at"] is None else _moment(row["expires_at"]),
        forced_from=row["forced_from"],
    )


def guest_from(row: Row) -> Guest:
    """A guest."""
    addresses = tuple(
        GuestAddress(
            IPAddress(each["address"]),
            None if each["subnet"] is None else named_subnet(each["subnet"], each["group"]),
            each["nic"],
            each["shared"],
        )
        for each in row["addresses"]
    )
    return Guest(
        cluster=row["cluster"],
        name=row["name"],
        node=row["node"],
        emulator=row["emulator"],
        hostname=row["hostname"],
        state=GuestState(row["state"]),
        note=row["note"],
        addresses=addresses,
        nics=tuple(NIC(nic["mac"], nic["name"], nic["parent"]) for nic in row["nics"]),
        event_at=_moment(row["event_at"]),
        created_at=_moment(row["created_at"]),
        changed_at=_moment(row["changed_at"]),
        claim=None if row["claim"] is None else claim_from(row["claim"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _address(text: str | None) -> IPAddress | None:
    return None if text is None else IPAddress(text)


def _range(text: str | None) -> Range | None:
    return None if text is None else Range.parse(text)
