"""Which addresses of a subnet may be handed out, and which not even when named. Pure arithmetic, no SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netaddr import IPAddress, IPNetwork

from providers.address_book.texts import refuse_unfit_note, refuse_unfit_subnet_options
from providers.addresses import Range
from providers.errors import InvalidValue
from providers.model import Subnet, SubnetSpec

_IPV4 = 4
_POINT_TO_POINT = {4: 31, 6: 127}
_IPV4_MAPPED = IPNetwork("::ffff:0:0/96")

Described = Subnet | SubnetSpec


def host_range(network: IPNetwork) -> Range:
    """The addresses that a host may have.

    Without network and broadcast address (IPv4), without the subnet-router anycast address (IPv6, RFC 4291 2.6.1);
    /31, /127 (RFC 3021, RFC 6164), /32 and /128 have neither.
    """
    first, last, version = network.first, network.last, network.version
    if network.prefixlen < _POINT_TO_POINT[version]:
        first += 1
        last -= 1 if version == _IPV4 else 0
    return Range(IPAddress(first, version), IPAddress(last, version))


def refuse_unusable(subnet: Subnet, address: IPAddress) -> None:
    """Raise InvalidValue for an address that nobody may reserve, whoever asks (rule 7)."""
    if address not in subnet.network:
        raise InvalidValue(f"{address} is not in {subnet.network}")
    if address not in host_range(subnet.network):
        kind = "network" if int(address) == subnet.network.first else "broadcast"
        if subnet.network.version != _IPV4:
            kind = "subnet-router anycast"
        raise InvalidValue(f"{address} is the {kind} address of {subnet.network}: choose another")
    if address == subnet.options.gateway:
        raise InvalidValue(f"{address} is the gateway of {subnet.network}: choose another")


def usable(subnet: Subnet, address: IPAddress) -> bool:
    """Whether somebody may reserve the address by naming it."""
    try:
        refuse_unusable(subnet, address)
    except InvalidValue:
        return False
    return True


def passed_over(subnet: Described, children: Iterable[IPNetwork]) -> list[Range]:
    """What is never suggested within the host range: gateway, name and time servers, exclusions, subnets inside."""
    options = subnet.options
    named = (options.gateway, *options.dns, *options.ntp)
    single = [each for each in named if each is not None and each in subnet.network]
    nested = [Range(IPAddress(c.first, c.version), IPAddress(c.last, c.version)) for c in children]
    return [Range(each, each) for each in single] + list(subnet.exclusions) + nested


def without(whole: Range, holes: Iterable[Range]) -> list[Range]:
    """The parts of ``whole`` that are in none of ``holes``, in order."""
    version, start, end = whole.first.version, int(whole.first), int(whole.last)
    parts = []
    for hole in sorted(holes, key=lambda each: int(each.first)):
        low, high = int(hole.first), int(hole.last)
        if high < start or low > end:
            continue
        if low > start:
            parts.append(Range(IPAddress(start, version), IPAddress(low - 1, version)))
        start = high + 1
    if start <= end:
        parts.append(Range(IPAddress(start, version), IPAddress(end, version)))
    return parts


def gaps(whole: Range, taken_addresses: Iterator[IPAddress]) -> Iterator[Range]:
    """The runs of ``whole`` between addresses that come in order."""
    version, start = whole.first.version, int(whole.first)
    for address in taken_addresses:
        if int(address) > start:
            yield Range(IPAddress(start, version), address - 1)
        start = int(address) + 1
    if start <= int(whole.last):
        yield Range(IPAddress(start, version), whole.last)


def suggestible(subnet: Subnet, span: Range | None) -> list[Range]:
    """The ranges that a suggestion comes from: the caller's span, else the pool, else all but the dynamic range.

    Raises InvalidValue for a span that holds no host address of the subnet (rule 8).
    """
    hosts = host_range(subnet.network)
    if span is None:
        if subnet.pool is not None:
            return [subnet.pool]
        return without(hosts, [subnet.dynamic] if subnet.dynamic is not None else [])
    if not span.within(subnet.network):
        raise InvalidValue(f"Range {span} does not belong to subnet {subnet.network}")
    first, last = max(span.first, hosts.first), min(span.last, hosts.last)
    if first > last:
        raise InvalidValue(f"Range {span} has no host address of {subnet.network}")
    return [Range(first, last)]


def refuse_unfit_subnet(spec: SubnetSpec) -> None:
    """Raise InvalidValue when pool, dynamic range, exclusions or options do not fit the network."""
    refuse_unfit_note(spec.description)
    refuse_unfit_subnet_options(spec.options)
    if spec.network in _IPV4_MAPPED or _IPV4_MAPPED in spec.network:
        raise InvalidValue(f"{spec.network} holds IPv4-mapped addresses ({_IPV4_MAPPED}): no host has one")
    ranges = [("pool", spec.pool), ("dynamic range", spec.dynamic), *(("exclusion", each) for each in spec.exclusions)]
    for what, each in ranges:
        if each is not None and not each.within(spec.network):
            raise InvalidValue(f"The {what} {each} is not in {spec.network}")
    hosts = host_range(spec.network)
    for what, each in ranges[:2]:
        if each is not None and not (each.first in hosts and each.last in hosts):
            raise InvalidValue(f"The {what} {each} holds the network or broadcast address of {spec.network}")
    gateway = spec.options.gateway
    if gateway is not None and gateway.version != spec.network.version:
        raise InvalidValue(f"The gateway {gateway} is not of the family of {spec.network}")
    if gateway is not None and gateway in spec.network and gateway not in hosts:
        raise InvalidValue(f"The gateway {gateway} is the network or broadcast address of {spec.network}")
