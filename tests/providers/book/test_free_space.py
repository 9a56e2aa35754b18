"""The free space of a subnet: runs that behave as a set of addresses does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from netaddr import IPAddress
from sqlalchemy import Connection, delete

from providers.addresses import Range
from providers.book import free_space
from providers.book.database import Book
from providers.book.tables import free_space as table
from providers.model import Subnet
from tests.providers.soundness import free_runs

BASES = {"IPv4": IPAddress("10.0.0.0"), "zero": IPAddress("0.0.0.0"), "IPv6": IPAddress("2001:db8::ffff:fff0")}
OFFSETS = st.integers(0, 15)
CHANGES = st.lists(st.tuples(st.sampled_from(["take", "give", "first from"]), OFFSETS), max_size=40)
NOT_JUDGED = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)


def runs_of(addresses: set[int], base: IPAddress) -> list[tuple[str, str]]:
    """A set of offsets as runs that neither overlap nor touch."""
    starts = [each for each in sorted(addresses) if each - 1 not in addresses]
    ends = [each for each in sorted(addresses) if each + 1 not in addresses]
    return [(str(base + start), str(base + end)) for start, end in zip(starts, ends, strict=True)]


def fill(connection: Connection, subnet: Subnet, addresses: set[int], base: IPAddress) -> None:
    runs = [Range(IPAddress(first), IPAddress(last)) for first, last in runs_of(addresses, base)]
    free_space.replace(connection, subnet.id, runs)


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
@given(start=st.sets(OFFSETS), changes=CHANGES)
@settings(max_examples=60, deadline=None, suppress_health_check=NOT_JUDGED)
def test_behaves_as_a_set(book: Book, subnet: Subnet, base: IPAddress, start: set[int], changes: list[tuple[str, int]]):
    """Take, give and find in any order, judged by a set; the runs are the shortest that say the same."""
    free = set(start)

    def work(connection: Connection) -> None:
        fill(connection, subnet, free, base)
        for change, offset in changes:
            address = base + offset
            if change == "take":
                free_space.take(connection, subnet.id, address)
                free.discard(offset)
            elif change == "give":
                free_space.give(connection, subnet.id, address)
                free.add(offset)
            else:
                run = free_space.run_from(connection, subnet.id, address)
                found = None if run is None else int(max(run.first, address)) - int(base)
                assert found == min((each for each in free if each >= offset), default=None)

    book.write(work)
    assert free_runs(book, subnet.id) == runs_of(free, base)


@given(start=st.sets(OFFSETS, min_size=1), data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=NOT_JUDGED)
def test_carving_takes_one_address_out_of_its_run(book: Book, subnet: Subnet, start: set[int], data: st.DataObject):
    base, offset = BASES["IPv4"], data.draw(st.sampled_from(sorted(start)))

    def work(connection: Connection) -> None:
        fill(connection, subnet, start, base)
        run = free_space.run_from(connection, subnet.id, base + offset)
        assert run is not None
        free_space.carve(connection, subnet.id, run, base + offset)

    book.write(work)
    assert free_runs(book, subnet.id) == runs_of(start - {offset}, base)


def test_nothing_is_free_in_an_empty_space(book: Book, subnet: Subnet):
    assert book.write(lambda connection: free_space.run_from(connection, subnet.id, IPAddress("0.0.0.0"))) is None


def test_the_highest_addresses_there_are(book: Book, subnet: Subnet):
    last = IPAddress("255.255.255.255")

    def work(connection: Connection) -> None:
        for address in (last, last - 1):
            free_space.give(connection, subnet.id, address)
        free_space.take(connection, subnet.id, last)

    book.write(work)
    assert free_runs(book, subnet.id) == [("255.255.255.254", "255.255.255.254")]


def test_replacing_leaves_nothing_of_what_was_there(book: Book, subnet: Subnet):
    book.write(lambda connection: fill(connection, subnet, {1, 2, 9}, BASES["IPv4"]))
    book.write(lambda connection: fill(connection, subnet, {4}, BASES["IPv4"]))
    assert free_runs(book, subnet.id) == [("10.0.0.4", "10.0.0.4")]


def test_the_space_of_another_subnet_is_not_touched(book: Book, subnet: Subnet):
    def work(connection: Connection) -> None:
        fill(connection, subnet, {1, 3}, BASES["IPv4"])
        free_space.give(connection, subnet.id, IPAddress("10.0.0.2"))
        assert free_space.run_from(connection, subnet.id + 1, IPAddress("10.0.0.0")) is None
        connection.execute(delete(table).where(table.c.subnet_id == subnet.id + 1))

    book.write(work)
    assert free_runs(book, subnet.id) == [("10.0.0.1", "10.0.0.3")]


@pytest.mark.parametrize("query", ["run_from", "carve", "take", "give"])
def test_rule_14_every_question_is_one_look_into_the_index(book: Book, subnet: Subnet, query: str):
    """Cost must not grow with the fill, so nothing may scan; SQLite says how it would look."""
    statements: list[tuple[str, object]] = []

    def work(connection: Connection) -> None:
        fill(connection, subnet, {1, 2, 3, 9}, BASES["IPv4"])
        run = Range(IPAddress("10.0.0.1"), IPAddress("10.0.0.3"))
        connection.connection.dbapi_connection.set_trace_callback(lambda text: statements.append((text, None)))
        try:
            if query == "run_from":
                free_space.run_from(connection, subnet.id, IPAddress("10.0.0.2"))
            elif query == "carve":
                free_space.carve(connection, subnet.id, run, IPAddress("10.0.0.2"))
            elif query == "take":
                free_space.take(connection, subnet.id, IPAddress("10.0.0.2"))
            else:
                free_space.give(connection, subnet.id, IPAddress("10.0.0.4"))
        finally:
            connection.connection.dbapi_connection.set_trace_callback(None)
        for text, _ in statements:
            if not text.startswith(("SELECT", "UPDATE", "DELETE")):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
            assert all(row[3].startswith("SEARCH free_space") for row in plan), plan

    book.write(work)
    assert statements


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5])
def test_more_runs_than_are_written_at_once_are_all_written(
    book: Book, subnet: Subnet, number: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(free_space, "_PORTION", 2)
    offsets = set(range(0, 2 * number, 2))

    book.write(lambda connection: fill(connection, subnet, offsets, BASES["IPv4"]))

    assert free_runs(book, subnet.id) == runs_of(offsets, BASES["IPv4"])
