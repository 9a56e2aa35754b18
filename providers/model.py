"""What the book speaks of: subnets, reservations with their uses and DHCP hosts, holds, leases, events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from netaddr import IPAddress, IPNetwork

from providers.addresses import Range


class Use(StrEnum):
    """Why an address is taken. An address is free when its last use is gone."""

    DHCP = "dhcp"
    IPAM = "ipam"
    GUEST = "guest"
    MANUAL = "manual"
    UPSTREAM = "upstream"


class Pending(StrEnum):
    """Where a DHCP host is on its way to: the DHCP server has yet to confirm that it serves it, or no longer."""

    PUBLISH = "publish"
    WITHDRAW = "withdraw"


class Strategy(StrEnum):
    """How the next address is picked among the free ones."""

    FIRST = "first"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, for the event log: ``actor`` is a face or a user.

    ``request_id`` comes from X-Request-Id, ``session_id`` from X-Session-Id.
    """

    actor: str
    request_id: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom an address is wanted: a request ``key``, else a ``mac``, else nobody known (rule 2).

    A MAC that stands for none, or for everybody, names nobody: many tools say it, and each wants an address of its own.
    """

    key: str | None = None
    mac: str | None = None

    def __post_init__(self) -> None:
        """Forget such a MAC."""
        if self.mac is not None and set(self.mac) - {":"} in ({"0"}, {"f"}):
            object.__setattr__(self, "mac", None)


@dataclass(frozen=True, slots=True)
class Group:
    """A phpIPAM section, a NetBox VRF, or a local name; networks may overlap between groups."""

    id: int
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What a subnet tells its clients; ``mtu`` in bytes, unset is None or empty."""

    gateway: IPAddress | None = None
    dns: tuple[IPAddress, ...] = ()
    ntp: tuple[IPAddress, ...] = ()
    domain: str | None = None
    mtu: int | None = None
    next_server: str | None = None
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class SubnetSpec:
    """A subnet as an operator or an upstream IPAM describes it, before the book knows it.

    ``dhcp``: whether ``/dhcp`` serves it; None means yes for IPv4 unless another group has that network there.
    """

    network: IPNetwork
    group: str = ""
    description: str = ""
    dhcp: bool | None = None
    strategy: Strategy = Strategy.FIRST
    pool: Range | None = None
    dynamic: Range | None = None
    exclusions: tuple[Range, ...] = ()
    options: Options = Options()


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet that the book knows. ``revision`` grows with every change to it."""

    id: int
    revision: int
    network: IPNetwork
    group: Group
    description: str
    dhcp: bool
    strategy: Strategy
    pool: Range | None
    dynamic: Range | None
    exclusions: tuple[Range, ...]
    options: Options

    def __str__(self) -> str:
        return str(self.network)


@dataclass(frozen=True, slots=True)
class DHCPHost:
    """What a DHCP server is to serve to one MAC.

    ``name`` is unique within its subnet, ``hostname`` goes to the client, ``filename`` (boot file) and
    ``next_server`` may be None, ``options`` are further options by their underscored names.
    """

    mac: str
    name: str
    hostname: str
    filename: str | None = None
    next_server: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    address: IPAddress | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """An address that is taken. ``uses`` maps each use to when it began; ``changed_at`` is when they last changed.

    ``description`` says in a few words what has the address, ``note`` is for people.
    """

    subnet: Subnet
    address: IPAddress
    name: str | None
    mac: str | None
    description: str | None
    note: str | None
    uses: Mapping[Use, datetime]
    hosts: tuple[DHCPHost, ...]
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """An address promised to ``key`` until ``expires_at``."""

    subnet: Subnet
    address: IPAddress
    key: str
    mac: str | None
    taken_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """What a DHCP server gave out on its own; read, never written. Times are UTC, ``ends`` None means never."""

    address: IPAddress
    mac: str
    starts: datetime
    ends: datetime | None
    state: str
    next_state: str | None = None
    hostname: str | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Who changed what, when. ``detail`` holds the values that matter for the action, never secrets."""

    id: int
    at: datetime
    actor: str
    request_id: str | None
    action: str
    subnet: str | None
    group: str | None
    address: IPAddress | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How full a subnet is: what is reserved, held and resting in it, and what is free to be suggested.

    ``free`` counts what an asker without a range of its own could be told: the pool, not the dynamic range.
    """

    reserved: int
    held: int
    resting: int
    free: int
