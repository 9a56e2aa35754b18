"""Looking hosts up costs the same however many there are: each query goes by an index to where they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from netaddr import IPAddress
from sqlalchemy import Connection, event

from providers.book import taken
from providers.model import Subnet
from tests.providers.desk import Desk, mac

ADDRESS = IPAddress("10.0.0.1")


@pytest.fixture
def subnet(address_book, clock) -> Subnet:
    """A subnet with one host."""
    desk = Desk(address_book, clock)
    made = desk.add("10.0.0.0/16")
    desk.serve(made, str(ADDRESS), 1)
    return made


@pytest.mark.parametrize(
    "look",
    [
        lambda connection, subnet: taken.hosts_at(connection, subnet, ADDRESS),
        lambda connection, subnet: taken.host_of(connection, subnet, mac(1)),
        lambda connection, subnet: taken.host_named(connection, subnet, "host1"),
        lambda connection, subnet: taken.reservation(connection, subnet, ADDRESS),
        lambda connection, subnet: taken.page(connection, subnet, ADDRESS - 1),
        lambda connection, subnet: taken.host_page(connection, subnet, taken.host_of(connection, subnet, mac(1))),
    ],
    ids=["address", "mac", "name", "reservation", "page", "host page"],
)
def test_every_lookup_is_by_more_than_the_subnet(book, subnet, look: Callable[[Connection, Subnet], object]):
    asked: list[tuple[str, object]] = []
    event.listen(book.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    with book.read() as connection:
        assert look(connection, subnet) is not None
        statements = [each for each in asked if each[0].startswith("SELECT")]
        explained = [
            row[-1]
            for statement, values in statements
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    searches = [each for each in explained if each.startswith(("SEARCH", "SCAN"))]
    assert len(searches) >= len(statements)
    assert [each for each in searches if " AND " not in each] == []
