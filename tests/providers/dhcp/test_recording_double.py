"""A DHCP server that keeps books: the suites, the order of things, and rule 13 in the middle of everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook
from providers.book.database import Book
from providers.dhcp.contract import DHCPProvider
from providers.errors import InvalidValue, Unavailable, Unreached
from providers.model import DHCPHost, Subnet, Use
from tests.providers.desk import CALLER, Desk, host, mac
from tests.providers.dhcp.conformance import LeasesConformance, PublishingConformance
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.ipam.remote_double import RemoteIPAM, Upstream
from tests.providers.soundness import dump


class TestRecordingDHCP(PublishingConformance, LeasesConformance):
    """The whole suite."""

    server: Server

    @pytest.fixture(autouse=True)
    def _a_server(self) -> None:
        self.server = Server()

    def build(self, book: Book) -> DHCPProvider:
        return RecordingDHCP(book, {"server": self.server})

    def served(self, subnet: Subnet) -> dict[str, str]:
        return {each.mac: str(each.address) for (at, _), each in self.server.served.items() if at == subnet.id}

    def go_away(self) -> None:
        self.server.broken = {"publish", "withdraw"}

    def come_back(self) -> None:
        self.server.broken = set()

    def give_lease(self, subnet: Subnet, address: str, mac: str) -> None:
        self.server.lease(subnet, address, mac)


def test_the_caller_hears_that_nothing_was_reserved(desk: Desk, subnet: Subnet, server: Server, caplog):
    """A server that failed at both may have done it, and the log says so."""
    server.broken = {"publish", "withdraw"}
    with pytest.raises(Unavailable, match=r"^Nothing was reserved: The DHCP server does not answer"):
        desk.serve(subnet, "10.0.1.3", 1)
    assert "10.0.1.3: the DHCP server may differ from the book" in caplog.text


def test_nobody_is_warned_of_a_server_that_was_told_nothing(desk: Desk, subnet: Subnet, server: Server, caplog):
    server.broken, server.error = {"publish", "withdraw"}, Unreached("The DHCP server does not run")
    with pytest.raises(Unreached, match=r"^Nothing was reserved: The DHCP server does not run"):
        desk.serve(subnet, "10.0.1.3", 1)
    assert "may differ" not in caplog.text


def test_of_what_stays_reserved_nobody_says_that_it_is_not(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    server.broken = {"publish"}
    with pytest.raises(Unavailable, match=r"^The DHCP server does not answer"):
        desk.serve(subnet, "10.0.1.3", 1)


@pytest.fixture
def server() -> Server:
    """The DHCP server of this test."""
    return Server()


@pytest.fixture
def upstream() -> Upstream:
    """The IPAM of this test."""
    return Upstream()


@pytest.fixture
def address_book(address_book: AddressBook, server: Server, upstream: Upstream) -> Iterator[AddressBook]:
    """The address book of every test here has a server to tell and an IPAM elsewhere."""
    address_book.dhcp = RecordingDHCP(address_book.book, {"server": server})
    address_book.ipam = RemoteIPAM(address_book.book, {"upstream": upstream})
    return address_book


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/28."""
    return desk.add("10.0.1.0/28")


def state(desk: Desk) -> dict:
    """The book but for what was logged."""
    return dump(desk.book, without=("events",))


def test_rule_10_withdrawn_first_then_upstream_then_the_book(
    desk: Desk, subnet: Subnet, server: Server, upstream: Upstream
):
    desk.serve(subnet, "10.0.1.3", 1)
    seen = []
    server.meanwhile["withdraw"] = lambda: seen.append((upstream.has(subnet, "10.0.1.3"), True))
    upstream.meanwhile["delete"] = lambda: seen.append((bool(server.served), desk.at(subnet, "10.0.1.3") is not None))
    desk.release(subnet, "10.0.1.3", use=Use.DHCP)
    assert seen == [(True, True), (False, True)]


def test_publishing_comes_after_upstream_said_yes(desk: Desk, subnet: Subnet, server: Server, upstream: Upstream):
    upstream.broken = {"create"}
    with pytest.raises(Unavailable):
        desk.serve(subnet, "10.0.1.3", 1)
    assert server.calls == []


def test_the_host_that_is_published_has_its_address(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    assert server.served[subnet.id, mac(1)].address == IPAddress("10.0.1.3")


def test_the_host_is_published_where_it_lives(desk: Desk, subnet: Subnet, server: Server):
    child = desk.add("10.0.1.8/29")
    desk.serve(subnet, "10.0.1.9", 1)
    assert list(server.served) == [(child.id, mac(1))]


def test_an_exact_duplicate_is_published_again(desk: Desk, subnet: Subnet, server: Server):
    """It heals a server that forgot."""
    desk.serve(subnet, "10.0.1.3", 1)
    server.served.clear()
    desk.serve(subnet, "10.0.1.3", 1)
    assert (subnet.id, mac(1)) in server.served


@pytest.mark.parametrize(
    "error", [Unavailable("no answer"), InvalidValue("no such option"), RuntimeError("a bug of the provider")], ids=repr
)
class TestPublishFails:
    """Rule 13: the caller hears it and the book is as before."""

    @pytest.fixture(autouse=True)
    def _broken(self, server: Server, error: Exception) -> None:
        server.error = error

    def test_upstream_is_as_before(
        self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream, error: Exception
    ):
        server.broken = {"publish"}
        with pytest.raises(type(error)):
            desk.serve(subnet, "10.0.1.3", 1)
        assert upstream.rows == {}

    def test_what_upstream_had_stays(
        self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream, error: Exception
    ):
        desk.take(subnet, "10.0.1.3")
        before = state(desk)
        server.broken = {"publish"}
        with pytest.raises(type(error)):
            desk.serve(subnet, "10.0.1.3", 1)
        assert state(desk) == before
        assert upstream.has(subnet, "10.0.1.3")

    def test_a_hold_is_there_again(self, desk: Desk, subnet: Subnet, server: Server, error: Exception):
        address = desk.ask(subnet, 1)
        before = state(desk)
        server.broken = {"publish"}
        with pytest.raises(type(error)):
            desk.serve(subnet, address, 2)
        assert state(desk) == before

    def test_a_rest_is_there_again(self, desk: Desk, subnet: Subnet, server: Server, error: Exception):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.release(subnet, "10.0.1.3")
        before = state(desk)
        server.broken = {"publish"}
        with pytest.raises(type(error)):
            desk.serve(subnet, "10.0.1.3", 1, name="renamed")
        assert state(desk) == before

    def test_undoing_is_an_event(self, desk: Desk, subnet: Subnet, server: Server, error: Exception):
        server.broken = {"publish"}
        with pytest.raises(type(error)):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.actions()[-2:] == ["address.reserve", "address.undo"]

    def test_a_failing_duplicate_leaves_what_is_there(
        self, desk: Desk, subnet: Subnet, server: Server, error: Exception
    ):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book)
        server.broken = {"publish"}
        with pytest.raises(type(error)):
            desk.serve(subnet, "10.0.1.3", 1)
        assert dump(desk.book) == before


class TestMeanwhile:
    """What others do while we talk to the DHCP server."""

    @pytest.fixture(autouse=True)
    def _broken(self, server: Server) -> None:
        server.broken = {"publish"}

    def test_ipam_joined_what_then_failed(self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream):
        server.meanwhile["publish"] = lambda: desk.take(subnet, "10.0.1.3")
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.uses(subnet, "10.0.1.3") == {Use.IPAM}
        assert upstream.has(subnet, "10.0.1.3")

    def test_the_other_of_a_bond_joined_what_then_failed(self, desk: Desk, subnet: Subnet, server: Server):
        def join() -> None:
            server.broken = set()
            desk.serve(subnet, "10.0.1.3", 2, related=[1])
            server.broken = {"publish"}

        server.meanwhile["publish"] = join
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 1)
        assert [each.mac for each in desk.at(subnet, "10.0.1.3").hosts] == [mac(2)]
        assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP}

    def test_the_use_it_joined_went_away(self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream):
        desk.take(subnet, "10.0.1.3")
        server.meanwhile["publish"] = lambda: desk.release(subnet, "10.0.1.3", use=Use.IPAM)
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.at(subnet, "10.0.1.3") is None
        assert not upstream.has(subnet, "10.0.1.3")

    def test_everything_was_released(self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream):
        server.meanwhile["publish"] = lambda: desk.release(subnet, "10.0.1.3")
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.at(subnet, "10.0.1.3") is None
        assert upstream.rows == {}

    def test_the_mac_moved_to_another_address(self, desk: Desk, subnet: Subnet, server: Server):
        def move() -> None:
            desk.release(subnet, "10.0.1.3")
            server.broken = set()
            desk.serve(subnet, "10.0.1.4", 1)
            server.broken = {"publish"}

        server.meanwhile["publish"] = move
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 1)
        assert str(desk.address_book.host_of(subnet, mac(1)).address) == "10.0.1.4"

    def test_the_ipam_went_away_too(
        self, desk: Desk, subnet: Subnet, upstream: Upstream, caplog: pytest.LogCaptureFixture
    ):
        """The caller hears what failed first."""
        upstream.broken = {"delete"}
        with pytest.raises(Unavailable, match="The DHCP server does not answer"):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.at(subnet, "10.0.1.3") is None
        assert "10.0.1.3" in caplog.text


class TestMeanwhileOnRelease:
    """What others do while a host is withdrawn."""

    def test_the_other_of_a_bond_joined(self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream):
        desk.serve(subnet, "10.0.1.3", 1)
        server.meanwhile["withdraw"] = lambda: desk.serve(subnet, "10.0.1.3", 2, related=[1])
        desk.release(subnet, number=1, use=Use.DHCP)
        assert [each.mac for each in desk.at(subnet, "10.0.1.3").hosts] == [mac(2)]
        assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP}
        assert upstream.has(subnet, "10.0.1.3")

    def test_the_other_use_went(self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.take(subnet, "10.0.1.3")
        server.meanwhile["withdraw"] = lambda: desk.release(subnet, "10.0.1.3", use=Use.IPAM)
        desk.release(subnet, number=1, use=Use.DHCP)
        assert desk.at(subnet, "10.0.1.3") is None
        assert not upstream.has(subnet, "10.0.1.3")


class TestWithdrawFails:
    """Rule 10: nothing has happened, and the same call can be repeated."""

    def test_neither_upstream_nor_the_book_is_touched(
        self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream
    ):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book)
        server.broken = {"withdraw"}
        with pytest.raises(Unavailable):
            desk.release(subnet, "10.0.1.3")
        assert dump(desk.book) == before
        assert upstream.has(subnet, "10.0.1.3")

    def test_after_upstream_failed_the_repetition_withdraws_again(
        self, desk: Desk, subnet: Subnet, server: Server, upstream: Upstream
    ):
        desk.serve(subnet, "10.0.1.3", 1)
        upstream.broken = {"delete"}
        with pytest.raises(Unavailable):
            desk.release(subnet, "10.0.1.3")
        upstream.broken = set()
        desk.release(subnet, "10.0.1.3")
        assert server.calls == [("publish", mac(1)), ("withdraw", mac(1)), ("withdraw", mac(1))]
        assert desk.at(subnet, "10.0.1.3") is None

    def test_a_forced_removal_of_a_subnet_can_be_repeated(self, desk: Desk, subnet: Subnet, server: Server):
        for number in (1, 2):
            desk.serve(subnet, f"10.0.1.{number}", number)
        server.broken = {"withdraw"}
        with pytest.raises(Unavailable):
            desk.address_book.remove_subnet(subnet, CALLER, force=True)
        server.broken = set()
        desk.address_book.remove_subnet(subnet, CALLER, force=True)
        assert server.served == {}


def test_a_use_without_host_is_not_published(desk: Desk, subnet: Subnet, server: Server):
    desk.take(subnet, "10.0.1.3", Use.MANUAL)
    assert server.calls == []


def test_a_manual_use_with_a_host_is_published(desk: Desk, subnet: Subnet, server: Server):
    desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, mac=mac(1), host=host(1))
    assert list(server.served.values()) == [
        DHCPHost(mac(1), "host1", "host1.example.com", address=IPAddress("10.0.1.3"))
    ]
