"""The free space of a subnet, kept as runs of addresses, so that finding the next free one costs the same at any fill.

A run is a row (first, last). Runs of a subnet neither overlap nor touch. The next free address from some point on is
one look into the index on (subnet, last).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from netaddr import IPAddress
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from providers.addresses import Range
from providers.book.tables import free_space

_FIND = (
    select(free_space.c.first, free_space.c.last)
    .where(free_space.c.subnet_id == bindparam("subnet"), free_space.c.last >= bindparam("start"))
    .order_by(free_space.c.last)
    .limit(1)
)
_AT = (free_space.c.subnet_id == bindparam("subnet")) & (free_space.c.last == bindparam("at"))
_MOVE_FIRST = update(free_space).where(_AT).values(first=bindparam("new"))
_MOVE_LAST = update(free_space).where(_AT).values(last=bindparam("new"))
_REMOVE = delete(free_space).where(_AT)
_ADD = insert(free_space)

_PORTION = 5000
"""How many runs are in memory at once: a million of them take more than a gigabyte."""


def run_from(connection: Connection, subnet_id: int, start: IPAddress) -> Range | None:
    """The first run that ends at ``start`` or later."""
    row = connection.execute(_FIND, {"subnet": subnet_id, "start": start}).first()
    return None if row is None else Range(row.first, row.last)


def carve(connection: Connection, subnet_id: int, run: Range, address: IPAddress) -> None:
    """Take ``address`` out of ``run``, which holds it."""
    at = {"subnet": subnet_id, "at": run.last}
    if address == run.first == run.last:
        connection.execute(_REMOVE, at)
    elif address == run.first:
        connection.execute(_MOVE_FIRST, at | {"new": address + 1})
    elif address == run.last:
        connection.execute(_MOVE_LAST, at | {"new": address - 1})
    else:
        connection.execute(_MOVE_FIRST, at | {"new": address + 1})
        connection.execute(_ADD, {"subnet_id": subnet_id, "first": run.first, "last": address - 1})


def take(connection: Connection, subnet_id: int, address: IPAddress) -> None:
    """Make ``address`` not free, whether it was or not."""
    run = run_from(connection, subnet_id, address)
    if run is not None and address in run:
        carve(connection, subnet_id, run, address)


def take_run(connection: Connection, subnet_id: int, whole: Range) -> None:
    """Make every address of ``whole`` not free, whether it was or not."""
    while (run := run_from(connection, subnet_id, whole.first)) is not None and run.first <= whole.last:
        connection.execute(_REMOVE, {"subnet": subnet_id, "at": run.last})
        left = [(run.first, whole.first - 1)] if run.first < whole.first else []
        right = [(whole.last + 1, run.last)] if run.last > whole.last else []
        for first, last in left + right:
            connection.execute(_ADD, {"subnet_id": subnet_id, "first": first, "last": last})


def give(connection: Connection, subnet_id: int, address: IPAddress) -> None:
    """Make ``address`` free, joining the runs on both sides; it may be free already."""
    # The run that ends just below is found by its own end, the one above by being the next.
    following = run_from(connection, subnet_id, address)
    if following is not None and address in following:
        return
    touches_following = following is not None and int(following.first) == int(address) + 1
    preceding = None
    if int(address) > 0:
        found = run_from(connection, subnet_id, address - 1)
        preceding = found if found is not None and found.last == address - 1 else None
    if preceding is not None and following is not None and touches_following:
        connection.execute(_REMOVE, {"subnet": subnet_id, "at": preceding.last})
        connection.execute(_MOVE_FIRST, {"subnet": subnet_id, "at": following.last, "new": preceding.first})
    elif following is not None and touches_following:
        connection.execute(_MOVE_FIRST, {"subnet": subnet_id, "at": following.last, "new": address})
    elif preceding is not None:
        connection.execute(_MOVE_LAST, {"subnet": subnet_id, "at": preceding.last, "new": address})
    else:
        connection.execute(_ADD, {"subnet_id": subnet_id, "first": address, "last": address})


def replace(connection: Connection, subnet_id: int, runs: Iterable[Range]) -> None:
    """Write the free space of a subnet anew."""
    connection.execute(delete(free_space).where(free_space.c.subnet_id == subnet_id))
    for portion in _portions(runs):
        connection.execute(
            _ADD, [{"subnet_id": subnet_id, "first": run.first, "last": run.last} for run in portion]
        )


def _portions(runs: Iterable[Range]) -> Iterator[list[Range]]:
    coming = iter(runs)
    while portion := list(islice(coming, _PORTION)):
        yield portion
