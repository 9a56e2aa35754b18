"""An IPAM or a DHCP server that fails in the middle of a report about a guest: the book is as before, so are they."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook
from providers.book.upstream import doubts
from providers.errors import Conflict, InvalidValue, LeaseholdError, Unavailable, Uncertain
from providers.guests import GuestState
from providers.ipam.contract import Record
from providers.model import Subnet, Use
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.guest_site import CLUSTER, Site
from tests.providers.ipam.remote_double import RemoteIPAM, Upstream, place
from tests.providers.soundness import dump

FIRST, SECOND, THIRD, FOURTH = "10.0.1.5", "10.0.2.6", "10.0.1.7", "10.0.2.8"
MACS = [1, 2]


@pytest.fixture
def upstream() -> Upstream:
    """The IPAM of this test."""
    return Upstream()


@pytest.fixture
def server() -> Server:
    """The DHCP server of this test."""
    return Server()


@pytest.fixture
def address_book(address_book: AddressBook, upstream: Upstream, server: Server) -> AddressBook:
    """The truth is upstream, and a server has to be told."""
    address_book.ipam = RemoteIPAM(address_book.book, {"upstream": upstream})
    address_book.dhcp = RecordingDHCP(address_book.book, {"server": server})
    return address_book


@pytest.fixture
def site(desk: Desk) -> Site:
    """Two subnets, and a guest with an address and a DHCP host in each."""
    desk.add("10.0.1.0/24")
    desk.add("10.0.2.0/24")
    made = Site(desk)
    made.create("a", "web", FIRST, SECOND, macs=MACS)
    made.clock.pass_(minutes=1)
    return made


def fails_at(double: Upstream | Server, call: str, number: int, *, once: bool = False) -> None:
    """Let the ``number``-th such call from now on fail, and all that follow, unless ``once``."""

    def count(left: int) -> None:
        if left == 1:
            double.broken.add(call)
            if once:
                double.meanwhile[call] = lambda: double.broken.discard(call)
        else:
            double.meanwhile[call] = lambda: count(left - 1)

    double.meanwhile[call] = lambda: count(number)


def whole(site: Site, upstream: Upstream, server: Server) -> tuple[object, ...]:
    """All that there is, but for the log: the book, what is upstream, what is served."""
    served = {key: (host.name, host.hostname, str(host.address)) for key, host in server.served.items()}
    rows = {key: (record.name, record.mac, record.node) for key, record in upstream.rows.items()}
    return dump(site.book.book, without=("events",)), rows, served


def created(site: Site) -> object:
    return site.create("b", "db", THIRD, FOURTH, macs=[3, 4])


def moved_elsewhere(site: Site) -> object:
    return site.start("b", "web", THIRD, FOURTH, macs=MACS)


def got_another(site: Site) -> object:
    return site.start("a", "web", FIRST, SECOND, THIRD, FOURTH, macs=MACS)


def lost_all(site: Site) -> object:
    return site.put("a", "web", [])


def destroyed(site: Site) -> object:
    return site.destroy("a", "web")


def renamed(site: Site) -> object:
    return site.rename("a", "web", "www")


FAILURES = [
    ("create", 1, created), ("create", 2, created), ("publish", 1, created), ("publish", 2, created),
    ("create", 1, moved_elsewhere), ("create", 2, moved_elsewhere), ("withdraw", 1, moved_elsewhere),
    ("withdraw", 2, moved_elsewhere), ("publish", 1, moved_elsewhere), ("publish", 2, moved_elsewhere),
    ("delete", 1, moved_elsewhere), ("delete", 2, moved_elsewhere), ("create", 2, got_another),
    ("withdraw", 1, lost_all), ("withdraw", 2, lost_all), ("delete", 1, lost_all), ("delete", 2, lost_all),
    ("withdraw", 2, destroyed), ("delete", 1, destroyed), ("delete", 2, destroyed),
    ("withdraw", 1, renamed), ("publish", 1, renamed), ("publish", 2, renamed),
]  # fmt: skip


@pytest.mark.parametrize(("call", "number", "deed"), FAILURES)
def test_the_book_is_as_before_and_the_same_report_succeeds_later(
    site: Site, upstream: Upstream, server: Server, call: str, number: int, deed: Callable[[Site], object]
):
    before = dump(site.book.book, without=("events",))
    double = server if call in ("publish", "withdraw") else upstream
    fails_at(double, call, number)

    with pytest.raises(Unavailable):
        deed(site)

    assert dump(site.book.book, without=("events",)) == before
    double.broken.clear()
    double.meanwhile.clear()

    deed(site)

    assert {address for _, address in upstream.rows} == set(site.reserved())
    assert served(server) == {(name, address) for address, name in site.served().items()}


def served(server: Server) -> set[tuple[str, str]]:
    return {(host.name, str(host.address)) for host in server.served.values()}


@pytest.mark.parametrize(("call", "number", "deed"), FAILURES)
def test_what_was_told_is_taken_back_when_they_answer_again(
    site: Site, upstream: Upstream, server: Server, call: str, number: int, deed: Callable[[Site], object]
):
    before = whole(site, upstream, server)
    fails_at(server if call in ("publish", "withdraw") else upstream, call, number, once=True)

    with pytest.raises(Unavailable):
        deed(site)

    assert whole(site, upstream, server) == before


def test_an_address_that_somebody_has_upstream_refuses_all(site: Site, upstream: Upstream, server: Server):
    subnet = site.book.subnet_of(IPAddress(FOURTH))
    upstream.add_foreign(subnet, FOURTH, name="printer")
    before = whole(site, upstream, server)

    with pytest.raises(Conflict, match="printer"):
        created(site)

    assert whole(site, upstream, server) == before
    assert site.told("guest.conflict")[0]["guest"] == "db"


def test_a_value_that_can_never_be_served_refuses_all(site: Site, upstream: Upstream, server: Server):
    before = whole(site, upstream, server)
    server.error = InvalidValue("No such option")
    fails_at(server, "publish", 2)

    with pytest.raises(InvalidValue):
        created(site)

    assert whole(site, upstream, server) == before


def test_a_hold_that_was_consumed_is_there_again(site: Site, upstream: Upstream):
    subnet = site.book.subnet_of(IPAddress(THIRD))
    held = site.desk.ask(subnet, key="east/db/0", span=f"{THIRD}-{THIRD}")
    fails_at(upstream, "create", 2)

    with pytest.raises(Unavailable):
        created(site)

    assert site.desk.held(subnet) == {held: "key:east/db/0"}


def test_that_the_description_cannot_be_written_refuses_nothing(site: Site, upstream: Upstream):
    upstream.broken = {"amend"}
    assert site.start("b", "web", FIRST, SECOND, macs=MACS).accepted
    assert site.guests()["web"] == ("b", "running", [FIRST, SECOND])


class TestWhatTheIPAMIsTold:
    """Owner, node, emulator, and whether the guest runs."""

    @pytest.fixture
    def subnet(self, site: Site) -> Subnet:
        """That of the first address."""
        return site.book.subnet_of(IPAddress(FIRST))

    def told(self, upstream: Upstream, subnet: Subnet) -> tuple[object, ...]:
        record = upstream.rows[place(subnet, IPAddress(FIRST))]
        return record.owner, record.node, record.emulator, record.online, record.name, record.mac, record.note

    def test_at_its_creation(self, site: Site, upstream: Upstream, subnet: Subnet):
        assert self.told(upstream, subnet) == ("east/web", "a", "bhyve", False, "web", mac(1), "a")

    def test_when_it_runs(self, site: Site, upstream: Upstream, subnet: Subnet):
        site.patch("a", "web", GuestState.RUNNING)
        assert self.told(upstream, subnet)[3] is True

    def test_when_it_moves(self, site: Site, upstream: Upstream, subnet: Subnet):
        site.start("b", "web", FIRST, SECOND, macs=MACS, hostname="web.example.com")
        assert self.told(upstream, subnet) == ("east/web", "b", "bhyve", True, "web.example.com", mac(1), "b")

    def test_when_it_is_renamed(self, site: Site, upstream: Upstream, subnet: Subnet):
        renamed(site)
        assert self.told(upstream, subnet)[0::4] == ("east/www", "www")

    def test_nothing_when_nothing_changed(self, site: Site, upstream: Upstream, subnet: Subnet):
        upstream.calls.clear()
        site.create("a", "web", FIRST, SECOND, macs=MACS)
        assert upstream.calls == []


class TestAnotherReportMeanwhile:
    """Another node reports the guest while the IPAM or the DHCP server is being told."""

    def test_what_failed_is_not_undone_below_the_other_one(self, site: Site, upstream: Upstream):
        upstream.meanwhile["create"] = lambda: (
            site.start("b", "web", FIRST, SECOND, THIRD, FOURTH, macs=MACS), upstream.broken.add("create")
        )  # fmt: skip
        with pytest.raises(Unavailable):
            got_another(site)
        assert site.guests()["web"] == ("b", "running", [FIRST, SECOND, THIRD, FOURTH])
        assert {address for _, address in upstream.rows} == {FIRST, SECOND, THIRD, FOURTH} == set(site.reserved())

    def test_the_other_one_is_not_acknowledged_either_while_the_ipam_is_away(self, site: Site, upstream: Upstream):
        before = site.guests()
        upstream.meanwhile["create"] = lambda: (
            upstream.broken.add("create"), site.start("b", "web", FIRST, SECOND, THIRD, FOURTH, macs=MACS)
        )  # fmt: skip
        with pytest.raises(Unavailable):
            got_another(site)
        assert site.guests() == before
        assert set(site.reserved()) == {FIRST, SECOND}

    def test_what_the_other_one_wants_to_keep_is_kept_everywhere(self, site: Site, upstream: Upstream, server: Server):
        upstream.meanwhile["delete"] = lambda: site.start("b", "web", FIRST, SECOND, macs=MACS)
        assert site.put("a", "web", []).accepted
        assert site.guests()["web"] == ("b", "running", [FIRST, SECOND])
        assert {address for _, address in upstream.rows} == {FIRST, SECOND}
        assert served(server) == {("web", FIRST), ("web", SECOND)}

    def test_a_guest_that_is_started_while_it_is_destroyed_lives(self, site: Site, upstream: Upstream):
        upstream.meanwhile["delete"] = lambda: site.start("b", "web", FIRST, SECOND, macs=MACS)
        assert destroyed(site).accepted
        assert site.guests() == {"web": ("b", "running", [FIRST, SECOND])}
        assert {address for _, address in upstream.rows} == {FIRST, SECOND}

    def test_an_address_that_is_being_given_back_is_nobody_elses_yet(self, site: Site, upstream: Upstream):
        refused: list[LeaseholdError] = []

        def another() -> None:
            try:
                site.create("b", "db", FIRST)
            except Conflict as error:
                refused.append(error)

        upstream.meanwhile["delete"] = another
        destroyed(site)
        assert "web" in str(refused[0])
        assert site.create("b", "db", FIRST).accepted


class TestACrashHalfWay:
    """The service is killed after the IPAM was told of one address, and before the book was."""

    class Killed(BaseException):
        """Nothing can be done about it."""

    @pytest.fixture
    def crashed(self, site: Site, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Site:
        """The guest was about to give its first address back."""
        with monkeypatch.context() as patch:
            patch.setattr(site.book, "_take_all_back", lambda *_: None)
            upstream.error = self.Killed()  # type: ignore[assignment]
            fails_at(upstream, "delete", 2)
            with pytest.raises(self.Killed):
                site.put("a", "web", [], macs=MACS)
        upstream.broken.clear()
        assert set(site.reserved()) == {FIRST, SECOND}
        assert {address for _, address in upstream.rows} == {SECOND}
        return site

    def test_nobody_else_gets_the_addresses(self, crashed: Site):
        with pytest.raises(Conflict, match="guest web"):
            crashed.create("b", "db", FIRST)

    def test_the_same_report_finishes_it(self, crashed: Site, upstream: Upstream, server: Server):
        assert crashed.put("a", "web", [], macs=MACS).accepted
        assert (crashed.reserved(), upstream.rows, server.served) == ({}, {}, {})

    def test_so_does_any_other_report_that_counts(self, crashed: Site, upstream: Upstream):
        crashed.patch("a", "web", GuestState.RUNNING)
        assert (crashed.reserved(), upstream.rows) == ({}, {})
        assert crashed.book.guest(CLUSTER, "web").addresses == ()

    def test_an_address_that_is_wanted_after_all_is_told_again(self, crashed: Site, upstream: Upstream, server: Server):
        crashed.create("a", "web", FIRST, SECOND, macs=MACS)
        assert {address for _, address in upstream.rows} == {FIRST, SECOND} == set(crashed.reserved())
        assert served(server) == {("web", FIRST), ("web", SECOND)}


    def test_a_new_address_is_told_again(
        self, site: Site, upstream: Upstream, server: Server, monkeypatch: pytest.MonkeyPatch
    ):
        """The report that comes again is acknowledged only when everybody knows."""
        with monkeypatch.context() as patch:
            patch.setattr(site.book, "_take_all_back", lambda *_: None)
            upstream.error = self.Killed()  # type: ignore[assignment]
            fails_at(upstream, "create", 2)
            with pytest.raises(self.Killed):
                created(site)
        assert THIRD in site.reserved()
        upstream.error = Unavailable("The IPAM does not answer")
        with pytest.raises(Unavailable):
            created(site)
        upstream.broken.clear()

        created(site)

        assert {address for _, address in upstream.rows} == {FIRST, SECOND, THIRD, FOURTH} == set(site.reserved())
        assert served(server) == {(name, address) for address, name in site.served().items()}
        upstream.calls.clear()
        created(site)
        assert upstream.calls == []


def test_a_row_of_ours_that_was_left_behind_upstream_becomes_the_guests(site: Site, upstream: Upstream):
    """The book knows of nobody who has it, and it bears the mark of this book."""
    subnet = site.book.subnet_of(IPAddress(FOURTH))
    upstream.rows[place(subnet, IPAddress(FOURTH))] = Record(IPAddress(FOURTH), "left", ours=True)
    created(site)
    assert upstream.rows[place(subnet, IPAddress(FOURTH))].owner == "east/db"


class TestRowsOfOthers:
    """Rules 11 and 12: what somebody has upstream with the MAC of the guest is joined, anything else refuses."""

    @pytest.fixture
    def subnets(self, site: Site) -> tuple[Subnet, Subnet]:
        """Those of the third and the fourth address."""
        first, second = (site.book.subnet_of(IPAddress(each)) for each in (THIRD, FOURTH))
        return first, second

    @pytest.mark.parametrize("met", [False, True], ids=["unknown", "known to the book"])
    def test_a_row_with_the_macs_of_the_guest_is_joined(
        self, site: Site, upstream: Upstream, subnets: tuple[Subnet, Subnet], met: bool
    ):
        for subnet, address in zip(subnets, (THIRD, FOURTH), strict=True):
            upstream.add_foreign(subnet, address, name="planned", mac=mac(3))
            if met:
                site.desk.ask(subnet, key="somebody", span=f"{address}-{address[:-1]}{int(address[-1]) + 1}")
        assert site.create("b", "db", THIRD, FOURTH, macs=[3]).accepted
        assert site.reserved()[THIRD] == site.reserved()[FOURTH] == "dhcp guest upstream"
        assert not upstream.rows[place(subnets[0], IPAddress(THIRD))].ours
        assert site.told("guest.conflict") == []

    def test_when_the_guest_goes_the_row_stays(
        self, site: Site, upstream: Upstream, subnets: tuple[Subnet, Subnet]
    ):
        upstream.add_foreign(subnets[0], THIRD, name="planned", mac=mac(3))
        site.create("b", "db", THIRD, macs=[3])
        site.destroy("b", "db")
        assert upstream.has(subnets[0], THIRD)
        assert site.reserved()[THIRD] == "upstream"

    def test_a_row_that_the_book_knows_and_that_is_gone_refuses_nothing(
        self, site: Site, upstream: Upstream, subnets: tuple[Subnet, Subnet]
    ):
        upstream.add_foreign(subnets[0], THIRD, name="planned")
        site.desk.ask(subnets[0], key="somebody", span=f"{THIRD}-10.0.1.8")
        assert site.reserved()[THIRD] == "upstream"
        upstream.rows.pop(place(subnets[0], IPAddress(THIRD)))
        assert site.create("b", "db", THIRD, macs=[3]).accepted
        assert upstream.rows[place(subnets[0], IPAddress(THIRD))].ours

    def test_a_row_with_another_mac_refuses_all(
        self, site: Site, upstream: Upstream, server: Server, subnets: tuple[Subnet, Subnet]
    ):
        upstream.add_foreign(subnets[0], THIRD, name="planned", mac=mac(3))
        upstream.add_foreign(subnets[1], FOURTH, name="printer", mac=mac(9))
        before = (upstream.rows.copy(), server.served.copy())
        with pytest.raises(Conflict, match="printer"):
            site.create("b", "db", THIRD, FOURTH, macs=[3])
        assert (upstream.rows, server.served) == before
        assert THIRD not in site.guests()
        assert len(site.told("guest.conflict")) == 1

    def test_a_guest_that_joined_is_told_again_after_a_crash(
        self, site: Site, upstream: Upstream, server: Server, subnets: tuple[Subnet, Subnet], monkeypatch
    ):
        upstream.add_foreign(subnets[0], THIRD, name="planned", mac=mac(3))
        site.desk.ask(subnets[0], key="somebody", span=f"{THIRD}-10.0.1.8")
        with monkeypatch.context() as patch:
            patch.setattr(site.book, "_take_all_back", lambda *_: None)
            patch.setattr(server, "broken", {"publish"})
            with pytest.raises(Unavailable):
                site.create("b", "db", THIRD, macs=[3])
        assert site.create("b", "db", THIRD, macs=[3]).accepted
        assert served(server) >= {("db", THIRD)}


class TestAnAnswerThatWasLost:
    """The IPAM was told to take an address, and did not say whether it did."""

    @pytest.fixture
    def doubtful(self, site: Site, upstream: Upstream) -> Site:
        """The second address of a guest was not acknowledged."""
        upstream.error = Uncertain("No answer came")
        fails_at(upstream, "create", 2, once=True)
        with pytest.raises(Uncertain):
            created(site)
        assert {address for _, address in upstream.rows} == {FIRST, SECOND}
        return site

    def test_what_comes_late_is_removed(self, doubtful: Site, upstream: Upstream):
        where = place(doubtful.book.subnet_of(IPAddress(FOURTH)), IPAddress(FOURTH))
        upstream.rows[where] = Record(IPAddress(FOURTH), "db", ours=True)
        doubtful.book.settle_doubts()
        assert where not in upstream.rows

    def test_there_is_no_doubt_about_what_was_answered(self, doubtful: Site):
        with doubtful.book.book.read() as connection:
            assert [str(each.address) for each in doubts(connection, 10)] == [FOURTH]

    def test_what_was_reserved_meanwhile_stays(self, doubtful: Site, upstream: Upstream):
        assert created(doubtful).accepted
        doubtful.book.settle_doubts()
        assert {address for _, address in upstream.rows} == {FIRST, SECOND, THIRD, FOURTH}


def test_what_was_deleted_upstream_is_written_again_with_its_guest(site: Site, upstream: Upstream):
    subnet = site.book.subnet_of(IPAddress(FIRST))
    before = upstream.rows.pop(place(subnet, IPAddress(FIRST)))
    site.book.adopt(subnet, IPAddress(FIRST), CALLER)
    assert upstream.rows[place(subnet, IPAddress(FIRST))] == before


def test_whoever_describes_an_address_leaves_what_is_told_of_its_guest(site: Site, upstream: Upstream):
    subnet = site.book.subnet_of(IPAddress(FIRST))
    site.book.amend(subnet, IPAddress(FIRST), CALLER, note="in the cellar")
    site.book.reserve(subnet, IPAddress(FIRST), Use.MANUAL, CALLER, mac=mac(1), description="a web server")
    record = upstream.rows[place(subnet, IPAddress(FIRST))]
    assert (record.note, record.description) == ("in the cellar", "a web server")
    assert (record.owner, record.node, record.emulator, record.online) == ("east/web", "a", "bhyve", False)
