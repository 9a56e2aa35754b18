"""A bad line: every fault ends in time in the contract's error, and leaves nothing behind that nobody knows of."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from providers.book.database import Book
from providers.book.tables import holds, reservations, upstream_doubts
from providers.errors import Refused, Unavailable, Uncertain
from providers.model import Subnet, Use
from tests.conftest import HandClock
from tests.phpipam import Double
from tests.phpipam.certificates import server_context
from tests.phpipam.faults import Fault, FaultProxy
from tests.providers.desk import Desk
from tests.providers.ipam.phpipam.site import hasty, provider
from tests.providers.soundness import dump

IN_TIME = 30
"""Seconds: a reservation is at most three calls, which may take two each; a line that hangs does so for a minute."""
DONE_ALL_THE_SAME = {
    Fault.RESET,
    Fault.DRIP,
    Fault.TRUNCATED_JSON,
    Fault.SHORT_BODY,
    Fault.LOST_ANSWER,
    Fault.SLOW_ANSWER,
}
FAULTS = [fault for fault in Fault if fault is not Fault.SLOW_ANSWER]


def state(desk: Desk) -> dict:
    return dump(desk.book, without=("events", "upstream_doubts", "upstream_turns"))


def count(book: Book, table) -> int:
    with book.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def told(desk: Desk, subnet: Subnet) -> str:
    """An address that machine 1 holds."""
    return desk.ask(subnet, 1)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
class TestEveryFault:
    def test_a_suggestion(self, desk: Desk, subnet: Subnet, line: FaultProxy, told: str, fault: Fault):
        line.always(fault)
        began = time.monotonic()
        with pytest.raises(Unavailable), hasty(desk.address_book.ipam):
            desk.ask(subnet, 2)
        assert time.monotonic() - began < IN_TIME
        line.heal()
        assert set(desk.held().values()) == {"mac:52:54:00:00:00:01", "mac:52:54:00:00:00:02"}
        assert desk.ask(subnet, 2) in desk.held()

    def test_a_reservation(
        self, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, told: str, key: int, fault: Fault
    ):
        before = state(desk)
        line.always(fault)
        began = time.monotonic()
        with pytest.raises(Unavailable), hasty(desk.address_book.ipam):
            desk.serve(subnet, told, 1)
        assert time.monotonic() - began < IN_TIME
        line.heal()
        assert state(desk) == before
        # Whatever phpIPAM made all the same, the book knows of, and has it removed.
        assert len(double.rows(key)) <= count(desk.book, upstream_doubts)
        desk.address_book.settle_doubts()
        assert double.rows(key) == []
        desk.serve(subnet, told, 1)
        assert double.row(key, told) is not None

    def test_a_release(
        self, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, told: str, key: int, fault: Fault
    ):
        desk.serve(subnet, told, 1)
        before = state(desk)
        line.always(fault)
        began = time.monotonic()
        with pytest.raises(Unavailable), hasty(desk.address_book.ipam):
            desk.release(subnet, told)
        assert time.monotonic() - began < IN_TIME
        line.heal()
        assert state(desk) == before
        assert len(desk.release(subnet, told)) == 1
        assert double.rows(key) == []

    def test_listing_goes_on(self, desk: Desk, subnet: Subnet, line: FaultProxy, fault: Fault):
        line.always(fault)
        desk.clock.pass_(minutes=5)
        began = time.monotonic()
        with hasty(desk.address_book.ipam):
            assert desk.address_book.subnets() == [subnet]
        assert time.monotonic() - began < IN_TIME
        line.heal()
        desk.clock.pass_(minutes=5)
        assert desk.address_book.subnets() == [subnet]


@pytest.mark.parametrize("fault", sorted(DONE_ALL_THE_SAME - {Fault.SLOW_ANSWER}, key=lambda f: f.name))
def test_a_post_whose_answer_was_lost_is_found_by_our_mark(
    desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, told: str, key: int, fault: Fault
):
    line.next(fault, only="POST addresses")
    # A drip ends with the call; what is asked after it is answered.
    with hasty(desk.address_book.ipam, read=60, call=6):
        assert set(desk.serve(subnet, told, 1).uses) == {Use.DHCP}
    assert len(double.rows(key)) == 1
    assert double.count("POST addresses") == 1


def test_a_post_that_was_lost_on_the_way_is_an_error(
    desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, told: str, key: int
):
    line.next(Fault.CLOSED, times=2, only="POST addresses")
    with pytest.raises(Unavailable):
        desk.serve(subnet, told, 1)
    assert (count(desk.book, reservations), count(desk.book, holds), count(desk.book, upstream_doubts)) == (0, 1, 1)
    desk.serve(subnet, told, 1)
    assert double.row(key, told) is not None


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.HANG, Fault.ERROR_500], ids=lambda fault: fault.name)
def test_a_post_that_was_cut_off_and_then_failed_may_have_been_done(
    desk: Desk, subnet: Subnet, line: FaultProxy, told: str, fault: Fault
):
    line.next(Fault.CLOSED, only="POST addresses")
    line.next(fault, only="POST addresses")
    with pytest.raises(Uncertain):
        desk.serve(subnet, told, 1)
    assert count(desk.book, upstream_doubts) == 1


def test_a_post_that_was_cut_off_and_then_refused_may_have_been_done(
    desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, told: str
):
    line.next(Fault.CLOSED, only="POST addresses")
    double.breaks["POST addresses"] = ["lock"] * 4
    with pytest.raises(Uncertain):
        desk.serve(subnet, told, 1)
    assert count(desk.book, upstream_doubts) == 1


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.LOST_ANSWER], ids=["not done", "done"])
@pytest.mark.parametrize("kind", ["GET addresses/search", "POST addresses", "PATCH addresses", "DELETE addresses"])
def test_a_kept_connection_that_was_closed_is_no_error(
    desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, told: str, key: int, kind: str, fault: Fault
):
    line.next(fault, only=kind)
    assert desk.ask(subnet, 1) == told
    desk.take(subnet, told)
    desk.serve(subnet, told, 1)
    assert (len(double.rows(key)), double.row(key, told)["hostname"]) == (1, "host1.example.com")
    desk.release(subnet, told)
    assert (double.rows(key), count(desk.book, upstream_doubts), line.broken()) == ([], 0, 1)


def test_a_token_that_is_revoked_in_the_middle(desk: Desk, subnet: Subnet, double: Double, told: str, key: int):
    double.revoke_tokens()
    desk.serve(subnet, told, 1)
    double.revoke_tokens()
    desk.release(subnet, told)
    assert double.rows(key) == []


def test_an_expired_certificate(book: Book, double: Double, clock: HandClock, tmp_path: Path):
    context, ca = server_context(tmp_path, expired=True)
    with double.serve(tls=context) as url, pytest.raises(Refused, match="expired"):
        provider(book, url, clock, ca_file=str(ca)).picture()


def test_a_certificate_of_an_unknown_authority(book: Book, double: Double, clock: HandClock, tmp_path: Path):
    context, ca = server_context(tmp_path)
    with double.serve(tls=context) as url:
        with pytest.raises(Refused, match=":ca_file:"):
            provider(book, url, clock).picture()
        assert provider(book, url, clock, ca_file=str(ca)).picture().groups
        assert provider(book, url, clock, verify_ssl=False).picture().groups


def test_a_first_look_that_fails_is_the_callers_error_and_made_again(
    desk: Desk, double: Double, line: FaultProxy
):
    line.always(Fault.REFUSE)
    for _ in range(2):
        with pytest.raises(Unavailable, match="cannot be reached"):
            desk.address_book.subnets()
    line.heal()
    assert len(desk.address_book.subnets()) == 1
