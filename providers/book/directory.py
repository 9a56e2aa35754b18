"""All groups and subnets of the book, read once and again only when one of them changed."""

from __future__ import annotations

import sys
import threading
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import fields
from typing import Any

from netaddr import AddrFormatError, IPAddress, IPNetwork
from sqlalchemy import Connection, Row, delete, insert, select, update

from providers.addresses import Range, parse_address
from providers.book.tables import directory, groups, subnets
from providers.errors import LeaseholdError
from providers.model import Group, Options, Strategy, Subnet, SubnetSpec

_REVISION = select(directory.c.revision)
_LOCK = select(subnets.c.id).with_for_update()

_Key = tuple[int, int]


class Directory:
    """Groups and subnets as of one revision, with the look-ups that every request needs."""

    def __init__(self, revision: int, all_groups: list[Group], all_subnets: list[Subnet]) -> None:
        self.revision = revision
        self.groups = sorted(all_groups, key=lambda group: group.name.casefold())
        self.subnets = sorted(all_subnets, key=lambda subnet: (subnet.network, subnet.id))
        self.by_id = {subnet.id: subnet for subnet in self.subnets}
        self._at: dict[int, dict[int, dict[int, list[Subnet]]]] = {4: {}, 6: {}}
        for subnet in sorted(all_subnets, key=lambda each: each.id):
            network = subnet.network
            prefixes = self._at[network.version]
            prefixes.setdefault(network.prefixlen, {}).setdefault(network.first, []).append(subnet)
        self._places: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for subnet in sorted(all_subnets, key=lambda each: (each.network.first, each.id)):
            self._places[subnet.group.id, subnet.network.version].append((subnet.network.first, subnet.id))
        self._prefixes = {version: sorted(prefixes, reverse=True) for version, prefixes in self._at.items()}

    def exactly(self, network: IPNetwork) -> list[Subnet]:
        """The subnets with just this network, one per group, lowest id first."""
        return self._at[network.version].get(network.prefixlen, {}).get(network.first, [])

    def holding(self, address: IPAddress) -> list[Subnet]:
        """The subnets that hold ``address``, the most specific ones first, lowest id first among equals."""
        value, bits = int(address), 32 if address.version == 4 else 128
        found: list[Subnet] = []
        for prefix in self._prefixes[address.version]:
            network = value >> (bits - prefix) << (bits - prefix)
            found.extend(self._at[address.version][prefix].get(network, ()))
        return found

    def inside(self, subnet: Subnet) -> list[Subnet]:
        """The subnets of the same group that lie within ``subnet``, at any depth."""
        version, first, last = subnet.network.version, subnet.network.first, subnet.network.last
        places = self._places.get((subnet.group.id, version), [])
        low, high = bisect_left(places, (first, 0)), bisect_right(places, (last, sys.maxsize))
        found = (self.by_id[number] for _, number in places[low:high])
        inside = [each for each in found if each.id != subnet.id and each.network in subnet.network]
        return sorted(inside, key=lambda each: (each.network, each.id))

    def around(self, subnet: Subnet) -> Subnet | None:
        """The most specific subnet of the same group that ``subnet`` lies within."""
        for other in self.holding(IPAddress(subnet.network.first, subnet.network.version)):
            if other.group == subnet.group and other.network.prefixlen < subnet.network.prefixlen:
                return other
        return None


class DirectoryCache:
    """The directory of one process; each call asks the book whether it is still the newest."""

    def __init__(self) -> None:
        self._current: Directory | None = None
        self._reading = threading.Lock()

    def current(self, connection: Connection) -> Directory:
        """The directory as ``connection`` sees it, kept for the next one: for connections that only read."""
        revision = connection.execute(_REVISION).scalar_one()
        cached = self._current
        if cached is None or cached.revision != revision:
            with self._reading:
                cached = _read(connection, revision)
                self._current = cached
        return cached

    def within(self, connection: Connection) -> Directory:
        """The directory as a transaction sees it that writes.

        It is not kept: if the transaction fails, another one may give its revision to something else.
        """
        revision = connection.execute(_REVISION).scalar_one()
        cached = self._current
        return cached if cached is not None and cached.revision == revision else _read(connection, revision)


def lock(connection: Connection, subnet_id: int) -> None:
    """Let other writers of this subnet wait, where the database has more than one writer."""
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCK.where(subnets.c.id == subnet_id))


def lock_all(connection: Connection) -> None:
    """Let other writers of the directory wait, where the database has more than one writer."""
    if connection.dialect.name != "sqlite":
        connection.execute(_REVISION.with_for_update())


def lock_all_subnets(connection: Connection) -> None:
    """Let all other writers wait, where the database has more than one writer."""
    lock_all(connection)
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCK.order_by(subnets.c.id)).all()


def read(connection: Connection) -> Directory:
    """The directory as it is written, whatever anybody has cached."""
    return _read(connection, connection.execute(_REVISION).scalar_one())


def touch(connection: Connection) -> None:
    """Let every process read the directory again."""
    _changed(connection)


def add_group(connection: Connection, name: str, description: str) -> Group:
    """Write a new group."""
    result = connection.execute(insert(groups).values(name=name, description=description))
    _changed(connection)
    return Group(_new_id(result), name, description)


def change_group(connection: Connection, group: Group, name: str, description: str) -> Group:
    """Write another name and description over a group."""
    connection.execute(update(groups).where(groups.c.id == group.id).values(name=name, description=description))
    _changed(connection)
    return Group(group.id, name, description)


def remove_group(connection: Connection, group: Group) -> None:
    """Remove a group, which must have no subnets."""
    connection.execute(delete(groups).where(groups.c.id == group.id))
    _changed(connection)


def add_subnet(connection: Connection, spec: SubnetSpec, group: Group, *, dhcp: bool) -> Subnet:
    """Write a new subnet."""
    row = _row(spec) | {"group_id": group.id, "dhcp": dhcp, "revision": 1}
    row |= {"network": spec.network.network, "prefix": spec.network.prefixlen}
    result = connection.execute(insert(subnets).values(row))
    _changed(connection)
    return _subnet(_new_id(result), 1, spec, group, dhcp=dhcp)


def change_subnet(connection: Connection, subnet: Subnet, spec: SubnetSpec, *, dhcp: bool) -> Subnet:
    """Write what ``spec`` says over ``subnet``; network and group stay."""
    revision = subnet.revision + 1
    row = _row(spec) | {"dhcp": dhcp, "revision": revision}
    connection.execute(update(subnets).where(subnets.c.id == subnet.id).values(row))
    _changed(connection)
    return _subnet(subnet.id, revision, spec, subnet.group, dhcp=dhcp)


def resize_subnet(connection: Connection, subnet: Subnet, network: IPNetwork) -> None:
    """Let a subnet have another network; what is in it stays in it."""
    row = {"network": network.network, "prefix": network.prefixlen, "revision": subnet.revision + 1}
    connection.execute(update(subnets).where(subnets.c.id == subnet.id).values(row))
    _changed(connection)


def move_subnet(connection: Connection, subnet: Subnet, group: Group) -> None:
    """Let a subnet belong to another group; what is in it stays in it."""
    row = {"group_id": group.id, "revision": subnet.revision + 1}
    connection.execute(update(subnets).where(subnets.c.id == subnet.id).values(row))
    _changed(connection)


def remove_subnet(connection: Connection, subnet: Subnet) -> None:
    """Remove a subnet and everything that belongs to it."""
    connection.execute(delete(subnets).where(subnets.c.id == subnet.id))
    _changed(connection)


def unreadable(connection: Connection) -> list[tuple[int, str]]:
    """The subnets whose rows say nothing that this program understands: id and reason."""
    nobody = Group(0, "")
    found: list[tuple[int, str]] = []
    # One at a time: what one row has in it must not hide the others.
    for number in connection.scalars(select(subnets.c.id).order_by(subnets.c.id)).all():
        try:
            row = connection.execute(select(subnets).where(subnets.c.id == number)).one()
            subnet = _from_row(row, nobody)
            if not (isinstance(row.ranges, dict) and isinstance(row.options, dict)):
                found.append((number, "its ranges or its options are no object"))
            elif int(subnet.network.ip) != subnet.network.first:
                found.append((number, f"{subnet.network} is no network: it has host bits"))
        except (LeaseholdError, AddrFormatError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            found.append((number, str(error) or type(error).__name__))
    return found


def _changed(connection: Connection) -> None:
    connection.execute(update(directory).values(revision=directory.c.revision + 1))


def _new_id(result: Any) -> int:  # noqa: ANN401 - SQLAlchemy's result has no narrower public type
    (new_id,) = result.inserted_primary_key
    return int(new_id)


def _row(spec: SubnetSpec) -> dict[str, Any]:
    return {
        "description": spec.description,
        "strategy": spec.strategy.value,
        "ranges": {
            "pool": _ends(spec.pool),
            "dynamic": _ends(spec.dynamic),
            "exclusions": [_ends(each) for each in spec.exclusions],
        },
        "options": {
            "gateway": _text(spec.options.gateway),
            "dns": [str(each) for each in spec.options.dns],
            "ntp": [str(each) for each in spec.options.ntp],
            "domain": spec.options.domain,
            "mtu": spec.options.mtu,
            "next_server": spec.options.next_server,
            "filename": spec.options.filename,
        },
    }


def _subnet(subnet_id: int, revision: int, spec: SubnetSpec, group: Group, *, dhcp: bool) -> Subnet:
    described = {field.name: getattr(spec, field.name) for field in fields(spec)}
    return Subnet(**described | {"id": subnet_id, "revision": revision, "group": group, "dhcp": dhcp})


def _read(connection: Connection, revision: int) -> Directory:
    # Groups last: where each statement sees its own moment, the group of a new subnet must not be missing.
    rows = connection.execute(select(subnets)).all()
    by_id = {row.id: Group(row.id, row.name, row.description) for row in connection.execute(select(groups))}
    return Directory(revision, list(by_id.values()), [_from_row(row, by_id[row.group_id]) for row in rows])


def _from_row(row: Row[Any], group: Group) -> Subnet:
    ranges: dict[str, Any] = defaultdict(lambda: None, row.ranges)
    options: dict[str, Any] = defaultdict(lambda: None, row.options)
    return Subnet(
        id=row.id,
        revision=row.revision,
        network=IPNetwork((int(row.network), row.prefix), version=row.network.version),
        group=group,
        description=row.description,
        dhcp=row.dhcp,
        strategy=Strategy(row.strategy),
        pool=_range(ranges["pool"]),
        dynamic=_range(ranges["dynamic"]),
        exclusions=tuple(Range(*map(parse_address, ends)) for ends in ranges["exclusions"] or ()),
        options=Options(
            gateway=parse_address(options["gateway"]) if options["gateway"] else None,
            dns=tuple(map(parse_address, options["dns"] or ())),
            ntp=tuple(map(parse_address, options["ntp"] or ())),
            domain=options["domain"],
            mtu=options["mtu"],
            next_server=options["next_server"],
            filename=options["filename"],
        ),
    )


def _ends(each: Range | None) -> list[str] | None:
    return None if each is None else [str(each.first), str(each.last)]


def _range(ends: list[str] | None) -> Range | None:
    return None if ends is None else Range(*map(parse_address, ends))


def _text(address: IPAddress | None) -> str | None:
    return None if address is None else str(address)
