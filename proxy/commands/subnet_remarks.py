"""What somebody may not have meant who adds or changes a subnet: told on standard error, and never refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netaddr import IPAddress, IPNetwork

from providers.errors import NotFound
from providers.model import Subnet, SubnetSpec

if TYPE_CHECKING:
    from proxy.commands.session import Desk

_IPV4 = 4


def around(book: Desk, network: IPNetwork, group: str) -> Subnet | None:
    """The smallest subnet of the group that a new one would lie in."""
    try:
        found = book.subnet_of(network.network, group)
    except NotFound:
        return None
    return found if network in found.network and network != found.network else None


def about_new(added: Subnet, spec: SubnetSpec, outer: Subnet | None) -> Iterator[str]:
    """Remarks about a subnet that was added as ``spec``, inside of ``outer`` if that is there."""
    if spec.dhcp is None and added.network.version == _IPV4 and not added.dhcp:
        yield "It is not on /dhcp, where another one has its place: leasehold subnet list shows which"
    if gateway := about_gateway(added):
        yield gateway
    if outer is not None and (lost := _known_outside_alone(outer, added)):
        advice = "name them here too (--gateway, --dns, --ntp, --dynamic) or --exclude them"
        yield f"It may hand out what {outer.network} around it does not: {', '.join(lost)}; {advice}"


def about_gateway(subnet: Subnet) -> str | None:
    """A gateway may lie elsewhere, which some sites mean and most have mistyped."""
    gateway = subnet.options.gateway
    if gateway is None or gateway in subnet.network:
        return None
    return f"Its gateway {gateway} is not in {subnet.network}. Is that meant?"


def _known_outside_alone(outer: Subnet, inner: Subnet) -> list[str]:
    """What ``outer`` never suggests and ``inner`` does: options and dynamic range hold for one subnet alone."""
    known = _named(inner)
    lost = [
        f"the {what} {address}"
        for address, what in _named(outer).items()
        if address in inner.network and address not in known and not _excluded(inner, address)
    ]
    dynamic, whole = outer.dynamic, inner.network
    if dynamic is not None and inner.dynamic is None and inner.pool is None:
        low = max(dynamic.first, IPAddress(whole.first, whole.version))
        high = min(dynamic.last, IPAddress(whole.last, whole.version))
        if low <= high and not (_excluded(inner, low) and _excluded(inner, high)):
            lost.append(f"the dynamic range {dynamic}")
    return lost


def _named(subnet: Subnet) -> dict[IPAddress, str]:
    options = subnet.options
    named = dict.fromkeys(options.ntp, "time server") | dict.fromkeys(options.dns, "name server")
    return named if options.gateway is None else {**named, options.gateway: "gateway"}


def _excluded(subnet: Subnet, address: IPAddress) -> bool:
    return any(address in span for span in subnet.exclusions)
