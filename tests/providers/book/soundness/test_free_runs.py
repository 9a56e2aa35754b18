"""Comparing free space run by run, against sets of addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress
from sqlalchemy import insert

from providers.addresses import Range
from providers.book import free_space
from providers.book.database import Book
from providers.book.soundness import free_runs
from providers.book.soundness.free_runs import _compare, _left
from providers.book.tables import rests
from providers.model import Subnet
from tests.conftest import HandClock

SOME = st.sets(st.integers(0, 40))


def runs(numbers: set[int]) -> list[tuple[int, int]]:
    """A set of numbers as runs that do not touch."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


@given(SOME, SOME)
def test_what_is_left_is_what_is_allowed_less_what_is_taken(allowed: set[int], taken: set[int]):
    twice = sorted([*taken, *taken])
    assert list(_left(iter(runs(allowed)), iter(twice))) == runs(allowed - taken)


@given(SOME, SOME)
def test_a_difference_is_found_exactly_when_there_is_one(written: set[int], right: set[int]):
    found = _compare(iter(runs(written)), iter(runs(right)))
    assert (found is None) == (written == right)


@given(SOME, SOME)
def test_the_first_difference_is_told(written: set[int], right: set[int]):
    found = _compare(iter(runs(written)), iter(runs(right)))
    if found is not None:
        pairs = set(runs(written)) ^ set(runs(right))
        assert found.count <= len(pairs)
        lowest = min(pairs)
        assert str(IPAddress(lowest[0], 6)) in (found.written.split("-")[0], found.right.split("-")[0])


@pytest.mark.parametrize("page", [1, 2, 3, 5000])
def test_pages_make_no_difference(
    page: int, book: Book, subnet: Subnet, clock: HandClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(free_runs, "_PAGE", page)
    whole = Range(IPAddress("10.0.0.1"), IPAddress("10.0.0.254"))
    resting = [IPAddress(f"10.0.0.{octet}") for octet in (1, 2, 9, 40, 41, 254)]
    free = [("10.0.0.3", "10.0.0.8"), ("10.0.0.10", "10.0.0.39"), ("10.0.0.42", "10.0.0.253")]

    def work(connection):
        rows = [{"subnet_id": subnet.id, "address": each, "expires_at": clock()} for each in resting]
        connection.execute(insert(rests), rows)
        free_space.replace(connection, subnet.id, [Range(*map(IPAddress, ends)) for ends in free])

    book.write(work)
    with book.read() as connection:
        assert free_runs.difference(connection, subnet.id, [whole]) is None
        other = free_runs.difference(connection, subnet.id, [Range(whole.first, IPAddress("10.0.0.100"))])
    assert other is not None
    assert (other.count, other.written, other.right) == (1, "10.0.0.42-10.0.0.253", "10.0.0.42-10.0.0.100")
