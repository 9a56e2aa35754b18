"""Column types: what goes in comes out, and the database's order is the numeric one."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress
from sqlalchemy.dialects import mysql, postgresql, sqlite

from providers.book.columns import Address, Moment

SQLITE = sqlite.dialect()
IPV4 = st.integers(0, 2**32 - 1).map(lambda value: IPAddress(value, 4))
# ::ffff:0:0/96 is how IPv4 is stored; the address book refuses networks with such addresses.
IPV6 = st.integers(0, 2**128 - 1).filter(lambda value: value >> 32 != 0xFFFF).map(lambda value: IPAddress(value, 6))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def stored(address: IPAddress) -> bytes:
    value = Address().process_bind_param(address, SQLITE)
    assert value is not None
    return value


@given(st.one_of(IPV4, IPV6))
def test_an_address_comes_back(address: IPAddress):
    assert Address().process_result_value(stored(address), SQLITE) == address


@given(st.one_of(st.tuples(IPV4, IPV4), st.tuples(IPV6, IPV6)))
def test_addresses_of_a_family_sort_by_number(pair: tuple[IPAddress, IPAddress]):
    first, second = pair
    assert (stored(first) < stored(second)) == (int(first) < int(second))


@given(IPV4, IPV6)
def test_families_are_told_apart(four: IPAddress, six: IPAddress):
    assert stored(four) != stored(six)
    assert len(stored(four)) == len(stored(six)) == 16


@pytest.mark.parametrize("text", ["0.0.0.0", "255.255.255.255", "::", "::1", "::ffff:ffff:0:0", "ffff::"])
def test_addresses_at_the_ends_come_back(text: str):
    assert Address().process_result_value(stored(IPAddress(text)), SQLITE) == IPAddress(text)


def test_sqlite_compares_as_we_do():
    addresses = [IPAddress(text) for text in ("::1", "10.0.0.9", "10.0.0.10", "192.168.0.1", "2001:db8::9", "fe80::1")]
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (a BLOB)")
        connection.executemany("INSERT INTO t VALUES (?)", [(stored(each),) for each in reversed(addresses)])
        rows = connection.execute("SELECT a FROM t ORDER BY a").fetchall()
    assert [Address().process_result_value(row[0], SQLITE) for row in rows] == addresses


def test_no_address_is_no_octets():
    assert Address().process_bind_param(None, SQLITE) is None
    assert Address().process_result_value(None, SQLITE) is None


@pytest.mark.parametrize(
    ("dialect", "type_name"),
    [(sqlite.dialect(), "BLOB"), (postgresql.dialect(), "BYTEA"), (mysql.dialect(), "VARBINARY(16)")],
)
def test_an_address_has_a_type_that_can_be_indexed(dialect, type_name: str):
    assert Address().compile(dialect) == type_name


@given(MOMENTS)
def test_a_moment_comes_back_to_the_microsecond(moment: datetime):
    value = Moment().process_bind_param(moment, SQLITE)
    assert Moment().process_result_value(value, SQLITE) == moment


@given(MOMENTS, MOMENTS)
def test_moments_sort_by_time(first: datetime, second: datetime):
    moment = Moment()
    stored_first, stored_second = (moment.process_bind_param(each, SQLITE) for each in (first, second))
    assert (stored_first < stored_second) == (first < second)


def test_a_moment_of_another_zone_is_the_same_moment():
    noon = datetime(2026, 1, 2, 12, tzinfo=timezone(timedelta(hours=2)))
    value = Moment().process_bind_param(noon, SQLITE)
    assert Moment().process_result_value(value, SQLITE) == datetime(2026, 1, 2, 10, tzinfo=UTC)


def test_a_moment_without_zone_is_refused():
    with pytest.raises(TypeError):
        Moment().process_bind_param(datetime(2026, 1, 2, 12), SQLITE)  # noqa: DTZ001


