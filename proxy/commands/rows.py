"""The stable JSON shape of everything that commands list: addresses as text, times in ISO 8601 UTC with Z.

docs/commands.md describes these shapes; keys may be added, never renamed or removed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from providers.model import DHCPHost, Event, Hold, Occupancy, Reservation, Subnet
from providers.tokens import Token


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
        "reserved": occupancy.reserved,
        "held": occupancy.held,
        "resting": occupancy.resting,
        "free": occupancy.free,
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
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
