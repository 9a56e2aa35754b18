"""What is true of every book at any time, read from the tables and reckoned without the code under test."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from netaddr import IPAddress
from sqlalchemy import Table, select

from providers.book.database import Book
from providers.book.tables import (
    dhcp_hosts,
    free_space,
    groups,
    guest_addresses,
    holds,
    metadata,
    reservations,
    rests,
    subnets,
    uses,
)

_POINT_TO_POINT = {4: 31, 6: 127}

Run = tuple[int, int]


def dump(book: Book, *, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, for comparing what was with what is."""
    with book.read() as connection:
        return {
            table.name: sorted((tuple(map(str, row)) for row in connection.execute(select(table))), key=str)
            for table in metadata.sorted_tables
            if table.name not in without
        }


def free_runs(book: Book, subnet_id: int) -> list[tuple[str, str]]:
    """The free space of a subnet as text, lowest first."""
    with book.read() as connection:
        found = connection.execute(select(free_space).where(free_space.c.subnet_id == subnet_id)).all()
    return [(str(row.first), str(row.last)) for row in sorted(found, key=lambda row: int(row.first))]


def assert_sound(book: Book) -> None:
    """Fail unless the book keeps its promises to itself; see the single checks."""
    tables = (groups, subnets, reservations, uses, dhcp_hosts, holds, rests, free_space, guest_addresses)
    with book.read() as connection:
        rows = {table.name: connection.execute(select(table)).all() for table in tables}
    _every_reservation_has_a_use(rows)
    _hosts_and_dhcp_uses_go_together(rows)
    _nobody_shares_an_address(rows)
    _everything_lies_in_the_innermost_subnet(rows)
    _guests_have_what_is_reserved_for_them(rows)
    for subnet in rows["subnets"]:
        _free_space_is_what_is_left(rows, subnet)


def _places(rows: dict[str, Any], table: Table) -> list[tuple[int, IPAddress]]:
    return [(row.subnet_id, row.address) for row in rows[table.name]]


def _every_reservation_has_a_use(rows: dict[str, Any]) -> None:
    assert set(_places(rows, reservations)) == set(_places(rows, uses))


def _hosts_and_dhcp_uses_go_together(rows: dict[str, Any]) -> None:
    served = {(row.subnet_id, row.address) for row in rows["uses"] if row.use == "dhcp"}
    assert served == set(_places(rows, dhcp_hosts))


def _nobody_shares_an_address(rows: dict[str, Any]) -> None:
    everywhere = [place for table in (reservations, holds, rests) for place in _places(rows, table)]
    assert len(everywhere) == len(set(everywhere)), "an address is reserved, held or resting twice"


def _everything_lies_in_the_innermost_subnet(rows: dict[str, Any]) -> None:
    by_id = {row.id: row for row in rows["subnets"]}
    for table in (reservations, holds, rests):
        for subnet_id, address in _places(rows, table):
            own = by_id[subnet_id]
            around = [
                each.prefix
                for each in rows["subnets"]
                if each.group_id == own.group_id and _low(each) <= int(address) <= _high(each)
                if each.network.version == address.version
            ]
            assert max(around, default=None) == own.prefix, f"{address} is not in its innermost subnet"
            assert _low(own) <= int(address) <= _high(own)


def _free_space_is_what_is_left(rows: dict[str, Any], subnet: Any) -> None:
    there = sorted((int(row.first), int(row.last)) for row in rows["free_space"] if row.subnet_id == subnet.id)
    for (_, before), (after, _) in pairwise(there):
        assert after > before + 1, f"runs of {subnet.network}/{subnet.prefix} overlap or touch: {there}"
    assert there == _left(*_hosts(subnet), _never_suggested(rows, subnet) + _taken(rows, subnet))


def _guests_have_what_is_reserved_for_them(rows: dict[str, Any]) -> None:
    had: dict[tuple[int, IPAddress], list[bool]] = {}
    for row in rows["guest_addresses"]:
        if row.subnet_id is not None:
            had.setdefault((row.subnet_id, row.address), []).append(row.shared)
    reserved = {(row.subnet_id, row.address) for row in rows["uses"] if row.use == "guest"}
    assert set(had) <= reserved, "an address of a guest is not reserved for it"
    assert all(len(shared) == 1 or all(shared) for shared in had.values()), "an address belongs to two guests"


def _low(subnet: Any) -> int:
    return int(subnet.network)


def _high(subnet: Any) -> int:
    bits = 32 if subnet.network.version == 4 else 128
    return int(subnet.network) + 2 ** (bits - subnet.prefix) - 1


def _hosts(subnet: Any) -> Run:
    if subnet.prefix >= _POINT_TO_POINT[subnet.network.version]:
        return _low(subnet), _high(subnet)
    return _low(subnet) + 1, _high(subnet) - (subnet.network.version == 4)


def _never_suggested(rows: dict[str, Any], subnet: Any) -> list[Run]:
    version, options = subnet.network.version, subnet.options
    ends = [(each, each) for each in [options["gateway"], *options["dns"], *options["ntp"]] if each]
    ends += subnet.ranges["exclusions"]
    runs = [(IPAddress(first), IPAddress(last)) for first, last in ends]
    children = [
        (_low(each), _high(each))
        for each in rows["subnets"]
        if each.group_id == subnet.group_id and each.network.version == version and each.prefix > subnet.prefix
        if _low(subnet) <= _low(each) <= _high(subnet)
    ]
    return children + [(int(first), int(last)) for first, last in runs if first.version == version]


def _taken(rows: dict[str, Any], subnet: Any) -> list[Run]:
    places = [place for table in (reservations, holds, rests) for place in _places(rows, table)]
    return [(int(address), int(address)) for subnet_id, address in places if subnet_id == subnet.id]


def _left(first: int, last: int, holes: list[Run]) -> list[Run]:
    """``first`` to ``last`` without ``holes``, which may overlap and lie anywhere."""
    left, start = [], first
    for low, high in sorted(holes):
        if low > start:
            left.append((start, min(low - 1, last)))
        start = max(start, high + 1)
        if start > last:
            break
    if start <= last:
        left.append((start, last))
    return [(low, high) for low, high in left if low <= high]
