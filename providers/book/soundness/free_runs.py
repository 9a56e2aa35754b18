"""The free space of a subnet, compared run by run with what it has to be. Both are read in pages, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge

from netaddr import IPAddress
from sqlalchemy import Connection, LargeBinary, Table, bindparam, select, type_coerce

from providers.addresses import Range
from providers.book.tables import free_space, holds, reservations, rests

_PAGE = 5000
_MAPPED = 0xFFFF << 32
_BEFORE_ALL = b""

Run = tuple[int, int]
"""First and last address as the numbers that their octets are: IPv4 in its IPv4-mapped form."""


@dataclass(frozen=True, slots=True)
class Difference:
    """In how many places runs are not as they should be, and what there is in the first of them."""

    count: int
    written: str
    right: str


def difference(connection: Connection, subnet_id: int, allowed: Iterable[Range]) -> Difference | None:
    """Compare what is written with ``allowed`` less all that is reserved, held or resting; None when it is the same.

    ``allowed`` is what may be suggested in the empty subnet, in order and without overlaps.
    """
    taken = merge(*(_addresses(connection, table, subnet_id) for table in (reservations, holds, rests)))
    return _compare(_written(connection, subnet_id), _left(map(_run, allowed), taken))


def _compare(written: Iterator[Run], right: Iterator[Run]) -> Difference | None:
    count, reach = 0, -1
    first: tuple[Run | None, Run | None] = (None, None)
    there, wanted = next(written, None), next(right, None)
    while there is not None or wanted is not None:
        if there == wanted:
            there, wanted = next(written, None), next(right, None)
            continue
        both = [run for run in (there, wanted) if run is not None]
        if not count:
            first = (there, wanted)
        if min(both)[0] > reach:
            count += 1
        reach = max(reach, *(last for _, last in both))
        # Whichever ends first goes on; one that is not there any more waits.
        behind = wanted is None or (there is not None and there[1] <= wanted[1])
        ahead = there is None or (wanted is not None and wanted[1] <= there[1])
        there = next(written, None) if behind else there
        wanted = next(right, None) if ahead else wanted
    return Difference(count, _text(first[0]), _text(first[1])) if count else None


def _left(allowed: Iterator[Run], taken: Iterator[int]) -> Iterator[Run]:
    """The runs of ``allowed`` between the numbers in ``taken``, which come in order and may come twice."""
    address = next(taken, None)
    for first, last in allowed:
        start = first
        while address is not None and address <= last:
            if address > start:
                yield start, address - 1
            start = max(start, address + 1)
            address = next(taken, None)
        if start <= last:
            yield start, last


def _addresses(connection: Connection, table: Table, subnet_id: int) -> Iterator[int]:
    octets = type_coerce(table.c.address, LargeBinary)
    query = (
        select(octets)
        .where(table.c.subnet_id == subnet_id, octets > bindparam("after", type_=LargeBinary))
        .order_by(octets)
        .limit(_PAGE)
    )
    after = _BEFORE_ALL
    while page := connection.scalars(query, {"after": after}).all():
        yield from map(int.from_bytes, page)
        if len(page) < _PAGE:
            return
        after = page[-1]


def _written(connection: Connection, subnet_id: int) -> Iterator[Run]:
    first, last = (type_coerce(column, LargeBinary) for column in (free_space.c.first, free_space.c.last))
    query = (
        select(first, last)
        .where(free_space.c.subnet_id == subnet_id, last > bindparam("after", type_=LargeBinary))
        .order_by(last)
        .limit(_PAGE)
    )
    after = _BEFORE_ALL
    while page := connection.execute(query, {"after": after}).all():
        for low, high in page:
            yield int.from_bytes(low), int.from_bytes(high)
        if len(page) < _PAGE:
            return
        after = page[-1][1]


def _run(each: Range) -> Run:
    base = _MAPPED if each.first.version == 4 else 0
    return base + int(each.first), base + int(each.last)


def _text(run: Run | None) -> str:
    return "nothing" if run is None else "-".join(dict.fromkeys(str(_address(each)) for each in run))


def _address(number: int) -> IPAddress:
    return IPAddress(number - _MAPPED, 4) if number >> 32 == 0xFFFF else IPAddress(number, 6)
