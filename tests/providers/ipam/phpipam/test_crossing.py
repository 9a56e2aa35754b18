"""What crosses on its way: crashes between the book and phpIPAM, late removals, subnets that people rearrange."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.address_book.aside import never
from providers.errors import Conflict, LeaseholdError, Unavailable
from providers.model import Asker, Subnet, Use
from tests.conftest import HandClock
from tests.phpipam import Double
from tests.phpipam.faults import Fault, FaultProxy
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.ipam.phpipam.site import hasty, provider, subnet_of

Dying = Callable[[Callable[[], Any]], None]


class Killed(BaseException):
    """As kill -9 ends a process: nothing of what it would have done afterwards is done."""


@pytest.fixture
def dying(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Dying:
    """Does something in a process that ends between the book and phpIPAM."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    def run(work: Callable[[], Any]) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(desk.address_book.ipam, "create", die)
            patched.setattr(desk.address_book, "_undo", die)
            with pytest.raises(Killed):
                work()

    return run


@pytest.fixture
def orphan(desk: Desk, subnet: Subnet, double: Double, key: int) -> str:
    """10.0.1.3, which bears our mark in phpIPAM and is unknown to the book: as after a call that came late."""
    desk.take(subnet, "10.0.1.3")
    row = double.row(key, "10.0.1.3")
    desk.release(subnet, "10.0.1.3")
    desk.clock.pass_(minutes=5)
    double.add_address(key, "10.0.1.3", note=row["note"])
    return "10.0.1.3"


class TestWhoeverIsToldHasItInPhpipam:
    def test_a_post_that_is_repeated_after_a_crash(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, dying: Dying
    ):
        dying(lambda: desk.serve(subnet, "10.0.1.3", 1))
        assert double.row(key, "10.0.1.3") is None
        desk.serve(subnet, "10.0.1.3", 1)
        assert double.row(key, "10.0.1.3")["mac"] == mac(1)

    def test_a_use_that_joins_after_a_crash(self, desk: Desk, subnet: Subnet, double: Double, key: int, dying: Dying):
        dying(lambda: desk.serve(subnet, "10.0.1.3", 1))
        desk.take(subnet, "10.0.1.3")
        assert double.row(key, "10.0.1.3")["mac"] == mac(1)

    def test_one_that_brings_the_name_after_a_crash(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, dying: Dying
    ):
        dying(lambda: desk.take(subnet, "10.0.1.3"))
        desk.serve(subnet, "10.0.1.3", 1)
        assert double.row(key, "10.0.1.3")["hostname"] == "host1.example.com"

    def test_unless_somebody_took_it_meanwhile(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, dying: Dying
    ):
        dying(lambda: desk.serve(subnet, "10.0.1.3", 1))
        double.add_address(key, "10.0.1.3", hostname="printer")
        for again in (lambda: desk.serve(subnet, "10.0.1.3", 1), lambda: desk.take(subnet, "10.0.1.3")):
            with pytest.raises(Conflict, match="upstream by printer"):
                again()
        assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP}

    def test_a_host_that_joins_a_row_of_its_mac_that_is_gone(
        self, desk: Desk, subnet: Subnet, double: Double, key: int
    ):
        double.add_address(key, "10.0.1.1", hostname="printer", mac=mac(9))
        assert desk.ask(subnet, 1) == "10.0.1.2"
        double.remove_address(key, "10.0.1.1")
        desk.serve(subnet, "10.0.1.1", 9)
        assert double.row(key, "10.0.1.1")["mac"] == mac(9)

    def test_while_phpipam_is_away_what_was_there_before_counts(self, desk: Desk, subnet: Subnet, line: FaultProxy):
        desk.serve(subnet, "10.0.1.3", 1)
        line.always(Fault.ERROR_500)
        desk.serve(subnet, "10.0.1.3", 1)
        desk.take(subnet, "10.0.1.3")


class TestSomebodyReservesWhatIsBeingRemoved:
    """Just before the row goes; afterwards it has to be there for whoever was told."""

    def test_a_row_that_the_book_does_not_know(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, orphan: str
    ):
        double.meanwhile["DELETE addresses"] = lambda: desk.serve(subnet, orphan, 1)
        desk.release(subnet, orphan)
        assert desk.uses(subnet, orphan) == {Use.DHCP}
        assert double.row(key, orphan)["mac"] == mac(1)

    def test_a_row_that_came_late(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, line: FaultProxy, orphan: str
    ):
        note = double.row(key, orphan)["note"]
        double.remove_address(key, orphan)
        line.next(Fault.HANG, only="POST addresses")
        with pytest.raises(Unavailable), hasty(desk.address_book.ipam):
            desk.take(subnet, orphan)
        double.add_address(key, orphan, note=note)
        double.meanwhile["DELETE addresses"] = lambda: desk.serve(subnet, orphan, 1)
        desk.address_book.settle_doubts()
        assert desk.uses(subnet, orphan) == {Use.DHCP}
        assert double.row(key, orphan)["mac"] == mac(1)

    def test_what_could_not_be_served(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, monkeypatch: pytest.MonkeyPatch
    ):
        away = RecordingDHCP(desk.book, {"server": Server(broken={"publish", "withdraw"})})
        monkeypatch.setattr(desk.address_book, "dhcp", away)
        double.meanwhile["DELETE addresses"] = lambda: desk.take(subnet, "10.0.1.3")
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 1)
        assert desk.uses(subnet, "10.0.1.3") == {Use.IPAM}
        assert double.row(key, "10.0.1.3") is not None


class TestAllocating:
    def test_without_phpipam_no_hold_is_left(self, desk: Desk, subnet: Subnet, line: FaultProxy):
        line.always(Fault.RESET)
        with pytest.raises(Unavailable):
            desk.address_book.allocate(subnet, Asker(), Use.GUEST, CALLER, name="web1")
        assert desk.held() == {}

    def test_nor_when_it_goes_away_after_the_address_was_lost(
        self, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, key: int
    ):
        def lose() -> None:
            double.add_address(key, "10.0.1.1", hostname="faster")
            line.always(Fault.RESET)

        line.meanwhile["POST addresses"] = lose
        with pytest.raises(LeaseholdError):
            desk.address_book.allocate(subnet, Asker(), Use.GUEST, CALLER, name="web1")
        assert desk.held() == {}

    def test_for_ipam_a_mac_gets_what_it_can_still_join_else_another(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.clock.pass_(minutes=90)
        got = desk.address_book.allocate(subnet, Asker(mac=mac(1)), Use.IPAM, CALLER, mac=mac(1))
        assert str(got.address) == "10.0.1.1"


class TestASubnetInsideAnother:
    """People make it around rows that are there already, and phpIPAM leaves those where they are."""

    @pytest.fixture
    def child(self, desk: Desk, subnet: Subnet, double: Double, key: int) -> Subnet:
        """10.0.1.8/29, made when 10.0.1.9 was ours and 10.0.1.10 somebody's."""
        desk.serve(subnet, "10.0.1.9", 1)
        double.add_address(key, "10.0.1.10", hostname="printer")
        double.add_subnet("10.0.1.8/29", "Lab", parent=key)
        return subnet_of(desk, "10.0.1.8/29")

    def test_what_others_have_around_it_is_taken(self, desk: Desk, child: Subnet):
        assert desk.exists(child, "10.0.1.10")
        assert desk.ask(child, 2) == "10.0.1.11"
        with pytest.raises(Conflict, match="printer"):
            desk.serve(child, "10.0.1.10", 3)

    def test_a_survey_of_the_inner_one_does_not_end_it(self, desk: Desk, child: Subnet):
        assert desk.ask(child, 2) == "10.0.1.11"
        desk.clock.pass_(minutes=1)
        desk.address_book.survey(child)
        assert desk.uses(child, "10.0.1.10") == {Use.UPSTREAM}

    def test_naming_it_is_a_conflict_too(self, desk: Desk, child: Subnet, double: Double):
        with pytest.raises(Conflict, match="upstream by printer"):
            desk.take(child, "10.0.1.10")
        assert len(double.rows()) == 2

    def test_what_is_ours_stays_ours(self, desk: Desk, child: Subnet, double: Double, key: int):
        assert desk.uses(child, "10.0.1.9") == {Use.DHCP}
        assert list(desk.address_book.check()) == []
        desk.take(child, "10.0.1.9")
        desk.release(child, "10.0.1.9")
        assert double.row(key, "10.0.1.9") is None

    def test_what_is_new_is_made_inside(self, desk: Desk, child: Subnet, double: Double):
        desk.serve(child, "10.0.1.11", 3)
        assert double.row(double.subnet_id("10.0.1.8/29"), "10.0.1.11") is not None

    def test_the_same_address_in_another_section_is_another_one(self, desk: Desk, child: Subnet, double: Double):
        double.add_address(double.add_subnet("10.0.0.0/16", "Office"), "10.0.1.11")
        assert desk.ask(child, 2) == "10.0.1.11"

    def test_reserving_is_two_calls(self, desk: Desk, child: Subnet, double: Double):
        double.forget_calls()
        desk.take(child, "10.0.1.11")
        assert [call.kind for call in double.calls] == ["GET addresses/search", "POST addresses"]


class TestASubnetThatMovesToAnotherSection:
    def test_takes_along_what_is_in_it(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        desk.serve(subnet, "10.0.1.3", 1)
        double.change_subnet(key, sectionId=double.add_section("Office"))
        moved = subnet_of(desk, "10.0.1.0/28", "Office")
        assert desk.address_book.subnets() == [moved]
        assert (moved.id, moved.dhcp, desk.uses(moved, "10.0.1.3")) == (subnet.id, True, {Use.DHCP})
        assert desk.ask(moved, 2) == "10.0.1.1"
        desk.release(moved, "10.0.1.3")
        assert double.rows(key) == []

    def test_and_the_subnets_inside_it(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        inner = double.add_subnet("10.0.1.8/29", "Lab", parent=key)
        desk.take(subnet_of(desk, "10.0.1.8/29"), "10.0.1.9")
        desk.take(subnet, "10.0.1.3")
        for each in (inner, key):
            double.change_subnet(each, sectionId=double.add_section("Office"))
        moved = subnet_of(desk, "10.0.1.0/28", "Office")
        assert {each.group.name for each in desk.address_book.subnets()} == {"Office"}
        assert desk.uses(moved, "10.0.1.3") == desk.uses(moved, "10.0.1.9") == {Use.IPAM}

    def test_out_of_one_around_it(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        inner = double.add_subnet("10.0.1.8/29", "Lab", parent=key)
        desk.take(subnet_of(desk, "10.0.1.8/29"), "10.0.1.9")
        double.change_subnet(inner, sectionId=double.add_section("Office"), parent=0)
        assert desk.uses(subnet_of(desk, "10.0.1.8/29", "Office"), "10.0.1.9") == {Use.IPAM}
        assert desk.ask(subnet, 1, span="10.0.1.9-10.0.1.14") == "10.0.1.9"

    def test_not_where_something_has_its_place(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        around = double.add_subnet("10.0.0.0/16", "Office")
        desk.take(subnet_of(desk, "10.0.0.0/16", "Office"), "10.0.1.3", name="theirs")
        desk.take(subnet, "10.0.1.3", name="ours")
        double.change_subnet(key, sectionId=double.add_section("Office"), parent=around)
        moved = subnet_of(desk, "10.0.1.0/28", "Office")
        assert desk.at(moved, "10.0.1.3").name == "theirs"
        assert desk.at(subnet, "10.0.1.3").name == "ours"


def test_a_doubt_about_a_subnet_that_is_gone_keeps_no_other_one(
    desk: Desk, subnet: Subnet, double: Double, key: int, line: FaultProxy, orphan: str
):
    note = double.row(key, orphan)["note"]
    double.remove_address(key, orphan)
    other = double.add_subnet("10.0.2.0/28", "Lab")
    second = subnet_of(desk, "10.0.2.0/28")
    desk.take(second, "10.0.2.9")
    for where, address in ((second, "10.0.2.3"), (subnet, orphan)):
        line.next(Fault.HANG, only="POST addresses")
        with pytest.raises(Unavailable), hasty(desk.address_book.ipam):
            desk.take(where, address)
        desk.clock.pass_(seconds=1)
    double.add_address(key, orphan, note=note)
    double.remove_subnet(other)
    desk.clock.pass_(minutes=5)
    desk.address_book.subnets()
    assert double.rows(key) == []


def test_a_command_leaves_the_turn_for_a_survey_to_the_service(
    desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, clock: HandClock
):
    command = Desk(
        type(desk.address_book)(
            desk.book,
            provider(desk.book, line.url, clock),
            desk.address_book.dhcp,
            lifetimes=desk.address_book.lifetimes,
            clock=clock,
            aside=never,
        ),
        clock,
    )
    command.ask(subnet, 1)
    assert double.count("GET subnets/addresses") == 0
    desk.ask(subnet, 2)
    assert double.count("GET subnets/addresses") == 1
