"""What a configuration of Kea means as subnets and reservations.

Options and boot servers hold for what is inside, unless something further inside says otherwise: all of Dhcp4, a shared
network, a subnet. Reservations get what they say themselves: the rest reaches their client through its subnet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from netaddr import AddrFormatError, IPAddress, IPNetwork

from providers.address_book.allocatable import host_range
from providers.address_book.incoming import Incoming, IncomingAddress, IncomingSubnet
from providers.addresses import Range, parse_address, parse_network
from providers.dhcp.kea import reservation
from providers.errors import InvalidValue
from providers.model import DHCPHost, Options, SubnetSpec, Use

_NO_ADDRESS = "0.0.0.0"  # noqa: S104 - how Kea writes none
_USED_OPTIONS = {"routers", "domain-name-servers", "ntp-servers", "domain-name", "interface-mtu"}
_CODES = {3: "routers", 6: "domain-name-servers", 42: "ntp-servers", 15: "domain-name", 26: "interface-mtu"}

Element = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Survey:
    """``unused`` is what the book has no place for, ``problems`` what should be looked at by a person."""

    incoming: Incoming
    unused: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass
class _Found:
    subnets: list[IncomingSubnet] = field(default_factory=list)
    addresses: list[IncomingAddress] = field(default_factory=list)
    unused: dict[str, None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def survey(dhcp4: Element, *, group: str = "default") -> Survey:
    """Understand what :func:`providers.dhcp.kea.grammar.read` read; subnets go to ``group`` of the book."""
    found = _Found()
    for shared in (dhcp4, *_elements(dhcp4, "shared-networks")):
        around = (dhcp4,) if shared is dhcp4 else (dhcp4, shared)
        for subnet in _elements(shared, "subnet4"):
            _subnet(subnet, (*around, subnet), group, found)
    _hosts(_elements(dhcp4, "reservations"), None, group, found)
    for key in ("client-classes", "hosts-database", "hosts-databases", "config-databases"):
        if dhcp4.get(key):
            found.unused[key] = None
    if dhcp4.get("hosts-database") or dhcp4.get("hosts-databases"):
        found.problems.append("reservations in Kea's hosts database are not in this file, and do not come in")
    return Survey(
        Incoming(tuple(found.subnets), tuple(_related(found.addresses))), tuple(found.unused), tuple(found.problems)
    )


def _subnet(subnet: Element, around: tuple[Element, ...], group: str, found: _Found) -> None:
    try:
        network = parse_network(str(subnet.get("subnet", "")))
    except InvalidValue as error:
        found.problems.append(f"a subnet4 that cannot be read: {error}")
        return
    pools = [span for pool in _elements(subnet, "pools") if (span := _pool(pool, network, found)) is not None]
    if len(pools) > 1:
        rest = ", ".join(map(str, pools[1:]))
        found.problems.append(f"{network} has several pools: {pools[0]} is its dynamic range, {rest} are exclusions")
    spec = SubnetSpec(
        network,
        group,
        dynamic=pools[0] if pools else None,
        exclusions=tuple(pools[1:]),
        options=_options(around, network, found),
    )
    found.subnets.append(IncomingSubnet(spec, f"subnet4 {network}"))
    _hosts(_elements(subnet, "reservations"), network, group, found)


def _pool(pool: Element, network: IPNetwork, found: _Found) -> Range | None:
    text = str(pool.get("pool", ""))
    try:
        if "/" in text:
            inner = parse_network(text)
            ends = [IPAddress(inner.first, 4), IPAddress(inner.last, 4)]
        else:
            ends = [parse_address(part.strip(), version=4) for part in text.split("-")]
        hosts = host_range(network)
        clipped = max(ends[0], hosts.first), min(ends[-1], hosts.last)
        return Range(*clipped)
    except (InvalidValue, AddrFormatError, ValueError) as error:
        found.problems.append(f"a pool of {network} that cannot be read: {error}")
        return None


def _options(around: Iterable[Element], network: IPNetwork, found: _Found) -> Options:
    data: dict[str, str] = {}
    boot: dict[str, str] = {}
    for element in around:
        for option in _elements(element, "option-data"):
            name = str(option.get("name") or _CODES.get(option.get("code", 0), option.get("code", "")))
            if name in _USED_OPTIONS and option.get("csv-format", True):
                data[name] = str(option.get("data", ""))
            else:
                found.unused[f"option {name}"] = None
        for key in ("next-server", "boot-file-name"):
            if element.get(key) and element[key] != _NO_ADDRESS:
                boot[key] = str(element[key])
    try:
        gateways, dns, ntp = (
            [parse_address(part.strip(), version=4) for part in data.get(name, "").split(",") if part.strip()]
            for name in ("routers", "domain-name-servers", "ntp-servers")
        )
        mtu = int(data["interface-mtu"]) if "interface-mtu" in data else None
    except (InvalidValue, ValueError) as error:
        found.problems.append(f"options of {network} that cannot be read: {error}")
        return Options()
    return Options(
        gateway=gateways[0] if gateways else None,
        dns=tuple(dns),
        ntp=tuple(ntp),
        domain=data.get("domain-name") or None,
        mtu=mtu,
        next_server=boot.get("next-server"),
        filename=boot.get("boot-file-name"),
    )


def _hosts(reservations: Iterable[Element], network: IPNetwork | None, group: str, found: _Found) -> None:
    names: set[str] = set()
    for each in reservations:
        host = reservation.read(each)
        if host is None or host.address is None:
            told = each.get("hw-address") or each.get("ip-address") or each.get("hostname") or "one"
            found.problems.append(f"reservation {told}: left out, it has not both hw-address and ip-address")
            continue
        if network is not None and host.address not in network:
            found.problems.append(f"reservation {host.address}: left out, it is not in {network}")
            continue
        for key in ("client-classes", "option-data"):
            if each.get(key):
                found.unused[f"{key} of reservations"] = None
        named = _named(host, names)
        names.add(named.name)
        origin = f"reservation {host.address}"
        found.addresses.append(
            IncomingAddress(host.address, origin, frozenset({Use.DHCP}), group, network, host=named)
        )


def _named(host: DHCPHost, taken: set[str]) -> DHCPHost:
    """The host with a name of its own, which Kea does not ask for and the book does."""
    return host if host.name not in taken else replace(host, name=f"{host.name}-{host.mac.replace(':', '')}")


def _related(addresses: Iterable[IncomingAddress]) -> Iterator[IncomingAddress]:
    """Those that Kea lets share an address know the MACs of one another."""
    entries = list(addresses)
    macs: dict[tuple[IPNetwork | None, IPAddress], set[str]] = defaultdict(set)
    for entry in entries:
        if entry.host is not None:
            macs[entry.network, entry.address].add(entry.host.mac)
    for entry in entries:
        yield replace(entry, related_macs=frozenset(macs[entry.network, entry.address]))


def _elements(element: Element, key: str) -> Iterator[Element]:
    found = element.get(key)
    yield from (each for each in found if isinstance(each, dict)) if isinstance(found, list) else ()
