"""The DHCP hosts of guests on their way to the DHCP server or away from it: what a crash leaves halfway is healed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook
from providers.address_book.incoming import Incoming, IncomingAddress
from providers.book import pending
from providers.errors import Conflict, InvalidValue, Unavailable, Unreached
from providers.guests import GuestState
from providers.model import DHCPHost, Pending, Subnet, Use
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.guest_site import Site
from tests.providers.soundness import dump

FIRST, SECOND = "10.0.1.3", "10.0.1.4"


class Killed(BaseException):
    """Nothing can be done about it."""


@pytest.fixture
def server() -> Server:
    """The DHCP server of this test."""
    return Server()


@pytest.fixture
def address_book(address_book: AddressBook, server: Server) -> AddressBook:
    """A server has to be told."""
    address_book.dhcp = RecordingDHCP(address_book.book, {"server": server})
    return address_book


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/28."""
    return desk.add("10.0.1.0/28")


@pytest.fixture
def site(desk: Desk, subnet: Subnet) -> Site:
    """Nodes whose guests have addresses there."""
    return Site(desk)


def marks(desk: Desk, subnet: Subnet) -> dict[str, Pending]:
    with desk.book.read() as connection:
        return {host.mac: mark for host, mark, _ in pending.marked(connection, subnet)}


def agree(desk: Desk, subnet: Subnet, server: Server, **hosts: int) -> None:
    """These names with the MACs of these machines are in the book, are served, and nothing is halfway."""
    wanted = {name: mac(number) for name, number in hosts.items()}
    assert {host.name: host.mac for host in desk.address_book.hosts(subnet)} == wanted
    assert {host.name: host.mac for host in server.served.values()} == wanted
    assert marks(desk, subnet) == {}


def killed_at(site: Site, server: Server, call: str, deed: Callable[[], object], monkeypatch) -> None:
    """Do it, and be killed when the server is told."""
    with monkeypatch.context() as patch:
        patch.setattr(site.book, "_take_all_back", lambda *_: None)
        patch.setattr(server, "error", Killed())
        patch.setattr(server, "broken", {call})
        with pytest.raises(Killed):
            deed()


def healed(site: Site) -> None:
    """As the service does it a few minutes later."""
    site.clock.pass_(minutes=3)
    assert site.book.has_abandoned()
    site.book.sync(CALLER, most_percent=20)


def test_hosts_are_marked_before_the_server_is_told(site: Site, subnet: Subnet, server: Server):
    seen = []
    server.meanwhile["publish"] = lambda: seen.append(marks(site.desk, subnet))
    site.create("a", "web", FIRST, macs=[1])
    server.meanwhile["withdraw"] = lambda: seen.append(marks(site.desk, subnet))
    site.destroy("a", "web")
    assert seen == [{mac(1): Pending.PUBLISH}, {mac(1): Pending.WITHDRAW}]
    agree(site.desk, subnet, server)
    assert site.reserved() == {}


def test_a_host_is_confirmed_only_when_all_of_them_are_served(site: Site, subnet: Subnet, server: Server):
    other = site.desk.add("10.0.2.0/28")
    server.meanwhile["publish"] = lambda: server.meanwhile.update(publish=look)
    seen = []

    def look() -> None:
        seen.append(marks(site.desk, subnet) | marks(site.desk, other))

    site.create("a", "web", FIRST, "10.0.2.3", macs=[1])
    assert seen == [{mac(1): Pending.PUBLISH}]
    assert (marks(site.desk, subnet), marks(site.desk, other)) == ({}, {})


def test_where_nobody_is_told_nothing_is_marked(site: Site, server: Server):
    elsewhere = site.desk.add("10.0.3.0/28", dhcp=False)
    site.create("a", "web", "10.0.3.3", macs=[1])
    site.destroy("a", "web")
    assert (marks(site.desk, elsewhere), server.calls) == ({}, [])


def test_killed_while_it_is_published(site: Site, subnet: Subnet, server: Server, monkeypatch):
    killed_at(site, server, "publish", lambda: site.create("a", "web", FIRST, macs=[1]), monkeypatch)
    assert marks(site.desk, subnet) == {mac(1): Pending.PUBLISH}
    healed(site)
    agree(site.desk, subnet, server, web=1)


def test_killed_while_it_is_withdrawn(site: Site, subnet: Subnet, server: Server, monkeypatch):
    site.create("a", "web", FIRST, macs=[1])
    killed_at(site, server, "withdraw", lambda: site.destroy("a", "web"), monkeypatch)
    assert marks(site.desk, subnet) == {mac(1): Pending.WITHDRAW}
    healed(site)
    agree(site.desk, subnet, server)
    assert site.reserved() == {FIRST: "guest"}
    site.destroy("a", "web")
    assert site.reserved() == {}


def test_killed_while_it_is_withdrawn_and_then_wanted_after_all(
    site: Site, subnet: Subnet, server: Server, monkeypatch
):
    site.create("a", "web", FIRST, macs=[1])
    killed_at(site, server, "withdraw", lambda: site.destroy("a", "web"), monkeypatch)
    server.served.clear()
    site.create("a", "web", FIRST, macs=[1])
    agree(site.desk, subnet, server, web=1)


class TestACardThatChanges:
    """The address stays, its DHCP host does not."""

    @pytest.fixture(autouse=True)
    def _web(self, site: Site):
        site.create("a", "web", FIRST, macs=[1])

    @pytest.mark.parametrize(("macs", "left"), [([2], {"web": 2}), ([], {})], ids=["another MAC", "none"])
    def test_it_is_replaced(self, site: Site, subnet: Subnet, server: Server, macs: list[int], left: dict[str, int]):
        site.create("a", "web", FIRST, macs=macs)
        agree(site.desk, subnet, server, **left)
        assert site.reserved() == {FIRST: "dhcp guest" if left else "guest"}

    @pytest.mark.parametrize(("macs", "left"), [([2], {"web": 2}), ([], {})], ids=["another MAC", "none"])
    def test_killed_before_the_server_knows(
        self, site: Site, subnet: Subnet, server: Server, monkeypatch, macs: list[int], left: dict[str, int]
    ):
        killed_at(site, server, "withdraw", lambda: site.create("a", "web", FIRST, macs=macs), monkeypatch)
        healed(site)
        agree(site.desk, subnet, server, **left)

    @pytest.mark.parametrize("macs", [[1], [2]], ids=["the same", "another"])
    def test_killed_and_reported_with_a_mac_again(
        self, site: Site, subnet: Subnet, server: Server, monkeypatch, macs: list[int]
    ):
        killed_at(site, server, "withdraw", lambda: site.create("a", "web", FIRST, macs=[]), monkeypatch)
        site.create("a", "web", FIRST, macs=macs)
        agree(site.desk, subnet, server, web=macs[0])

    @pytest.mark.parametrize(("macs", "call"), [([2], "withdraw"), ([2], "publish"), ([], "withdraw")])
    def test_a_failure_leaves_it_as_it_was(
        self, site: Site, subnet: Subnet, server: Server, macs: list[int], call: str
    ):
        before = dump(site.book.book, without=("events",))
        server.meanwhile[call] = lambda: (server.broken.add(call), server.meanwhile.update({call: recover}))

        def recover() -> None:
            server.broken.clear()

        with pytest.raises(Unavailable):
            site.create("a", "web", FIRST, macs=macs)
        assert dump(site.book.book, without=("events",)) == before
        agree(site.desk, subnet, server, web=1)


def test_what_can_never_be_served_is_refused_before_anything_is_written(
    site: Site, server: Server, monkeypatch: pytest.MonkeyPatch
):
    def refuse(_self: RecordingDHCP, _subnet: Subnet, host: DHCPHost) -> None:
        raise InvalidValue(f"{host.name} cannot be told")

    monkeypatch.setattr(RecordingDHCP, "refuse_unfit", refuse)
    before = dump(site.book.book, without=("events",))
    with pytest.raises(InvalidValue, match="web cannot be told"):
        site.create("a", "web", FIRST, SECOND, macs=[1])
    assert dump(site.book.book, without=("events",)) == before
    assert server.calls == []


def test_what_a_duplicate_confirmed_is_not_undone_by_the_guests_failure(site: Site, subnet: Subnet, server: Server):
    """Somebody reserved the same DHCP host, it was served, and he was told so."""

    def repeat() -> None:
        there = site.desk.at(subnet, FIRST)
        site.book.reserve(subnet, IPAddress(FIRST), Use.DHCP, CALLER, host=there.hosts[0])
        server.broken = {"publish"}

    server.meanwhile["publish"] = repeat
    with pytest.raises(Unavailable):
        site.create("a", "web", FIRST, macs=[1])
    server.broken = set()
    agree(site.desk, subnet, server, web=1)
    assert site.reserved() == {FIRST: "dhcp"}


@pytest.mark.parametrize(("error", "warned"), [(Unreached, False), (Unavailable, True)])
def test_nobody_is_warned_of_a_server_that_was_told_nothing(site, subnet, server, caplog, error, warned):
    server.broken, server.error = {"publish", "withdraw"}, error("The DHCP server does not run")
    with pytest.raises(error):
        site.create("a", "web", FIRST, macs=[1])
    assert ("may differ from the book" in caplog.text) is warned


def test_released_by_somebody_while_it_is_published(site: Site, subnet: Subnet, server: Server):
    server.meanwhile["publish"] = lambda: site.desk.release(subnet, FIRST)
    assert site.create("a", "web", FIRST, macs=[1]).accepted
    agree(site.desk, subnet, server)
    assert site.reserved() == {}


def test_reported_while_somebody_releases_its_host(site: Site, subnet: Subnet, server: Server):
    """What the node says last holds."""
    site.create("a", "web", FIRST, macs=[1])
    server.meanwhile["withdraw"] = lambda: site.create("a", "web", FIRST, macs=[1])
    site.desk.release(subnet, FIRST, use=Use.DHCP)
    agree(site.desk, subnet, server, web=1)


def test_wanted_again_while_it_is_withdrawn_with_another_use_beside_it(site: Site, subnet: Subnet, server: Server):
    site.create("a", "web", FIRST, macs=[1])
    site.book.reserve(subnet, IPAddress(FIRST), Use.MANUAL, CALLER, mac=mac(1))
    server.meanwhile["withdraw"] = lambda: site.create("b", "web", FIRST, macs=[1], state=GuestState.STARTING)
    site.destroy("a", "web")
    agree(site.desk, subnet, server, web=1)
    assert site.reserved() == {FIRST: "dhcp guest manual"}


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "in one step"])
def test_a_subnet_with_hosts_of_guests_goes_by_force(
    site: Site, subnet: Subnet, server: Server, at_once: bool, monkeypatch: pytest.MonkeyPatch
):
    def from_the_book(self: RecordingDHCP, subnet: Subnet, _: object) -> None:
        with self.book.read() as connection:
            wanted = pending.host_page(connection, subnet, None)
        server.served = {(subnet.id, host.mac): host for host in wanted}

    if at_once:
        capabilities = replace(RecordingDHCP.capabilities, in_one_step=True)
        monkeypatch.setattr(RecordingDHCP, "capabilities", capabilities)
        monkeypatch.setattr(RecordingDHCP, "replace", from_the_book)
    site.create("a", "web", FIRST, macs=[1])
    site.create("b", "db", SECOND, macs=[2])
    site.book.remove_subnet(subnet, CALLER, force=True)
    assert (server.served, site.reserved()) == ({}, {})
    assert site.guests() == {"db": ("b", "created", [SECOND]), "web": ("a", "created", [FIRST])}
    assert list(site.book.check()) == []


def test_what_is_told_about_an_address_is_not_what_is_served_there(site: Site, subnet: Subnet, server: Server):
    site.create("a", "web", FIRST, macs=[1])
    site.book.amend(subnet, IPAddress(FIRST), CALLER, name="www")
    with pytest.raises(Conflict, match="is served to MAC"):
        site.book.amend(subnet, IPAddress(FIRST), CALLER, mac=mac(2))
    site.create("a", "web", FIRST, macs=[1])
    agree(site.desk, subnet, server, web=1)
    assert site.desk.at(subnet, FIRST).name == "www"


def test_an_import_joins_the_address_of_a_guest(site: Site, subnet: Subnet, server: Server):
    site.create("a", "web", FIRST, macs=[1])
    joins = IncomingAddress(IPAddress(FIRST), "here:1", frozenset({Use.MANUAL}), mac=mac(1))
    clashes = IncomingAddress(IPAddress(FIRST), "here:2", frozenset({Use.MANUAL}), mac=mac(2))
    served = DHCPHost(mac(3), "db", "db")
    comes = IncomingAddress(IPAddress(SECOND), "here:3", frozenset({Use.GUEST, Use.DHCP}), mac=mac(3), host=served)
    plan = site.book.apply_import(Incoming(addresses=(joins, clashes, comes)), CALLER)
    assert [clash.origin for clash in plan.clashes] == ["here:2"]
    agree(site.desk, subnet, server, web=1, db=3)
    assert site.create("b", "db", SECOND, macs=[3]).accepted
    site.destroy("a", "web")
    assert site.reserved() == {FIRST: "manual", SECOND: "dhcp guest"}
