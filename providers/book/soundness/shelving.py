"""Groups and subnets among each other: nothing twice, and one group only on ``/dhcp`` for any address."""

from __future__ import annotations

from collections.abc import Iterator

from netaddr import IPNetwork

from providers.book.directory import Directory
from providers.book.soundness.finding import Finding
from providers.model import Subnet

_IPV4 = 4


def groups_twice(directory: Directory) -> Iterator[Finding]:
    """Groups whose names differ in case alone: nobody could tell which one is meant."""
    seen: dict[str, str] = {}
    for group in directory.groups:
        if (other := seen.setdefault(group.name.casefold(), group.name)) != group.name:
            what = f"The groups {other} and {group.name} have one name, without regard to case"
            yield Finding("double", what, advice="Rename one with the database's own client")


def subnets_twice(directory: Directory) -> Iterator[Finding]:
    """A network that one group has more than once."""
    seen: dict[tuple[int, IPNetwork], Subnet] = {}
    for subnet in directory.subnets:
        other = seen.setdefault((subnet.group.id, subnet.network), subnet)
        if other is not subnet:
            what = f"{subnet.network} is in group {subnet.group.name} twice, as {other.id} and as {subnet.id}"
            yield Finding("double", what, subnet, advice="Remove one with the database's own client")


def on_dhcp(directory: Directory) -> Iterator[Finding]:
    """``/dhcp`` knows no groups: an address that two groups serve there belongs to nobody (rule 9)."""
    # By network, wider ones first: whatever still reaches over the next one lies around it.
    around: list[Subnet] = []
    for subnet in sorted(directory.subnets, key=lambda each: (each.network.version, each.network)):
        if not subnet.dhcp:
            continue
        if subnet.network.version != _IPV4:
            yield Finding("dhcp", f"{subnet.network} is on /dhcp, which is IPv4 only", subnet, advice=_off(subnet))
            continue
        around = [each for each in around if subnet.network in each.network]
        rival = next((each for each in around if each.group.id != subnet.group.id), None)
        if rival is not None:
            what = f"{subnet.network} is on /dhcp, and so is {rival.network} of group {rival.group.name}"
            yield Finding("dhcp", what, subnet, advice=_off(subnet))
        around.append(subnet)


def _off(subnet: Subnet) -> str:
    return f"leasehold subnet set {subnet.network} --group '{subnet.group.name}' --no-dhcp"
