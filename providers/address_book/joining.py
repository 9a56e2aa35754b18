"""Who may share an address with whom: rules 5 and 6 of the address book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.book import taken
from providers.errors import Conflict
from providers.model import DHCPHost, Reservation, Subnet, Use

_NOT_FOREMANS = {Use.GUEST, Use.MANUAL, Use.UPSTREAM}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller wants reserved; with ``key`` once, however often it asks."""

    address: IPAddress
    use: Use
    name: str | None
    mac: str | None
    description: str | None
    note: str | None
    host: DHCPHost | None
    related_macs: frozenset[str]
    key: str | None = None


def refuse_conflict(there: Reservation, wish: Wish, now: datetime, join: timedelta) -> None:
    """Raise Conflict, naming the other party, unless ``wish`` may join what is ``there``."""
    if wish.host is not None:
        _refuse_foreign_hosts(there, wish.host, wish.related_macs)
    if wish.use is Use.IPAM:
        alone = set(there.uses) == {Use.DHCP}
        if not alone or now - there.changed_at > join:
            raise _taken(there)
    elif wish.use is Use.DHCP:
        mac = wish.host.mac if wish.host is not None else wish.mac
        if _NOT_FOREMANS & set(there.uses) and there.mac != mac:
            raise _taken(there)
    else:
        same = there.mac is not None and there.mac == wish.mac
        if wish.use in there.uses or not same:
            raise _taken(there)


def refuse_host_conflict(connection: Connection, subnet: Subnet, host: DHCPHost, address: IPAddress) -> None:
    """Raise Conflict when the MAC or the name of ``host`` has another DHCP host in the subnet."""
    same_mac = taken.host_of(connection, subnet, host.mac)
    if same_mac is not None and same_mac.address != address:
        raise Conflict(
            f"MAC {host.mac} has {same_mac.address} in {subnet.network} already, as {same_mac.name}: delete that first"
        )
    same_name = taken.host_named(connection, subnet, host.name)
    if same_name is not None and same_name.mac != host.mac:
        raise Conflict(
            f"The name {host.name} has {same_name.address} in {subnet.network} already, with MAC {same_name.mac}: "
            "choose another or delete that first"
        )


def _refuse_foreign_hosts(there: Reservation, host: DHCPHost, related_macs: frozenset[str]) -> None:
    for other in there.hosts:
        if other.mac == host.mac:
            raise Conflict(
                f"Record {there.subnet.network.network}/{there.address} already exists with other values: "
                f"{other.name} ({other.mac}); delete it first",
                owner=_owner(there),
            )
        if other.mac not in related_macs:
            raise Conflict(
                f"Record {there.subnet.network.network}/{there.address} already exists: "
                f"{other.name} ({other.mac}) has it",
                owner=_owner(there),
            )


def _taken(there: Reservation) -> Conflict:
    who = " ".join(part for part in (there.name, f"({there.mac})" if there.mac else None) if part)
    uses = ", ".join(sorted(there.uses))
    told = f"{there.address} in {there.subnet.network} is taken ({uses})" + (f" by {who}" if who else "")
    return Conflict(told, owner=_owner(there))


def _owner(there: Reservation) -> dict[str, object]:
    """Who has an address, for programs."""
    return {"address": str(there.address), "name": there.name, "mac": there.mac, "uses": sorted(there.uses)}
