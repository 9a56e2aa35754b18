"""What a configuration of dnsmasq means as subnets and reservations, for the import."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from netaddr import IPAddress, IPNetwork

from providers.address_book.allocatable import host_range
from providers.address_book.incoming import Incoming, IncomingAddress, IncomingSubnet
from providers.addresses import Range, parse_address, parse_mac
from providers.dhcp.dnsmasq.grammar import Setting
from providers.dhcp.dnsmasq.host_lines import served_name
from providers.dhcp.dnsmasq.ranges import Served, served
from providers.dhcp.dnsmasq.told import Told
from providers.dhcp.isc.described import Remark
from providers.errors import InvalidValue
from providers.model import DHCPHost, Options, SubnetSpec, Use

_NO_MATTER = frozenset(
    {"conf-dir", "conf-file", "dhcp-authoritative", "dhcp-hostsdir", "dhcp-hostsfile", "dhcp-leasefile",
     "dhcp-optsdir", "dhcp-optsfile", "interface", "bind-interfaces", "bind-dynamic", "no-ping", "log-dhcp",
     "log-facility", "pid-file", "user", "group", "port"}
)  # fmt: skip
_NAMING = ("host-record", "address", "listen-address")
"""Settings of the name server whose addresses are likely to be in use."""

_DHCP = ("dhcp-", "pxe-", "tag-if", "read-ethers", "bootp-", "enable-tftp", "tftp-")


@dataclass(frozen=True, slots=True)
class Survey:
    """``unused`` are settings that the book has no place for, ``problems`` what should be looked at by a person."""

    incoming: Incoming
    unused: tuple[Remark, ...]
    problems: tuple[Remark, ...]


@dataclass(slots=True)
class _Found:
    ranges: list[Served] = field(default_factory=list)
    hosts: list[Setting] = field(default_factory=list)
    naming: list[Setting] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    unused: list[Remark] = field(default_factory=list)
    problems: list[Remark] = field(default_factory=list)


def survey(configuration: Iterable[Setting], *, group: str = "default") -> Survey:
    """Understand a configuration; subnets go to ``group`` of the book. What cannot be understood is a problem.

    Raises InvalidValue as :func:`providers.dhcp.dnsmasq.grammar.read` does, from which the settings come.
    """
    found = _Found()
    for setting in configuration:
        try:
            _sort(setting, found)
        except InvalidValue as error:
            found.problems.append(Remark(setting.place, f"{setting.name} is left out: {error}"))
    by_network: dict[IPNetwork, list[Served]] = defaultdict(list)
    for each in found.ranges:
        by_network[each.network].append(each)
    subnets = tuple(_subnet(network, ranges, group, found) for network, ranges in by_network.items())
    hosts = tuple(address for setting in found.hosts for address in _host(setting, group, found))
    _tell_named(found, subnets, hosts)
    return Survey(Incoming(subnets, hosts), tuple(dict.fromkeys(found.unused)), tuple(found.problems))


def _sort(setting: Setting, found: _Found) -> None:
    match setting.name:
        case "dhcp-range":
            each = served(setting)
            if each is None:
                found.unused.append(Remark(setting.place, "dhcp-range of IPv6"))
            else:
                found.ranges.append(each)
        case "dhcp-host":
            found.hosts.append(setting)
        case "dhcp-option" | "dhcp-option-force" | "dhcp-boot" | "domain":
            if not found.told.take(setting):
                words = [word for word in setting.words if word.startswith("option:") or word.isdecimal()]
                found.unused.append(Remark(setting.place, " ".join([setting.name, *words[:1]])))
        case name if name in _NAMING:
            found.naming.append(setting)
        case name if name not in _NO_MATTER and name.startswith(_DHCP):
            found.unused.append(Remark(setting.place, name))


def _tell_named(found: _Found, subnets: Iterable[IncomingSubnet], hosts: Iterable[IncomingAddress]) -> None:
    """Addresses of the subnets that only other settings name: the book would suggest them to the next who asks."""
    specs = [each.spec for each in subnets]
    known = {each.address for each in hosts} | {each.options.gateway for each in specs}
    for setting in found.naming:
        for word in setting.words:
            address = _address(word.rpartition("/")[2])
            if address is None or address in known:
                continue
            if any(address in host_range(each.network) for each in specs):
                known.add(address)
                what = f"{setting.name} names {address}, which no dhcp-host has"
                found.problems.append(Remark(setting.place, f"{what}: if it is in use, reserve it after the import"))


def _subnet(network: IPNetwork, ranges: list[Served], group: str, found: _Found) -> IncomingSubnet:
    """A subnet; the book knows one dynamic range, and further ones become exclusions."""
    place = ranges[0].setting.place
    if all(each.assumed for each in ranges):
        found.problems.append(
            Remark(place, f"dhcp-range has no netmask, which dnsmasq takes from its interface: taken as {network}")
        )
    spans = _joined([each.span for each in ranges if each.span is not None])
    if len(spans) > 1:
        rest = ", ".join(map(str, spans[1:]))
        found.problems.append(
            Remark(place, f"{network} has several ranges: {spans[0]} is its dynamic range, {rest} are exclusions")
        )
    options = found.told.options(network, frozenset().union(*(each.tags for each in ranges)))
    if options.gateway is not None and options.gateway in network and options.gateway not in host_range(network):
        found.problems.append(Remark(place, f"{options.gateway} cannot be a gateway of {network}"))
        options = replace(options, gateway=None)
    spec = SubnetSpec(
        network, group, dynamic=spans[0] if spans else None, exclusions=tuple(spans[1:]), options=_sane(options)
    )
    return IncomingSubnet(spec, str(place))


def _sane(options: Options) -> Options:
    """Without what dnsmasq replaces with its own address."""
    own = IPAddress("0.0.0.0")  # noqa: S104 - dnsmasq's word for itself
    return replace(
        options,
        gateway=None if options.gateway == own else options.gateway,
        dns=tuple(each for each in options.dns if each != own),
        ntp=tuple(each for each in options.ntp if each != own),
    )


def _joined(spans: list[Range]) -> list[Range]:
    """Ranges that touch or overlap as one; the one that was written first stays in front."""
    joined: list[Range] = []
    for span in sorted(spans, key=lambda each: int(each.first)):
        if joined and int(span.first) <= int(joined[-1].last) + 1:
            joined[-1] = Range(joined[-1].first, max(joined[-1].last, span.last))
        else:
            joined.append(span)
    return sorted(joined, key=lambda each: spans[0].first not in each)


def _host(setting: Setting, group: str, found: _Found) -> list[IncomingAddress]:
    """A ``dhcp-host`` as a DHCP host for each of its MACs; none, and a remark, when it reserves no address."""
    macs, tags, address, name = _read_host(setting, found)
    place = setting.place
    if address is None or not macs:
        if "ignore" in setting.words:
            what = "ignores a client"
        else:
            what = "has no MAC" if address is not None else "has no IPv4 address"
        found.problems.append(Remark(place, f"dhcp-host {what}: left out"))
        return []
    if name is None:
        name = f"host-{str(address).replace('.', '-')}"
        found.problems.append(Remark(place, f"dhcp-host of {address} has no name: called {name}"))
    filename, next_server = found.told.boot({*tags, "known"} if tags else ())
    made = []
    for number, mac in enumerate(macs, 1):
        # A bond, named as Foreman does it.
        called = name if len(macs) == 1 else f"{name}-{number:02}"
        host = DHCPHost(mac, called, name, filename, next_server)
        uses, bond = frozenset({Use.DHCP}), frozenset(macs) if len(macs) > 1 else frozenset()
        made.append(IncomingAddress(address, str(place), uses, group, host=host, related_macs=bond))
    return made


def _read_host(setting: Setting, found: _Found) -> tuple[list[str], set[str], IPAddress | None, str | None]:
    macs: list[str] = []
    tags: set[str] = set()
    address, name = None, None
    for word in setting.words:
        if word.startswith(("set:", "net:")):
            tags.add(word[4:])
        elif word.startswith(("tag:", "id:", "[")):
            found.unused.append(Remark(setting.place, f"dhcp-host with {word.partition(':')[0].strip('[')}"))
        elif ":" in word:
            try:
                macs.append(parse_mac(word))
            except InvalidValue as error:
                found.problems.append(Remark(setting.place, f"dhcp-host: {error}"))
        elif served_name(word) and word.lower() not in ("ignore", "infinite"):
            name = word.rstrip(".")
        else:
            address = _address(word) or address
    return list(dict.fromkeys(macs)), tags, address, name


def _address(word: str) -> IPAddress | None:
    try:
        return parse_address(word, version=4)
    except InvalidValue:
        return None
