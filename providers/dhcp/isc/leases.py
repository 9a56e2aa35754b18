"""What dhcpd wrote on its own: leases, and host objects made and deleted through OMAPI; see dhcpd.leases(5).

dhcpd appends to the file, so whatever is written last about an address or a host is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from netaddr import IPAddress

from providers.dhcp.isc import values
from providers.dhcp.isc.grammar import Place, Statement
from providers.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class ActiveLease:
    """An address that a client has from the dynamic range; ``ends`` None means never."""

    place: Place
    address: IPAddress
    mac: str | None
    ends: datetime | None


@dataclass(slots=True)
class Written:
    """What a leases file says at its end.

    ``hosts`` are those that are there, by name; ``deleted`` are names that were deleted at any time, which ends a host
    of dhcpd.conf for good; ``other`` are statements that are neither leases nor hosts.
    """

    leases: list[ActiveLease] = field(default_factory=list)
    hosts: dict[str, Statement] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    other: list[Statement] = field(default_factory=list)


def written(statements: Iterable[Statement], now: datetime) -> Written:
    """Read the statements of a leases file; a lease that ended before ``now`` is not active."""
    found = Written()
    leases: dict[IPAddress, ActiveLease | None] = {}
    for statement in statements:
        block = statement.block
        if statement.keyword == "lease" and block is not None:
            try:
                address = values.address(statement.arguments)
                leases[address] = _active(statement, address, block, now)
            except InvalidValue:
                found.other.append(statement)
        elif statement.keyword == "host" and block is not None and len(statement.words) > 1:
            name = statement.words[1].text
            found.hosts.pop(name, None)
            if any(each.keyword == "deleted" for each in block):
                found.deleted.add(name)
            else:
                found.hosts[name] = statement
        elif statement.keyword not in ("authoring-byte-order", "server-duid"):
            found.other.append(statement)
    found.leases = [leases[address] for address in sorted(leases) if leases[address] is not None]  # type: ignore[misc]
    return found


def _active(
    statement: Statement, address: IPAddress, block: tuple[Statement, ...], now: datetime
) -> ActiveLease | None:
    said = {each.keyword: each for each in block}
    state = said.get("binding")
    if state is None or [word.text for word in state.words] != ["binding", "state", "active"]:
        return None
    ends = values.moment(said["ends"].arguments) if "ends" in said else None
    if ends is not None and ends <= now:
        return None
    hardware = said.get("hardware")
    return ActiveLease(statement.place, address, values.mac(hardware.arguments) if hardware else None, ends)
