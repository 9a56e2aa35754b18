"""The stable JSON shape of everything that commands and /api/v1 list: addresses as text, times in ISO 8601 UTC with Z.

docs/commands.md and docs/api.md describe these shapes; keys may be added, never renamed or removed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from providers.clock import shown_moment
from providers.guests import Claim, Guest, Outcome
from providers.model import DHCPHost, Event, Group, Hold, Occupancy, Reservation, Subnet
from providers.tokens import Token


def group_row(group: Group, subnets: int) -> dict[str, Any]:
    """A group, and how many subnets it has."""
    return {"name": group.name, "description": group.description, "subnets": subnets, "id": group.id}


def occupancy_row(occupancy: Occupancy) -> dict[str, Any]:
    """How full a subnet is: numbers of addresses."""
    return {
        "reserved": occupancy.reserved,
        "held": occupancy.held,
        "resting": occupancy.resting,
        "free": occupancy.free,
    }


def subnet_row(subnet: Subnet, occupancy: Occupancy) -> dict[str, Any]:
    """A subnet, its options beside its other settings, and how full it is."""
    options = subnet.options
    return {
        "network": str(subnet.network),
        "group": subnet.group.name,
        "description": subnet.description,
        "dhcp": subnet.dhcp,
        "strategy": str(subnet.strategy),
        "pool": _text_or_none(subnet.pool),
        "dynamic": _text_or_none(subnet.dynamic),
        "exclusions": [str(span) for span in subnet.exclusions],
        "gateway": _text_or_none(options.gateway),
        "dns": [str(address) for address in options.dns],
        "ntp": [str(address) for address in options.ntp],
        "domain": options.domain,
        "mtu": options.mtu,
        "next_server": options.next_server,
        "filename": options.filename,
        **occupancy_row(occupancy),
        "id": subnet.id,
    }


def reservation_row(reservation: Reservation) -> dict[str, Any]:
    """A reservation; ``uses`` maps each use to the moment it began."""
    return {
        "address": str(reservation.address),
        "subnet": str(reservation.subnet.network),
        "group": reservation.subnet.group.name,
        "name": reservation.name,
        "mac": reservation.mac,
        "description": reservation.description,
        "note": reservation.note,
        "uses": {str(use): moment(since) for use, since in reservation.uses.items()},
        "hosts": [_host(host) for host in reservation.hosts],
        "created_at": moment(reservation.created_at),
        "changed_at": moment(reservation.changed_at),
    }


def hold_row(hold: Hold) -> dict[str, Any]:
    """A hold and the key of who has it."""
    return {
        "address": str(hold.address),
        "subnet": str(hold.subnet.network),
        "group": hold.subnet.group.name,
        "key": hold.key,
        "mac": hold.mac,
        "taken_at": moment(hold.taken_at),
        "expires_at": moment(hold.expires_at),
    }


def guest_row(guest: Guest) -> dict[str, Any]:
    """A guest; the subnet and group of an address are null where no subnet of the book holds it."""
    return {
        "cluster": guest.cluster,
        "name": guest.name,
        "node": guest.node,
        "emulator": guest.emulator,
        "hostname": guest.hostname,
        "state": str(guest.state),
        "note": guest.note,
        "addresses": [
            {
                "address": str(each.address),
                "subnet": None if each.subnet is None else str(each.subnet.network),
                "group": None if each.subnet is None else each.subnet.group.name,
                "nic": each.nic,
                "shared": each.shared,
            }
            for each in guest.addresses
        ],
        "nics": [{"mac": nic.mac, "name": nic.name, "parent": nic.parent} for nic in guest.nics],
        "claim": None if guest.claim is None else claim_row(guest.claim),
        "event_at": moment(guest.event_at),
        "created_at": moment(guest.created_at),
        "changed_at": moment(guest.changed_at),
    }


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    """What became of a report; ``reason`` says why it had no effect."""
    return {
        "accepted": outcome.accepted,
        "reason": outcome.reason,
        "guest": None if outcome.guest is None else guest_row(outcome.guest),
    }


def claim_row(claim: Claim) -> dict[str, Any]:
    """The right of a node to run a guest."""
    return {
        "cluster": claim.cluster,
        "name": claim.name,
        "node": claim.node,
        "since": moment(claim.since),
        "renewed_at": moment(claim.renewed_at),
        "expires_at": None if claim.expires_at is None else moment(claim.expires_at),
        "forced_from": claim.forced_from,
    }


def event_row(event: Event) -> dict[str, Any]:
    """An event; ``detail`` depends on the action."""
    return {
        "id": event.id,
        "at": moment(event.at),
        "actor": event.actor,
        "request_id": event.request_id,
        "action": event.action,
        "subnet": event.subnet,
        "group": event.group,
        "address": _text_or_none(event.address),
        "detail": dict(event.detail),
    }


def token_row(token: Token, now: datetime) -> dict[str, Any]:
    """A token without its secret; ``expired`` as of ``now``."""
    return {
        "name": token.name,
        "scopes": sorted(token.scopes),
        "node": token.node,
        "cluster": token.cluster,
        "subnets": [str(network) for network in token.subnets],
        "groups": list(token.groups),
        "created_at": moment(token.created_at),
        "expires_at": None if token.expires_at is None else moment(token.expires_at),
        "expired": token.expired(now),
        "last_used_at": None if token.last_used_at is None else moment(token.last_used_at),
        "id": token.id,
    }


def label(subnet: Subnet) -> str:
    """How messages name a subnet: ``10.0.1.0/24 (Lab)``."""
    return f"{subnet.network} ({subnet.group.name})" if subnet.group.name else str(subnet.network)


def moment(time: datetime) -> str:
    """``2026-01-31T09:30:00Z``."""
    return shown_moment(time)


def _host(host: DHCPHost) -> dict[str, Any]:
    return {
        "mac": host.mac,
        "name": host.name,
        "hostname": host.hostname,
        "filename": host.filename,
        "next_server": host.next_server,
        "options": dict(host.options),
    }


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
