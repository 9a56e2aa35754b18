"""What stands in the way of a subnet as it is described: other subnets on ``/dhcp``, and whoever has its gateway."""

from __future__ import annotations

from collections.abc import Iterable

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.book import taken
from providers.errors import Conflict, InvalidValue
from providers.model import Group, Subnet, SubnetSpec

_IPV4 = 4


def on_dhcp(subnets: Iterable[Subnet], spec: SubnetSpec, group: Group) -> bool:
    """Whether ``/dhcp`` is to serve what ``spec`` describes, beside ``subnets``; undecided, it yields to a rival.

    ``/dhcp`` knows no groups, so a network can be there in one group only (rule 9), and Foreman names a subnet by its
    network address alone, so only one of those that begin at the same address can be there. Raises Conflict when
    ``spec`` insists, InvalidValue when it insists on IPv6.
    """
    if spec.network.version != _IPV4:
        if spec.dhcp:
            raise InvalidValue(f"{spec.network} cannot be served on /dhcp, which is IPv4 only")
        return False
    rival = next((each for each in subnets if each.dhcp and _rivals(each, spec, group)), None)
    if rival is not None and spec.dhcp:
        if rival.group == group:
            raise Conflict(
                f"{rival.network} is on /dhcp already, where {spec.network} has the same network address: "
                "add this one with --no-dhcp"
            )
        raise Conflict(f"{rival.network} of group {rival.group.name} is on /dhcp already: add this one with --no-dhcp")
    return rival is None if spec.dhcp is None else spec.dhcp


def refuse_reserved_gateway(connection: Connection, subnet: Subnet, gateway: IPAddress | None) -> None:
    """Raise Conflict, naming who has it, when ``gateway`` is reserved in the subnet."""
    there = None if gateway is None else taken.reservation(connection, subnet, gateway)
    if there is not None:
        who = there.name or there.mac or "somebody without a name"
        raise Conflict(
            f"{gateway} cannot be the gateway of {subnet.network}: it is reserved for {who} "
            f"({', '.join(sorted(there.uses))}); release it first or choose another"
        )


def _rivals(other: Subnet, spec: SubnetSpec, group: Group) -> bool:
    if other.group == group:
        return bool(other.network.network == spec.network.network)
    return other.network in spec.network or spec.network in other.network
