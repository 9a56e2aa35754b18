"""What the book says about guests: jails and virtual machines, the node that each is on, and who may run them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from netaddr import IPAddress

from providers.model import Subnet


class GuestState(StrEnum):
    """How far a guest has come, as its node reported it."""

    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class NIC:
    """A network card of a guest; ``name`` as the guest or its tool calls it, ``parent`` the bridge or card below."""

    mac: str | None
    name: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class WantedAddress:
    """An address as a node reports it; ``nic`` is the name of the card that has it, if that is known.

    Without ``nic`` the first card of the guest that has a MAC is taken for the DHCP host. ``shared``: other guests
    that mark it so may have it too (carp addresses, jails that share one by choice).
    """

    address: IPAddress
    nic: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class GuestAddress:
    """An address that a guest has; ``subnet`` is None when no subnet of the book holds it: then it is not reserved."""

    address: IPAddress
    subnet: Subnet | None
    nic: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class GuestReport:
    """What a node says about a guest of its own at the moment ``at``.

    ``addresses`` and ``nics`` are None where nothing changed, and empty where none is left; so is None everywhere else.
    ``group`` says in which group the addresses lie, empty for any.
    """

    cluster: str
    name: str
    node: str
    at: datetime
    emulator: str | None = None
    hostname: str | None = None
    state: GuestState | None = None
    addresses: tuple[WantedAddress, ...] | None = None
    nics: tuple[NIC, ...] | None = None
    group: str = ""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one node to run a guest. ``expires_at`` None: until it is released.

    ``forced_from`` is the node that it was taken from by force, if it was.
    """

    cluster: str
    name: str
    node: str
    since: datetime
    renewed_at: datetime
    expires_at: datetime | None
    forced_from: str | None = None


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest as the book knows it. ``event_at`` is the moment of the last report that counted."""

    cluster: str
    name: str
    node: str
    emulator: str | None
    hostname: str | None
    state: GuestState
    note: str | None
    addresses: tuple[GuestAddress, ...]
    nics: tuple[NIC, ...]
    event_at: datetime
    created_at: datetime
    changed_at: datetime
    claim: Claim | None = None

    def __str__(self) -> str:
        return f"{self.cluster}/{self.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a report: whether it counted, the guest afterwards, and why it had no effect."""

    accepted: bool
    guest: Guest | None
    reason: str | None = None
