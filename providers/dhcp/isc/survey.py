"""What a configuration and a leases file mean as subnets, reservations and leases.

Declarations are read as dhcpd.conf(5) says: a parameter holds for everything declared inside the declaration that
has it, wherever in it, unless something further inside says otherwise. Subnets get what holds for them, hosts what
they and the groups around them say: the rest reaches a host's client through its subnet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from netaddr import IPNetwork

from providers.address_book.incoming import Incoming
from providers.addresses import parse_address, parse_network
from providers.dhcp.isc import values
from providers.dhcp.isc.bonds import with_related_macs
from providers.dhcp.isc.described import Remark, Remarks, described_host, described_subnet
from providers.dhcp.isc.grammar import Statement
from providers.dhcp.isc.leases import ActiveLease, Written
from providers.errors import InvalidValue

__all__ = ["Remark", "Survey", "survey"]

_FOR_HOSTS = frozenset({"filename", "next-server", "option host-name"})
_FOR_SUBNETS = frozenset(
    {
        "filename",
        "next-server",
        "option domain-name",
        "option domain-name-servers",
        "option interface-mtu",
        "option ntp-servers",
        "option routers",
    }
)
_SUBNET_WORDS = 4


@dataclass(frozen=True, slots=True)
class Survey:
    """``unused`` are statements that the book has no place for, ``problems`` what should be looked at by a person."""

    incoming: Incoming
    unused: tuple[Remark, ...]
    problems: tuple[Remark, ...]
    leases: tuple[ActiveLease, ...]


@dataclass(slots=True)
class _Subnet:
    statement: Statement
    network: IPNetwork
    parameters: Mapping[str, Statement]


@dataclass(slots=True)
class _Found:
    """What the walk through the declarations came upon."""

    subnets: list[_Subnet] = field(default_factory=list)
    ranges: list[Statement] = field(default_factory=list)
    hosts: list[tuple[Statement, Mapping[str, Statement]]] = field(default_factory=list)
    remarks: Remarks = field(default_factory=Remarks)


@dataclass(frozen=True, slots=True)
class _Scope:
    """A declaration: what holds in it, and what groups, without subnets between, say to its hosts."""

    kind: str = ""
    parameters: Mapping[str, Statement] = field(default_factory=dict)
    of_groups: Mapping[str, Statement] = field(default_factory=dict)


def survey(configuration: Iterable[Statement], written: Written | None = None, *, group: str = "default") -> Survey:
    """Understand a configuration and what a leases file says; subnets go to ``group`` of the book.

    Nothing is refused here: what cannot be understood is told among the problems. Raises InvalidValue as
    :func:`providers.dhcp.isc.grammar.read` does, from which the statements come.
    """
    found = _Found()
    _walk(tuple(configuration), _Scope(), found)
    if written is not None:
        _merge(found, written)
    specs = [
        described_subnet(each.statement, each.network, each.parameters, ranges, group, found.remarks)
        for each, ranges in _with_ranges(found)
    ]
    hosts = [entry for each in found.hosts for entry in described_host(*each, group, found.remarks)]
    incoming = Incoming(tuple(specs), tuple(with_related_macs(hosts)))
    remarks = found.remarks
    return Survey(incoming, remarks.unused(), remarks.problems(), tuple(written.leases) if written else ())


def _walk(block: tuple[Statement, ...], scope: _Scope, found: _Found) -> None:
    # Parameters first: they hold for declarations that stand before them too.
    own: dict[str, Statement] = {}
    for statement in block:
        if statement.block is not None:
            continue
        keyword = statement.keyword
        if keyword == "range" and scope.kind in ("subnet", "pool"):
            found.ranges.append(statement)
        elif keyword in _FOR_SUBNETS | _FOR_HOSTS and scope.kind != "pool":
            own[keyword] = statement
        else:
            found.remarks.not_used(statement)
    inner = _Scope(
        scope.kind,
        {**scope.parameters, **own},
        {**scope.of_groups, **own} if scope.kind == "group" else {},
    )
    used = [_declare(statement, inner, found) for statement in block if statement.block is not None]
    if scope.kind == "group" and not any(used):
        for keyword in own.keys() - _FOR_HOSTS:
            found.remarks.not_used(own[keyword])
    for keyword in own.keys() - _FOR_SUBNETS if scope.kind != "group" else ():
        found.remarks.not_used(own[keyword])


def _declare(statement: Statement, scope: _Scope, found: _Found) -> bool:
    """Take note of a declaration with all in it; returns whether subnets are among that."""
    block = statement.block or ()
    before = len(found.subnets)
    match statement.keyword:
        case "group" | "shared-network" | "pool" as kind:
            _walk(block, _Scope(kind, scope.parameters, scope.of_groups if kind == "group" else {}), found)
        case "subnet":
            _declare_subnet(statement, block, scope, found)
        case "host" if len(statement.words) > 1:
            found.hosts.append((statement, scope.of_groups))
        case _:
            found.remarks.not_used(statement)
    return len(found.subnets) > before


def _declare_subnet(statement: Statement, block: tuple[Statement, ...], scope: _Scope, found: _Found) -> None:
    # Parameters of its own block are known after the walk, declarations in it need not wait for it.
    own = {each.keyword: each for each in block if each.block is None and each.keyword in _FOR_SUBNETS}
    try:
        network = _network(statement)
    except InvalidValue as error:
        found.remarks.problem(statement.place, f"a subnet that cannot be read: {error}")
    else:
        found.subnets.append(_Subnet(statement, network, {**scope.parameters, **own}))
    _walk(block, _Scope("subnet", scope.parameters), found)


def _network(statement: Statement) -> IPNetwork:
    """``subnet 10.0.1.0 netmask 255.255.255.0``; raises InvalidValue."""
    texts = [word.text for word in statement.words]
    if len(texts) != _SUBNET_WORDS or texts[2].lower() != "netmask":
        raise InvalidValue("write it as subnet 10.0.1.0 netmask 255.255.255.0")
    network, mask = parse_address(texts[1], version=4), parse_address(texts[3], version=4)
    if not mask.is_netmask():
        raise InvalidValue(f"{mask} is no netmask")
    return parse_network(f"{network}/{mask.netmask_bits()}")


def _with_ranges(found: _Found) -> list[tuple[_Subnet, list[Statement]]]:
    """Each subnet with the ranges in it; a pool of a shared network does not say which subnet it means."""
    by_size = sorted(found.subnets, key=lambda each: -each.network.prefixlen)
    ranges: dict[int, list[Statement]] = {id(each): [] for each in by_size}
    for statement in found.ranges:
        words = [word for word in statement.arguments if word.text.lower() != "dynamic-bootp"]
        try:
            first = values.address(words[:1])
        except InvalidValue as error:
            found.remarks.problem(statement.place, f"a range that cannot be read: {error}")
            continue
        home = next((each for each in by_size if first in each.network), None)
        if home is None:
            found.remarks.problem(statement.place, f"the range at {first} is in no subnet")
        else:
            ranges[id(home)].append(statement)
    return [(each, ranges[id(each)]) for each in found.subnets]


def _merge(found: _Found, written: Written) -> None:
    """Let hosts that were deleted or made through OMAPI be so."""
    kept = []
    for statement, of_groups in found.hosts:
        name = statement.words[1].text
        if name in written.deleted:
            what = "replaced" if name in written.hosts else "deleted"
            found.remarks.problem(statement.place, f"host {name} was {what} through OMAPI: left out")
        else:
            kept.append((statement, of_groups))
    found.hosts = [*kept, *((statement, {}) for statement in written.hosts.values())]
    for statement in written.other:
        found.remarks.not_used(statement)
