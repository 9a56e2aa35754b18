"""What stands in the way of a subnet as it is described: other subnets on ``/dhcp``, and whoever has its gateway."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator

from netaddr import IPAddress, IPNetwork
from sqlalchemy import Connection

from providers.book import taken
from providers.errors import Conflict, InvalidValue
from providers.model import Group, Subnet, SubnetSpec

_IPV4 = 4
_BITS = 32


class Served:
    """Those of some subnets that are on ``/dhcp``; which of them overlap a network is found without looking at all."""

    def __init__(self, subnets: Iterable[Subnet]) -> None:
        self._starts: list[int] = []
        self._at: dict[int, list[Subnet]] = {}
        for each in subnets:
            self.add(each)

    def add(self, subnet: Subnet) -> None:
        """One more, if it is on ``/dhcp``."""
        start = subnet.network.first
        if subnet.dhcp:
            if start not in self._at:
                insort(self._starts, start)
            self._at.setdefault(start, []).append(subnet)

    def overlapping(self, network: IPNetwork) -> Iterator[Subnet]:
        """Those that hold ``network`` (IPv4), then those that lie in it."""
        first, last = network.first, network.last
        around = {first >> (_BITS - length) << (_BITS - length) for length in range(network.prefixlen)} - {first}
        for start in sorted(around & self._at.keys()):
            yield from (each for each in self._at[start] if each.network.last >= last)
        for start in self._starts[bisect_left(self._starts, first) : bisect_right(self._starts, last)]:
            yield from self._at[start]


def on_dhcp(served: Served, spec: SubnetSpec, group: Group) -> bool:
    """Whether ``/dhcp`` is to serve what ``spec`` describes, beside ``served``; undecided, it yields to a rival.

    ``/dhcp`` knows no groups, so a network can be there in one group only (rule 9), and Foreman names a subnet by its
    network address alone, so only one of those that begin at the same address can be there. Raises Conflict when
    ``spec`` insists, InvalidValue when it insists on IPv6.
    """
    if spec.network.version != _IPV4:
        if spec.dhcp:
            raise InvalidValue(f"{spec.network} cannot be served on /dhcp, which is IPv4 only")
        return False
    rival = rival_on_dhcp(served, spec, group)
    if rival is not None and spec.dhcp:
        if rival.group == group:
            raise Conflict(
                f"{rival.network} is on /dhcp already, where {spec.network} has the same network address: "
                "add this one with --no-dhcp"
            )
        raise Conflict(f"{rival.network} of group {rival.group.name} is on /dhcp already: add this one with --no-dhcp")
    return rival is None if spec.dhcp is None else spec.dhcp


def rival_on_dhcp(served: Served, spec: SubnetSpec, group: Group) -> Subnet | None:
    """The one because of which ``/dhcp`` cannot serve what ``spec`` describes as well; it never serves IPv6."""
    if spec.network.version != _IPV4:
        return None
    return next((each for each in served.overlapping(spec.network) if _rivals(each, spec, group)), None)


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
    """Whether two that overlap cannot both be there."""
    return bool(other.group != group or other.network.first == spec.network.first)
