"""Two nodes at once, in two processes, on SQLite and on PostgreSQL; some of them killed before they could answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.errors import Claimed, Conflict, LeaseholdError
from providers.guests import GuestState
from providers.ipam.local import LocalIPAM
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk
from tests.providers.guest_site import CLUSTER, Site
from tests.providers.processes import CONTEXT, together
from tests.providers.soundness import assert_sound

pytestmark = pytest.mark.race

CLAIM_ROUNDS = 500
ROUNDS = 40
KILLS = 6
NODES = ("a", "b")


@pytest.fixture(params=["book", "postgresql_book"])
def url(request: pytest.FixtureRequest, clock: HandClock) -> str:
    """An empty book on either database, with two subnets; the clock of the processes is the real one."""
    clock.now = utc_now()
    book: Book = request.getfixturevalue(request.param)
    with opened(str(book.url.render_as_string(hide_password=False))) as site:
        site.desk.add("10.0.1.0/24")
        site.desk.add("10.0.2.0/24")
    return book.url.render_as_string(hide_password=False)


@contextmanager
def opened(url: str) -> Iterator[Site]:
    """The site as another process sees it."""
    book = Book(url)
    address_book = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    yield Site(Desk(address_book, utc_now))
    address_book.close()


def claim_in_turn(number: int, url: str, gate: Any) -> list[tuple[int, str]]:
    """Claim one guest after the other, always at the moment when the other node does; returns what was won."""
    won = []
    with opened(url) as site:
        for turn in range(CLAIM_ROUNDS):
            gate.wait(60)
            with suppress(Claimed):
                won.append((turn, site.claim(NODES[number], f"guest{turn}")))
    return won


def test_a_claim_has_exactly_one_holder(url: str):
    won = together(2, claim_in_turn, url, CONTEXT.Barrier(2))

    assert sorted(turn for turn, _ in won) == list(range(CLAIM_ROUNDS))
    with opened(url) as site:
        assert {each.name: each.node for each in site.book.claims()} == {f"guest{turn}": node for turn, node in won}


def claim_and_die(node: str, name: str, url: str) -> None:
    with opened(url) as site:
        site.claim(node, name)
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_claim_outlives_a_kill_before_the_answer(url: str):
    for turn in range(KILLS):
        name = f"guest{turn}"
        process = CONTEXT.Process(target=claim_and_die, args=("a", name, url))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        with opened(url) as site:
            with pytest.raises(Claimed):
                site.claim("b", name)
            assert site.claim("a", name) == "a"


def renew_or_start(number: int, url: str, gate: Any) -> list[tuple[int, str]]:
    """Renew claims that have ended, while the other node starts these guests; returns what was allowed."""
    done = []
    with opened(url) as site:
        for turn in range(ROUNDS):
            gate.wait(60)
            with suppress(Conflict):
                if number:
                    site.start("b", f"guest{turn}")
                else:
                    site.book.renew_claim(CLUSTER, f"guest{turn}", "a", CALLER)
                done.append((turn, NODES[number]))
    return done


def test_a_claim_that_ended_is_renewed_or_the_guest_is_started_elsewhere(url: str):
    with opened(url) as site:
        site.book.clock = lambda: utc_now() - timedelta(hours=2)
        for turn in range(ROUNDS):
            site.create("b", f"guest{turn}")
            site.claim("a", f"guest{turn}", lifetime=timedelta(hours=1))

    done = together(2, renew_or_start, url, CONTEXT.Barrier(2))

    assert sorted(turn for turn, _ in done) == list(range(ROUNDS))


def take_the_same_address(number: int, url: str, gate: Any) -> list[tuple[int, str]]:
    """Create guests that each want the address that one of the other node wants at the same moment."""
    won = []
    with opened(url) as site:
        for turn in range(ROUNDS):
            gate.wait(60)
            # In opposite order, as a deadlock would need it.
            wanted = [f"10.0.1.{turn + 1}", f"10.0.2.{turn + 1}"]
            with suppress(Conflict):
                site.create(NODES[number], f"{NODES[number]}{turn}", *(wanted if number else reversed(wanted)))
                won.append((turn, NODES[number]))
    return won


def test_an_address_goes_to_exactly_one_guest(url: str):
    won = together(2, take_the_same_address, url, CONTEXT.Barrier(2))

    assert sorted(turn for turn, _ in won) == list(range(ROUNDS))
    with opened(url) as site:
        assert set(site.guests()) == {f"{node}{turn}" for turn, node in won}
        assert len(site.reserved()) == 2 * ROUNDS
        assert list(site.book.check()) == []
        assert_sound(site.book.book)


def start_the_same_guest(number: int, url: str, gate: Any) -> list[str]:
    """Start, as the other node does; half of the time one of them destroys it instead."""
    node, became = NODES[number], []
    with opened(url) as site:
        for turn in range(ROUNDS):
            gate.wait(60)
            try:
                if number and turn % 2:
                    site.destroy(node, f"web{turn // 2}")
                else:
                    site.start(node, f"web{turn // 2}", f"10.0.1.{turn // 2 + 1}", macs=[turn // 2])
            except LeaseholdError as error:
                became.append(repr(error))
    return became


def test_two_nodes_start_and_destroy_a_guest_at_once(url: str):
    """Whoever was last has it, whole; the other one's report is told apart from an error."""
    failures = together(2, start_the_same_guest, url, CONTEXT.Barrier(2))

    assert [each for each in failures if "GuestNotFound" not in each] == []
    with opened(url) as site:
        for node, state, addresses in site.guests().values():
            assert node in NODES
            assert state in (GuestState.STARTING, GuestState.RUNNING)
            assert len(addresses) == 1
        has = {address for _, _, addresses in site.guests().values() for address in addresses}
        assert set(site.reserved()) == has
        assert list(site.book.check()) == []
        assert_sound(site.book.book)
