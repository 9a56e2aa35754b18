"""SQLite takes the index that is meant: what it takes shows in how it would run the statements that the book sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from netaddr import IPAddress
from sqlalchemy import Engine, event

from providers.address_book.search import Sought, SoughtHold
from providers.book import pending, taken
from providers.guests import GuestReport
from providers.model import Asker, Use
from tests.providers.desk import CALLER, description, host, mac

AT = IPAddress("10.0.1.7")


@contextmanager
def plans(engine: Engine) -> Iterator[list[str]]:
    """How SQLite ran each step of each statement meanwhile, in its own words."""
    sent: dict[str, Any] = {}
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            sent[statement] = parameters[0] if isinstance(parameters, list) else parameters

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        for statement, parameters in sent.items():
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.extend(f"{row[3]}  <- {statement}" for row in rows)


def step(line: str) -> str:
    return line.partition("  <- ")[0]


@pytest.fixture
def subnet(address_book):
    return address_book.add_subnet(description("10.0.1.0/24"), CALLER)


def test_nothing_that_concerns_one_address_reads_all_hosts_or_rests_of_a_subnet(address_book, subnet):
    """With a hundred thousand DHCP hosts in a subnet that took 30 ms for each reservation."""
    with plans(address_book.book.engine) as lines:
        address_book.suggest(subnet, Asker(mac=mac(1)), CALLER)
        address_book.reserve(subnet, AT, Use.DHCP, CALLER, host=host(1))
        address_book.reservation(subnet, AT)
        address_book.hosts_at(subnet, AT)
        address_book.search(Sought(mac=mac(1)))
        address_book.release(subnet, CALLER, address=AT)
        address_book.suggest(subnet, Asker(mac=mac(1)), CALLER)
    read = [line for line in lines if step(line).startswith(("SEARCH dhcp_hosts", "SEARCH rests"))]
    assert read
    assert [line for line in read if step(line).endswith("(subnet_id=?)")] == []


def test_searching_reads_no_table_as_a_whole(address_book, subnet):
    address_book.reserve(subnet, AT, Use.DHCP, CALLER, host=host(1))
    with plans(address_book.book.engine) as lines:
        for sought in (
            Sought(),
            Sought(mac=mac(1)),
            Sought(name="host1"),
            Sought(address=AT),
            Sought(use=Use.DHCP),
            Sought(text="host"),
            Sought(node="n1"),
        ):
            address_book.search(sought, limit=1)
    large = ("SCAN reservations", "SCAN uses", "SCAN dhcp_hosts", "SCAN guest_addresses")
    assert [line for line in lines if step(line).startswith(large)] == []
    assert [line for line in lines if "TEMP B-TREE FOR ORDER BY" in line] == []


def test_searching_holds_reads_no_table_as_a_whole(address_book, subnet):
    for number in range(3):
        address_book.suggest(subnet, Asker(mac=mac(number)), CALLER)
    with plans(address_book.book.engine) as lines:
        for sought in (SoughtHold(), SoughtHold(address=AT), SoughtHold(key=f"mac:{mac(1)}"), SoughtHold(mac=mac(1))):
            address_book.search_holds(sought, limit=1)
    assert [line for line in lines if "SEARCH holds" in line]
    assert [line for line in lines if step(line).startswith("SCAN holds") or "TEMP B-TREE" in line] == []


def test_a_page_of_guests_reads_only_their_claims(address_book):
    names = [f"web{number}" for number in range(100)]
    reports = [GuestReport("east", name, "node1", address_book.clock()) for name in names]
    address_book.report_guests("east", "node1", reports, CALLER)
    with plans(address_book.book.engine) as lines:
        address_book.guests(cluster="east")
    assert [line for line in lines if step(line).startswith("SEARCH claims")]
    assert [line for line in lines if step(line).startswith("SCAN claims")] == []


def test_looking_for_hosts_that_wait_reads_only_those(address_book, subnet):
    """It is looked for each minute, and hardly ever is there one."""
    address_book.reserve(subnet, AT, Use.DHCP, CALLER, host=host(1))
    with plans(address_book.book.engine) as lines, address_book.book.read() as connection:
        assert not pending.older_than(connection, address_book.clock())
    (line,) = lines
    assert step(line).endswith("INDEX ix_dhcp_hosts_pending_since (pending_since<?)")


def test_the_guests_of_a_node_are_read_in_their_order(address_book):
    """Each node asks for its own: those of others are not looked at, and nothing is sorted."""
    with plans(address_book.book.engine) as lines:
        address_book.guests(node="node1")
        address_book.guests(cluster="east", node="node1")
    read = [step(line) for line in lines if " guests " in step(line)]
    assert len(read) == 2
    assert all("ix_guests_node_cluster_name (node=?" in line for line in read)
    assert [line for line in lines if "TEMP B-TREE" in line] == []


def test_what_is_leased_is_compared_with_the_hosts_of_its_macs_alone(address_book, subnet):
    address_book.reserve(subnet, AT, Use.DHCP, CALLER, host=host(1))
    with plans(address_book.book.engine) as lines, address_book.book.read() as connection:
        assert taken.places_of(connection, {mac(1), mac(2)}) == {(subnet.id, mac(1), AT)}
    assert {step(line) for line in lines} == {"SEARCH dhcp_hosts USING INDEX ix_dhcp_hosts_mac (mac=?)"}
