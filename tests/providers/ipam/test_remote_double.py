"""An IPAM elsewhere: the same suite, rules 11 and 12, and upstream failing or changing in the middle of everything."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from netaddr import IPAddress

from providers.book.database import Book
from providers.errors import Conflict, Exhausted, Unavailable, Uncertain
from providers.ipam.contract import IPAMProvider, Record
from providers.model import Asker, Subnet, Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.ipam.conformance import BulkIPAMConformance, RemoteIPAMConformance
from tests.providers.ipam.remote_double import BulkIPAM, RemoteIPAM, Upstream, place
from tests.providers.soundness import dump


class OnUpstream(RemoteIPAMConformance):
    """Builds everything on one dictionary."""

    upstream: Upstream

    @pytest.fixture(autouse=True)
    def _a_server(self) -> None:
        self.upstream = Upstream()

    def build(self, book: Book) -> IPAMProvider:
        return RemoteIPAM(book, {"upstream": self.upstream})

    def add_foreign(self, subnet: Subnet, address: str, *, name: str | None = None, mac: str | None = None) -> None:
        self.upstream.add_foreign(subnet, address, name=name, mac=mac)

    def remove_foreign(self, subnet: Subnet, address: str) -> None:
        del self.upstream.rows[place(subnet, IPAddress(address))]

    def before_next_create(self, happens: Callable[[], object]) -> None:
        self.upstream.meanwhile["create"] = happens

    def taken_upstream(self, subnet: Subnet, address: str) -> bool:
        return self.upstream.has(subnet, address)

    def go_away(self) -> None:
        self.upstream.broken = {"record", "records", "create", "amend", "adopt", "delete"}

    def come_back(self) -> None:
        self.upstream.broken = set()


class TestRemoteIPAM(OnUpstream):
    """The whole suite."""


class TestBulkIPAM(OnUpstream, BulkIPAMConformance):
    """The whole suite, and surveys."""

    def build(self, book: Book) -> IPAMProvider:
        return BulkIPAM(book, {"upstream": self.upstream})


class TestUncertainCreate:
    """The address may be taken upstream all the same, later."""

    @pytest.fixture
    def address(self, desk: Desk, subnet: Subnet, upstream: Upstream) -> str:
        """10.0.1.1, of which upstream did not say whether it took it."""
        upstream.broken, upstream.error = {"create"}, Uncertain("no answer")
        with pytest.raises(Uncertain):
            desk.take(subnet, "10.0.1.1")
        upstream.broken = set()
        return "10.0.1.1"

    def take_late(self, upstream: Upstream, subnet: Subnet, address: str) -> None:
        late = Record(IPAddress(address), ours=True)
        upstream.rows[place(subnet, late.address)] = late

    def test_nothing_is_reserved(self, desk: Desk, subnet: Subnet, address: str):
        assert desk.at(subnet, address) is None
        assert desk.ask(subnet, 1) == address

    def test_a_row_that_comes_late_is_removed(self, desk: Desk, subnet: Subnet, upstream: Upstream, address: str):
        self.take_late(upstream, subnet, address)
        desk.address_book.settle_doubts()
        assert not upstream.has(subnet, address)
        assert desk.ask(subnet, 1) == address

    def test_also_when_it_was_met_meanwhile(self, desk: Desk, subnet: Subnet, upstream: Upstream, address: str):
        self.take_late(upstream, subnet, address)
        assert desk.ask(subnet, 1) == "10.0.1.2"
        desk.address_book.settle_doubts()
        assert not upstream.has(subnet, address)
        assert desk.ask(subnet, 2) == address

    def test_one_that_somebody_has_reserved_since_stays(
        self, desk: Desk, subnet: Subnet, upstream: Upstream, address: str
    ):
        desk.serve(subnet, address, 1)
        desk.address_book.settle_doubts()
        assert upstream.has(subnet, address)

    def test_it_may_come_for_ten_minutes(self, desk: Desk, subnet: Subnet, upstream: Upstream, address: str):
        desk.clock.pass_(minutes=9)
        desk.address_book.settle_doubts()
        self.take_late(upstream, subnet, address)
        desk.address_book.settle_doubts()
        assert not upstream.has(subnet, address)

    def test_after_that_it_is_left_to_check(self, desk: Desk, subnet: Subnet, upstream: Upstream, address: str):
        desk.clock.pass_(minutes=10)
        desk.address_book.settle_doubts()
        upstream.calls.clear()
        desk.address_book.settle_doubts()
        assert upstream.calls == []


@pytest.fixture
def upstream() -> Upstream:
    """The server of this test."""
    return Upstream()


@pytest.fixture
def address_book(address_book, upstream: Upstream):
    """The address book of every test here has its truth upstream."""
    address_book.ipam = RemoteIPAM(address_book.book, {"upstream": upstream})
    return address_book


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/28."""
    return desk.add("10.0.1.0/28")


def record_of(upstream: Upstream, subnet: Subnet, address: str) -> Record:
    return upstream.rows[place(subnet, IPAddress(address))]


def state(desk: Desk) -> dict:
    """The book but for what was logged."""
    return dump(desk.book, without=("events",))


class TestRule11:
    """Free means free upstream and in the book."""

    def test_what_others_took_is_noted_with_who_they_are(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.add_foreign(subnet, "10.0.1.1", name="printer", mac=mac(9))
        desk.ask(subnet, 1)
        there = desk.at(subnet, "10.0.1.1")
        assert (set(there.uses), there.name, there.mac) == ({Use.UPSTREAM}, "printer", mac(9))

    def test_noting_it_is_an_event(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.add_foreign(subnet, "10.0.1.1")
        desk.ask(subnet, 1)
        (noted,) = [event for event in desk.address_book.events() if event.action == "address.upstream"]
        assert (noted.actor, noted.request_id, str(noted.address)) == (CALLER.actor, "request-1", "10.0.1.1")

    def test_what_was_noted_is_asked_for_once(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.add_foreign(subnet, "10.0.1.1")
        desk.ask(subnet, 1)
        desk.ask(subnet, 2)
        assert upstream.calls.count(("record", "10.0.1.1")) == 1

    def test_a_suggestion_never_exists(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        """Also when the row upstream bears our mark and the book does not know why."""
        upstream.rows[place(subnet, IPAddress("10.0.1.1"))] = Record(IPAddress("10.0.1.1"), "left", ours=True)
        told = desk.ask(subnet, 1, use=Use.IPAM)
        assert not desk.exists(subnet, told)

    @pytest.mark.parametrize("looks", [1, 2])
    def test_an_allocation_that_met_a_row_of_a_moment_goes_on(
        self, desk: Desk, subnet: Subnet, upstream: Upstream, looks: int
    ):
        """Somebody takes the address right before us, and gives it back before the first, or second, look for who."""

        def give_back() -> None:
            nonlocal looks
            looks -= 1
            upstream.meanwhile["record"] = give_back
            if not looks:
                upstream.rows.clear()
                upstream.meanwhile.clear()

        def take() -> None:
            upstream.add_foreign(subnet, "10.0.1.1", name="faster")
            upstream.meanwhile["record"] = give_back

        upstream.meanwhile["create"] = take
        taken = desk.address_book.allocate(subnet, Asker(), Use.MANUAL, CALLER, name="web1")
        assert (str(taken.address), upstream.has(subnet, "10.0.1.1")) == ("10.0.1.1", True)

    def test_a_reservation_that_met_a_row_of_a_moment_is_made(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        def take() -> None:
            upstream.add_foreign(subnet, "10.0.1.1", name="faster")
            upstream.meanwhile["record"] = upstream.rows.clear

        upstream.meanwhile["create"] = take
        desk.serve(subnet, desk.ask(subnet, 1), 1)
        assert upstream.has(subnet, "10.0.1.1")

    def test_an_upstream_full_of_others_ends_the_search(self, desk: Desk, upstream: Upstream):
        subnet = desk.add("10.0.2.0/24")
        for last in range(1, 255):
            upstream.add_foreign(subnet, f"10.0.2.{last}")
        with pytest.raises(Unavailable, match="taken upstream: run leasehold check"):
            desk.ask(subnet, 1)
        assert desk.held() == {}

    def test_upstream_is_never_asked_inside_a_transaction(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        free_to_write: list[bool] = []

        def write() -> None:
            """In a thread of its own, which would wait for ever if its caller's transaction were open."""
            writer = threading.Thread(target=lambda: desk.take(subnet, "10.0.1.9", Use.MANUAL), daemon=True)
            writer.start()
            writer.join(60)
            free_to_write.append(not writer.is_alive())
            desk.release(subnet, "10.0.1.9")

        for call in ("record", "create", "delete"):
            upstream.meanwhile = {call: write}
            desk.take(subnet, desk.ask(subnet, 1))
            desk.release(subnet, "10.0.1.1")
        assert free_to_write == [True] * 3

    def test_the_loser_of_a_create_leaves_the_book_as_before(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        address = desk.ask(subnet, 1)
        before = state(desk)
        upstream.meanwhile["create"] = lambda: upstream.add_foreign(subnet, address, name="faster")
        with pytest.raises(Conflict, match="taken upstream by faster"):
            desk.serve(subnet, address, 1)
        assert state(desk) == before

    def test_a_row_deleted_by_hand_upstream_is_not_given_out_while_a_use_lives_here(
        self, desk: Desk, subnet: Subnet, upstream: Upstream
    ):
        desk.take(subnet, "10.0.1.1")
        upstream.rows.clear()
        assert desk.ask(subnet, 1) == "10.0.1.2"
        assert desk.exists(subnet, "10.0.1.1")


class TestRule12:
    """Rows that are not ours are never changed or deleted."""

    def test_dhcp_joins_a_noted_row_of_the_same_mac(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.add_foreign(subnet, "10.0.1.1", name="printer", mac=mac(9))
        desk.ask(subnet, 1)
        assert set(desk.serve(subnet, "10.0.1.1", 9).uses) == {Use.UPSTREAM, Use.DHCP}

    def test_dhcp_conflicts_with_a_noted_row_of_another_mac(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.add_foreign(subnet, "10.0.1.1", name="printer", mac=mac(9))
        desk.ask(subnet, 1)
        with pytest.raises(Conflict, match=rf"\(upstream\) by printer \({mac(9)}\)"):
            desk.serve(subnet, "10.0.1.1", 1)

    def test_a_mac_whose_host_joined_a_row_of_others_is_told_its_address(
        self, desk: Desk, subnet: Subnet, upstream: Upstream
    ):
        upstream.add_foreign(subnet, "10.0.1.1", mac=mac(9))
        desk.ask(subnet, 1)
        desk.serve(subnet, "10.0.1.1", 9)
        assert desk.ask(subnet, 9) == "10.0.1.1"

    def test_releasing_the_host_leaves_the_row_of_others(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.add_foreign(subnet, "10.0.1.1", mac=mac(9))
        desk.ask(subnet, 1)
        desk.serve(subnet, "10.0.1.1", 9)
        desk.release(subnet, "10.0.1.1", use=Use.DHCP)
        assert upstream.has(subnet, "10.0.1.1")
        assert desk.uses(subnet, "10.0.1.1") == {Use.UPSTREAM}

    def test_a_row_of_others_is_not_renamed(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.add_foreign(subnet, "10.0.1.1", name="printer", mac=mac(9))
        desk.ask(subnet, 1)
        desk.serve(subnet, "10.0.1.1", 9)
        assert record_of(upstream, subnet, "10.0.1.1").name == "printer"


class TestNameAndMac:
    """They travel on to the IPAM (rule 5)."""

    def test_of_a_new_host(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.serve(subnet, "10.0.1.1", 1)
        assert record_of(upstream, subnet, "10.0.1.1") == Record(
            IPAddress("10.0.1.1"), "host1.example.com", mac(1), None, ours=True
        )

    def test_of_a_host_that_joins(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.take(subnet, "10.0.1.1")
        assert record_of(upstream, subnet, "10.0.1.1").name is None
        desk.serve(subnet, "10.0.1.1", 1)
        assert record_of(upstream, subnet, "10.0.1.1").name == "host1.example.com"

    def test_nothing_is_written_when_nothing_is_new(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.serve(subnet, "10.0.1.1", 1)
        desk.take(subnet, "10.0.1.1")
        desk.serve(subnet, "10.0.1.1", 1)
        assert [call for call, _ in upstream.calls if call != "record"] == ["create"]

    def test_a_failing_amend_does_not_fail_the_reservation(
        self, desk: Desk, subnet: Subnet, upstream: Upstream, caplog: pytest.LogCaptureFixture
    ):
        desk.take(subnet, "10.0.1.1")
        upstream.broken = {"amend"}
        assert set(desk.serve(subnet, "10.0.1.1", 1).uses) == {Use.DHCP, Use.IPAM}
        assert "10.0.1.1: name and MAC could not be written to the IPAM" in caplog.text

    def test_are_as_before_when_a_host_that_joined_was_not_served(
        self, address_book, desk: Desk, subnet: Subnet, upstream: Upstream
    ):
        server = Server(broken={"publish"})
        address_book.dhcp = RecordingDHCP(address_book.book, {"server": server})
        desk.take(subnet, "10.0.1.1")
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.1", 1)
        assert record_of(upstream, subnet, "10.0.1.1") == Record(IPAddress("10.0.1.1"), ours=True)


@pytest.mark.parametrize(
    "error", [Unavailable("no answer"), Conflict("taken"), RuntimeError("a bug of the provider")], ids=repr
)
class TestCreateFails:
    """The book is as before, whatever went wrong."""

    def test_a_hold_is_there_again(self, desk: Desk, subnet: Subnet, upstream: Upstream, error: Exception):
        address = desk.ask(subnet, 1)
        before = state(desk)
        upstream.broken, upstream.error = {"create"}, error
        with pytest.raises(type(error)):
            desk.serve(subnet, address, 1)
        assert state(desk) == before
        assert desk.held() == {address: f"mac:{mac(1)}"}

    def test_a_rest_is_there_again(self, desk: Desk, subnet: Subnet, upstream: Upstream, error: Exception):
        desk.serve(subnet, "10.0.1.1", 1)
        desk.release(subnet, "10.0.1.1")
        before = state(desk)
        upstream.broken, upstream.error = {"create"}, error
        with pytest.raises(type(error)):
            desk.serve(subnet, "10.0.1.1", 1, name="renamed")
        assert state(desk) == before

    def test_a_free_address_is_free_again(self, desk: Desk, subnet: Subnet, upstream: Upstream, error: Exception):
        before = state(desk)
        upstream.broken, upstream.error = {"create"}, error
        with pytest.raises(type(error)):
            desk.take(subnet, "10.0.1.5", Use.MANUAL)
        assert state(desk) == before

    def test_an_excluded_address_is_not_made_free(self, desk: Desk, upstream: Upstream, error: Exception):
        subnet = desk.add("10.0.2.0/28", exclude=["10.0.2.5"])
        before = state(desk)
        upstream.broken, upstream.error = {"create"}, error
        with pytest.raises(type(error)):
            desk.take(subnet, "10.0.2.5")
        assert state(desk) == before


class TestMeanwhile:
    """What others do while we talk to upstream."""

    def test_the_asker_took_another_hold_while_its_create_failed(
        self, desk: Desk, subnet: Subnet, upstream: Upstream
    ):
        address = desk.ask(subnet, 1)
        upstream.meanwhile["create"] = lambda: desk.ask(subnet, 1, span="10.0.1.9-10.0.1.12")
        upstream.broken = {"create"}
        with pytest.raises(Unavailable, match="The IPAM"):
            desk.take(subnet, address)
        assert list(desk.held()) == ["10.0.1.9"]
        assert desk.at(subnet, address) is None

    def test_the_hold_expired_while_its_create_failed(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        address = desk.ask(subnet, 1)
        upstream.meanwhile["create"] = lambda: desk.clock.pass_(hours=1)
        upstream.broken = {"create"}
        with pytest.raises(Unavailable):
            desk.take(subnet, address)
        assert desk.ask(subnet, 2) == address

    def test_somebody_joined_what_then_failed(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        """The one who joined was told that it has the address, so it has."""

        def join() -> None:
            desk.serve(subnet, "10.0.1.1", 1)
            upstream.broken = {"create"}

        upstream.meanwhile["create"] = join
        with pytest.raises(Unavailable):
            desk.take(subnet, "10.0.1.1")
        assert desk.uses(subnet, "10.0.1.1") == {Use.DHCP}
        assert upstream.has(subnet, "10.0.1.1")

    def test_somebody_joined_while_the_last_use_went(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.take(subnet, "10.0.1.1")
        upstream.meanwhile["delete"] = lambda: desk.serve(subnet, "10.0.1.1", 1)
        desk.release(subnet, "10.0.1.1", use=Use.IPAM)
        assert desk.uses(subnet, "10.0.1.1") == {Use.DHCP}
        assert upstream.has(subnet, "10.0.1.1")

    def test_somebody_else_released_it_first(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.take(subnet, "10.0.1.1")
        upstream.meanwhile["delete"] = lambda: desk.release(subnet, "10.0.1.1")
        desk.release(subnet, "10.0.1.1")
        assert desk.at(subnet, "10.0.1.1") is None
        assert not upstream.has(subnet, "10.0.1.1")

    def test_a_subnet_was_added_below_what_then_failed(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.meanwhile["create"] = lambda: desk.add("10.0.1.8/29")
        upstream.broken = {"create"}
        with pytest.raises(Unavailable):
            desk.take(subnet, "10.0.1.9")
        assert desk.at(subnet, "10.0.1.9") is None

    def test_a_subnet_was_added_below_what_was_released(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.take(subnet, "10.0.1.9")
        upstream.meanwhile["delete"] = lambda: desk.add("10.0.1.8/29")
        desk.release(subnet, "10.0.1.9")
        assert desk.at(subnet, "10.0.1.9") is None

    def test_a_subnet_was_added_below_a_row_of_others(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        upstream.add_foreign(subnet, "10.0.1.9")
        upstream.meanwhile["record"] = lambda: desk.add("10.0.1.8/29")
        with pytest.raises(Exhausted):
            desk.ask(subnet, 1, span="10.0.1.9-10.0.1.9")
        assert desk.uses(subnet, "10.0.1.9") == {Use.UPSTREAM}

    def test_the_hold_on_a_row_of_others_was_gone_already(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        def sweep() -> None:
            desk.clock.pass_(hours=1)
            desk.ask(subnet, 2, span="10.0.1.9-10.0.1.9")

        upstream.add_foreign(subnet, "10.0.1.1")
        upstream.meanwhile["record"] = sweep
        assert desk.ask(subnet, 1) == "10.0.1.2"
        assert desk.uses(subnet, "10.0.1.1") == {Use.UPSTREAM}
        assert upstream.calls.count(("record", "10.0.1.1")) == 1

    def test_somebody_reserved_what_was_just_suggested(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        """Rule 4: a reservation beats a hold, also one of this moment."""
        upstream.meanwhile["record"] = lambda: desk.take(subnet, "10.0.1.1")
        assert desk.ask(subnet, 1) == "10.0.1.2"


class TestDeleteFails:
    """Rule 10: first upstream, then the book, so that it can be repeated."""

    def test_the_book_keeps_the_reservation(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.take(subnet, "10.0.1.1")
        before = dump(desk.book)
        upstream.broken = {"delete"}
        with pytest.raises(Unavailable):
            desk.release(subnet, "10.0.1.1")
        assert dump(desk.book) == before

    def test_the_same_release_succeeds_later(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.take(subnet, "10.0.1.1")
        upstream.broken = {"delete"}
        with pytest.raises(Unavailable):
            desk.release(subnet, "10.0.1.1")
        upstream.broken = set()
        assert len(desk.release(subnet, "10.0.1.1")) == 1
        assert not upstream.has(subnet, "10.0.1.1")
        assert desk.release(subnet, "10.0.1.1") == []

    def test_a_forced_removal_stops_and_can_be_repeated(self, desk: Desk, subnet: Subnet, upstream: Upstream):
        desk.take(subnet, "10.0.1.1")
        desk.take(subnet, "10.0.1.2")
        upstream.broken = {"delete"}
        with pytest.raises(Unavailable):
            desk.address_book.remove_subnet(subnet, CALLER, force=True)
        assert desk.address_book.subnets() == [subnet]
        upstream.broken = set()
        desk.address_book.remove_subnet(subnet, CALLER, force=True)
        assert desk.address_book.subnets() == []
        assert upstream.rows == {}


def test_a_suggestion_that_could_not_be_checked_is_the_same_when_asked_again(
    desk: Desk, subnet: Subnet, upstream: Upstream, clock: HandClock
):
    upstream.broken = {"record"}
    with pytest.raises(Unavailable):
        desk.ask(subnet, 1)
    upstream.broken = set()
    assert desk.ask(subnet, 1) == "10.0.1.1"
