"""Hosts on their way to the DHCP server or away from it, and what others do to them meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook
from providers.book import free_space, pending, taken
from providers.errors import Conflict, Unavailable
from providers.model import Pending, Subnet, Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.dhcp.recording_double import RecordingDHCP, Server


@pytest.fixture
def server() -> Server:
    """The DHCP server of this test."""
    return Server()


@pytest.fixture
def address_book(address_book: AddressBook, server: Server) -> AddressBook:
    """The address book of every test here has that server."""
    address_book.dhcp = RecordingDHCP(address_book.book, {"server": server})
    return address_book


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/28."""
    return desk.add("10.0.1.0/28")


def marks(desk: Desk, subnet: Subnet) -> dict[str, Pending]:
    with desk.book.read() as connection:
        return {host.mac: mark for host, mark, _ in pending.marked(connection, subnet)}


def served(server: Server) -> dict[str, str]:
    return {each.mac: str(each.address) for each in server.served.values()}


def agree(desk: Desk, subnet: Subnet, server: Server, *numbers: int) -> None:
    """These and no others are in the book, are served, and nothing is halfway."""
    assert {host.mac for host in desk.address_book.hosts(subnet)} == {mac(number) for number in numbers}
    assert set(served(server)) == {mac(number) for number in numbers}
    assert marks(desk, subnet) == {}


def test_a_host_is_marked_before_the_server_is_told(desk: Desk, subnet: Subnet, server: Server):
    seen = []
    server.meanwhile["publish"] = lambda: seen.append(marks(desk, subnet))
    desk.serve(subnet, "10.0.1.3", 1)
    server.meanwhile["withdraw"] = lambda: seen.append(marks(desk, subnet))
    desk.release(subnet, "10.0.1.3")
    assert seen == [{mac(1): Pending.PUBLISH}, {mac(1): Pending.WITHDRAW}]
    agree(desk, subnet, server)


def test_where_nobody_is_told_nothing_is_marked(desk: Desk, server: Server):
    elsewhere = desk.add("10.0.3.0/28", dhcp=False)
    desk.serve(elsewhere, "10.0.3.3", 3)
    assert marks(desk, elsewhere) == {}
    assert server.calls == []


def test_after_a_failure_the_server_is_told_to_forget_it(desk: Desk, subnet: Subnet, server: Server):
    """It may have done what it did not answer."""
    server.broken = {"publish"}
    with pytest.raises(Unavailable):
        desk.serve(subnet, "10.0.1.3", 1)
    assert server.calls == [("publish", mac(1)), ("withdraw", mac(1))]


def test_what_a_duplicate_confirmed_is_not_undone_by_the_first_ones_failure(
    desk: Desk, subnet: Subnet, server: Server
):
    def repeat() -> None:
        desk.serve(subnet, "10.0.1.3", 1)
        server.broken = {"publish"}

    server.meanwhile["publish"] = repeat
    with pytest.raises(Unavailable):
        desk.serve(subnet, "10.0.1.3", 1)
    server.broken = set()
    agree(desk, subnet, server, 1)


def test_a_duplicate_that_is_undone_by_the_first_ones_failure_is_reserved_again(
    desk: Desk, subnet: Subnet, server: Server
):
    """The second one finds the host of the first one, which is gone by the time that it is served."""
    def second_one() -> None:
        server.meanwhile["publish"] = lambda: desk.address_book.book.write(undo)
        desk.serve(subnet, "10.0.1.3", 1)

    def undo(connection) -> None:
        taken.remove(connection, subnet, IPAddress("10.0.1.3"))
        free_space.give(connection, subnet.id, IPAddress("10.0.1.3"))

    server.meanwhile["publish"] = second_one
    desk.serve(subnet, "10.0.1.3", 1)
    agree(desk, subnet, server, 1)


def test_who_meets_another_while_the_server_is_told_again_looks_again(desk: Desk, subnet: Subnet, server: Server):
    """Undoing fails because somebody reserves the same MAC, whose host gets lost by that."""

    def another() -> None:
        server.broken.clear()
        desk.serve(subnet, "10.0.1.4", 1)
        server.served.clear()
        server.broken, server.error = {"withdraw"}, Conflict("another was at it")

    server.broken = {"publish"}
    server.meanwhile["withdraw"] = another
    with pytest.raises(Unavailable):
        desk.serve(subnet, "10.0.1.3", 1)

    agree(desk, subnet, server, 1)
    assert served(server) == {mac(1): "10.0.1.4"}


def test_deleted_while_it_is_published(desk: Desk, subnet: Subnet, server: Server):
    server.meanwhile["publish"] = lambda: desk.release(subnet, "10.0.1.3")
    desk.serve(subnet, "10.0.1.3", 1)
    agree(desk, subnet, server)


def test_created_again_while_it_is_withdrawn(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    server.meanwhile["withdraw"] = lambda: desk.serve(subnet, "10.0.1.3", 1)
    desk.release(subnet, "10.0.1.3")
    agree(desk, subnet, server, 1)
    assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP}


def test_deleted_by_two_at_once(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    server.meanwhile["withdraw"] = lambda: desk.release(subnet, "10.0.1.3")
    desk.release(subnet, "10.0.1.3")
    agree(desk, subnet, server)


def test_one_of_two_deletions_fails(desk: Desk, subnet: Subnet, server: Server, clock: HandClock):
    """The one that succeeded has deleted it."""
    desk.serve(subnet, "10.0.1.3", 1)

    def fail() -> None:
        clock.pass_(seconds=1)
        server.broken = {"withdraw"}
        with pytest.raises(Unavailable):
            desk.release(subnet, "10.0.1.3")
        server.broken = set()

    server.meanwhile["withdraw"] = fail
    desk.release(subnet, "10.0.1.3")
    agree(desk, subnet, server)


def test_a_failed_deletion_of_a_bond_serves_all_of_it(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.3", 2, related=[1])

    def fail_next() -> None:
        server.meanwhile["withdraw"] = lambda: server.broken.add("withdraw")

    server.meanwhile["withdraw"] = fail_next
    with pytest.raises(Unavailable):
        desk.release(subnet, "10.0.1.3")
    server.broken = set()
    agree(desk, subnet, server, 1, 2)


def test_a_repeated_reservation_keeps_a_host_that_was_left_halfway(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    with desk.book.engine.begin() as connection:
        pending.mark(connection, subnet, mac(1), Pending.WITHDRAW, desk.clock())
    server.served.clear()
    desk.serve(subnet, "10.0.1.3", 1)
    agree(desk, subnet, server, 1)


def test_what_is_just_being_deleted_is_left_to_whoever_deletes_it(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    server.meanwhile["withdraw"] = lambda: desk.address_book.sync(CALLER, most_percent=20)
    desk.release(subnet, "10.0.1.3")
    agree(desk, subnet, server)


def test_what_is_just_being_published_may_be_confirmed_by_a_sync(desk: Desk, subnet: Subnet, server: Server):
    server.meanwhile["publish"] = lambda: desk.address_book.sync(CALLER, most_percent=20)
    desk.serve(subnet, "10.0.1.3", 1)
    agree(desk, subnet, server, 1)


def test_a_sync_heals_the_others_where_one_cannot_be_served(desk: Desk, subnet: Subnet, server: Server):
    def fail() -> None:
        raise Unavailable("not this one")

    desk.serve(subnet, "10.0.1.3", 1)
    desk.serve(subnet, "10.0.1.4", 2)
    server.served.clear()
    server.meanwhile["publish"] = fail

    (done,) = desk.address_book.sync(CALLER, most_percent=20)

    assert done.failures == ("not this one",)
    assert served(server) == {mac(2): "10.0.1.4"}


def test_a_sync_is_an_event_with_what_it_did(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    server.served.clear()
    desk.address_book.sync(CALLER, most_percent=20)
    (event,) = [each for each in desk.address_book.events() if each.action == "dhcp.sync"]
    assert (event.subnet, event.detail["missing"], event.detail["failed"]) == ("10.0.1.0/28", 1, 0)


def test_a_sync_of_what_is_equal_changes_nothing(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    before = list(server.calls)
    assert desk.address_book.sync(CALLER, most_percent=20) == []
    assert server.calls == before


def test_a_sync_withdraws_hosts_of_a_subnet_that_left_dhcp(desk: Desk, subnet: Subnet, server: Server):
    desk.serve(subnet, "10.0.1.3", 1)
    with desk.book.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE subnets SET dhcp = 0")
        connection.exec_driver_sql("UPDATE directory SET revision = revision + 1")
    desk.address_book.sync(CALLER, most_percent=20)
    assert served(server) == {}


def test_a_host_that_moved_while_it_was_looked_up_is_not_touched(desk: Desk, subnet: Subnet, server: Server):
    """Whoever deletes the old place leaves the new one alone."""
    desk.serve(subnet, "10.0.1.3", 1)
    stale = desk.at(subnet, "10.0.1.3")
    desk.release(subnet, "10.0.1.3")
    desk.serve(subnet, "10.0.1.4", 1)
    address_book = desk.address_book
    address_book._found = lambda *_: [stale]
    desk.release(subnet, number=1)
    del address_book._found
    agree(desk, subnet, server, 1)
    assert served(server) == {mac(1): "10.0.1.4"}


def test_a_deletion_that_was_left_halfway_is_not_finished_when_the_host_was_reserved_again(
    desk: Desk, subnet: Subnet, server: Server, clock: HandClock
):
    desk.serve(subnet, "10.0.1.3", 1)
    with desk.book.engine.begin() as connection:
        pending.mark(connection, subnet, mac(1), Pending.WITHDRAW, clock())
    clock.pass_(minutes=5)
    (difference,) = desk.address_book.differences()
    assert [host.mac for host in difference.abandoned] == [mac(1)]
    found = desk.address_book._found

    def reserved_again(*wanted):
        desk.serve(subnet, "10.0.1.3", 1)
        return found(*wanted)

    desk.address_book._found = reserved_again
    desk.address_book.sync(CALLER, most_percent=20)
    del desk.address_book._found
    agree(desk, subnet, server, 1)


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "in one step"])
class TestForcedRemoval:
    """A subnet with hosts goes."""

    @pytest.fixture(autouse=True)
    def _in_steps(self, address_book: AddressBook, server: Server, at_once: bool, monkeypatch: pytest.MonkeyPatch):
        capabilities = replace(RecordingDHCP.capabilities, in_one_step=at_once)
        monkeypatch.setattr(RecordingDHCP, "capabilities", capabilities)

        def from_the_book(self: RecordingDHCP, subnet: Subnet, _: object) -> None:
            server.calls.append(("replace", "all"))
            if "withdraw" in server.broken:
                raise server.error
            with self.book.read() as connection:
                wanted = pending.host_page(connection, subnet, None)
            server.served = {(subnet.id, host.mac): host for host in wanted}

        if at_once:
            monkeypatch.setattr(RecordingDHCP, "replace", from_the_book)

    def test_the_server_forgets_its_hosts(self, desk: Desk, subnet: Subnet, server: Server, at_once: bool):
        for number in (1, 2, 3):
            desk.serve(subnet, f"10.0.1.{number}", number)
        server.calls.clear()
        desk.address_book.remove_subnet(subnet, CALLER, force=True)
        assert server.served == {}
        assert [call for call, _ in server.calls] == (["replace"] if at_once else ["withdraw"] * 3)

    def test_a_failure_keeps_everything(self, desk: Desk, subnet: Subnet, server: Server):
        for number in (1, 2):
            desk.serve(subnet, f"10.0.1.{number}", number)
        server.broken = {"withdraw"}
        with pytest.raises(Unavailable):
            desk.address_book.remove_subnet(subnet, CALLER, force=True)
        server.broken = set()
        agree(desk, subnet, server, 1, 2)
        desk.address_book.remove_subnet(subnet, CALLER, force=True)
        assert server.served == {}
