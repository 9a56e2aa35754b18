"""One log-in for everybody, and none that is tried again and again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from providers.book.database import Book
from providers.book.tables import upstream_doubts, upstream_logins
from providers.errors import Refused, Unavailable
from providers.ipam.phpipam.provider import PhpIPAM
from providers.ipam.remote.client import NotSent
from providers.ipam.remote.sealed import Seal
from providers.model import Subnet
from tests.conftest import HandClock
from tests.phpipam import Double
from tests.phpipam.faults import Fault, FaultProxy
from tests.providers.desk import Desk
from tests.providers.ipam.phpipam.site import PASSWORD, provider, settings

LOG_IN = "POST user"


@pytest.fixture
def ipam(book: Book, line: FaultProxy, clock: HandClock) -> Iterator[PhpIPAM]:
    """The provider of one process."""
    made = provider(book, line.url, clock)
    yield made
    made.client.close()


@pytest.fixture
def other(book: Book, line: FaultProxy, clock: HandClock) -> PhpIPAM:
    """The provider of another process, which shares the book."""
    return provider(book, line.url, clock)


def test_processes_share_one_log_in(double: Double, ipam: PhpIPAM, other: PhpIPAM):
    ipam.picture()
    other.picture()
    assert double.count(LOG_IN) == 1


def test_sixteen_at_once_log_in_once(double: Double, book: Book, line: FaultProxy, clock: HandClock):
    double.latency = 0.02
    several = [provider(book, line.url, clock) for _ in range(4)]
    threads = [threading.Thread(target=several[number % 4].picture) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert double.count(LOG_IN) == 1
    assert not any(call.status != 200 for call in double.calls)


@pytest.mark.parametrize("end", ["expire_tokens", "revoke_tokens"])
def test_a_token_that_ended_is_had_again_once(double: Double, ipam: PhpIPAM, other: PhpIPAM, end: str):
    ipam.picture()
    other.picture()
    getattr(double, end)()
    double.forget_calls()
    ipam.picture()
    other.picture()
    assert double.count(LOG_IN) == 1


def test_a_token_that_is_refused_right_after_the_log_in_is_the_end(double: Double, ipam: PhpIPAM, other: PhpIPAM):
    ipam.picture()
    double.expire_tokens()
    double.meanwhile["GET sections/all"] = double.revoke_tokens
    double.forget_calls()
    ipam.picture()
    assert double.count(LOG_IN) == 1


def test_nobody_ends_the_token(double: Double, ipam: PhpIPAM):
    ipam.picture()
    ipam.client.close()
    assert not [call for call in double.calls if call.method == "DELETE"]


class TestRefused:
    @pytest.fixture
    def stranger(self, book: Book, line: FaultProxy, clock: HandClock) -> PhpIPAM:
        """With a wrong password."""
        return provider(book, line.url, clock, password="wrong")

    def test_it_is_not_tried_again_by_anybody(
        self, double: Double, stranger: PhpIPAM, book: Book, line: FaultProxy, clock: HandClock
    ):
        other = provider(book, line.url, clock, password="wrong")
        for each in (stranger, other, stranger, other):
            with pytest.raises(Refused, match="Invalid username or password"):
                each.picture()
        assert double.count(LOG_IN) == 1

    def test_after_a_while_it_is(self, double: Double, stranger: PhpIPAM, clock: HandClock):
        for _ in range(2):
            with pytest.raises(Refused):
                stranger.picture()
            clock.pass_(minutes=5)
        assert double.count(LOG_IN) == 2

    def test_another_password_is_tried_at_once(self, stranger: PhpIPAM, ipam: PhpIPAM):
        with pytest.raises(Refused):
            stranger.picture()
        assert ipam.picture().groups

    def test_what_is_blocked_is_left_alone_for_five_minutes(
        self, double: Double, book: Book, line: FaultProxy, clock: HandClock
    ):
        double.refuse_logins(
            "Your IP has been blocked for 5 minutes because of excessive login failures. "
            "Please retry after 5 minutes."
        )
        ipam = provider(book, line.url, clock, login_backoff_minutes=1)
        for minutes in (4, 2):
            with pytest.raises(Refused, match="blocked"):
                ipam.picture()
            clock.pass_(minutes=minutes)
        assert double.count(LOG_IN) == 1
        double.refuse_logins(None)
        assert ipam.picture().groups

    def test_the_message_has_neither_password_nor_token(
        self, stranger: PhpIPAM, caplog: pytest.LogCaptureFixture
    ):
        caplog.set_level(logging.DEBUG)
        with pytest.raises(Refused) as caught:
            stranger.picture()
        assert "wrong" not in str(caught.value) + caplog.text


def test_a_log_in_that_phpipam_has_no_time_for_is_not_refused(double: Double, ipam: PhpIPAM):
    double.breaks[LOG_IN] = ["lock"]
    with pytest.raises(Unavailable, match="busy"):
        ipam.picture()
    assert ipam.picture().groups


def test_a_log_in_without_an_answer_is_not_refused(line: FaultProxy, ipam: PhpIPAM):
    line.next(Fault.CLOSED, only=LOG_IN)
    with pytest.raises(Unavailable):
        ipam.picture()
    assert ipam.picture().groups


def test_threads_that_wait_for_a_log_in_do_not_wait_one_after_the_other(line: FaultProxy, ipam: PhpIPAM):
    many, limit = 16, 2
    hasty = provider(ipam.book, line.url, ipam._api._credential._clock, call_timeout=limit, read_timeout=1)
    line.always(Fault.HANG)
    started = time.monotonic()
    with ThreadPoolExecutor(many) as threads:
        told = [threads.submit(hasty.picture) for _ in range(many)]
        errors = [each.exception() for each in told]
    assert all(isinstance(each, Unavailable) for each in errors)
    assert time.monotonic() - started < many * limit / 2


def test_a_log_in_without_an_answer_leaves_no_doubt_about_the_call(
    line: FaultProxy, desk: Desk, subnet: Subnet, double: Double, book: Book
):
    double.expire_tokens()
    line.always(Fault.RESET, only=LOG_IN)
    double.forget_calls()
    with pytest.raises(NotSent):
        desk.take(subnet, "10.0.1.3")
    assert double.count("GET addresses/search") == 0
    with book.read() as connection:
        assert connection.execute(select(upstream_doubts)).all() == []


def test_the_book_does_not_tell_the_token(book: Book, double: Double, ipam: PhpIPAM, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    ipam.picture()
    token = ipam._api._credential.token()
    with book.read() as connection:
        (row,) = connection.execute(select(upstream_logins))
    assert token not in str(row) + caplog.text
    assert PASSWORD not in str(row) + caplog.text


class TestSeal:
    def test_what_was_sealed_is_opened(self):
        seal = Seal("password", "a")
        assert seal.open(seal.seal("x" * 100)) == "x" * 100

    def test_twice_the_same_looks_different(self):
        seal = Seal("password", "a")
        assert seal.seal("token") != seal.seal("token")

    @pytest.mark.parametrize("other", [("other", "a"), ("password", "b")])
    def test_another_password_or_purpose_opens_nothing(self, other: tuple[str, str]):
        assert Seal(*other).open(Seal("password", "a").seal("token")) is None

    @pytest.mark.parametrize("text", ["", "!", "AAAA", "A" * 60])
    def test_what_is_no_seal_opens_to_nothing(self, text: str):
        assert Seal("password", "a").open(text) is None


def test_turns_and_refusals_go_by_the_clock_of_the_database(postgresql_book: Book):
    """The services that share it log in in turn, and have clocks of their own."""
    made = PhpIPAM(postgresql_book, settings("http://127.0.0.1:9/"))
    assert made._api._credential._clock is postgresql_book.server_clock
