"""What every IPAM provider has to bear: the rules of the address book, on top of it.

A provider's own test inherits ``IPAMConformance``, a remote one ``RemoteIPAMConformance``, and says how it is built.
Nothing else of the provider is known here, so the same sentences hold for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.dhcp.none import NoDHCP
from providers.errors import (
    Conflict,
    Exhausted,
    GroupNotFound,
    InvalidValue,
    NotFound,
    SubnetNotFound,
    Unavailable,
)
from providers.ipam.contract import IPAMProvider
from providers.model import Asker, Reservation, Subnet, Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.guest_conformance import GuestsOnRemoteIPAM
from tests.providers.soundness import assert_sound, dump


class IPAMConformance:
    """Inherit this, and write ``build``; write ``add_subnet`` too when subnets are made upstream."""

    def build(self, book: Book) -> IPAMProvider:
        """A provider on ``book``; the second one of a test meets what the first one left behind."""
        raise NotImplementedError

    def add_subnet(self, desk: Desk, cidr: str, *, group: str = "Lab", gateway: str | None = None) -> Subnet:
        """Make a subnet wherever the provider has them."""
        return desk.add(cidr, group=group, gateway=gateway)

    def open(self, book: Book, clock: HandClock) -> Desk:
        """A desk with an address book as it is after a start."""
        address_book = AddressBook(book, self.build(book), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock)
        return Desk(address_book, clock)

    @pytest.fixture
    def desk(self, book: Book, clock: HandClock) -> Iterator[Desk]:
        """A desk on an empty book; the book has to be sound when the test is over."""
        yield self.open(book, clock)
        assert_sound(book)

    @pytest.fixture
    def subnet(self, desk: Desk) -> Subnet:
        """10.0.1.0/28 of the group Lab, with its gateway at the end."""
        return self.add_subnet(desk, "10.0.1.0/28", gateway="10.0.1.14")

    def test_names_itself(self, desk: Desk):
        assert desk.address_book.ipam.name.startswith("externalipam_")

    def test_subnets_are_found(self, desk: Desk, subnet: Subnet):
        assert desk.address_book.subnets() == [subnet]
        assert desk.address_book.subnet(IPNetwork("10.0.1.0/28")) == subnet
        assert desk.address_book.subnet_of(IPAddress("10.0.1.3")) == subnet
        assert desk.address_book.dhcp_subnet(IPAddress("10.0.1.3")) == subnet

    def test_an_unknown_subnet_is_not_found(self, desk: Desk, subnet: Subnet):
        with pytest.raises(SubnetNotFound):
            desk.address_book.subnet(IPNetwork("10.0.9.0/24"))
        with pytest.raises(SubnetNotFound):
            desk.address_book.subnet_of(IPAddress("10.0.9.1"))

    def test_groups_have_their_own_subnets(self, desk: Desk, subnet: Subnet):
        office = self.add_subnet(desk, "10.0.1.0/28", group="Office")
        assert [group.name for group in desk.address_book.groups()] == ["Lab", "Office"]
        assert desk.address_book.subnets(group="office") == [office]
        with pytest.raises(GroupNotFound):
            desk.address_book.subnets(group="nobody")

    def test_groups_do_not_share_addresses(self, desk: Desk, subnet: Subnet):
        office = self.add_subnet(desk, "10.0.1.0/28", group="Office")
        desk.take(subnet, "10.0.1.3")
        assert not desk.exists(office, "10.0.1.3")
        desk.take(office, "10.0.1.3")
        desk.release(subnet, "10.0.1.3")
        assert desk.exists(office, "10.0.1.3")

    def test_a_suggestion_is_held(self, desk: Desk, subnet: Subnet):
        address = desk.ask(subnet, 1)
        assert desk.held(subnet) == {address: f"mac:{mac(1)}"}
        assert desk.ask(subnet, 2) != address

    def test_the_same_asker_gets_the_same_answer(self, desk: Desk, subnet: Subnet):
        assert desk.ask(subnet, 1) == desk.ask(subnet, 1)
        assert desk.ask(subnet, key="web1") == desk.ask(subnet, key="web1")

    def test_a_reserved_mac_is_told_its_own_address(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.9", 1)
        assert desk.ask(subnet, 1) == "10.0.1.9"

    def test_every_address_is_suggested_once_and_then_none(self, desk: Desk, subnet: Subnet):
        told = [desk.ask(subnet, number) for number in range(1, 14)]
        assert sorted(told, key=IPAddress) == [f"10.0.1.{last}" for last in range(1, 14)]
        with pytest.raises(Exhausted):
            desk.ask(subnet, 99)

    def test_what_is_reserved_exists(self, desk: Desk, subnet: Subnet):
        address = desk.ask(subnet, 1)
        assert not desk.exists(subnet, address)
        desk.take(subnet, address)
        assert desk.exists(subnet, address)

    def test_what_is_reserved_is_not_suggested(self, desk: Desk, subnet: Subnet):
        desk.take(subnet, "10.0.1.1")
        desk.serve(subnet, "10.0.1.2", 2)
        assert desk.ask(subnet, 1) == "10.0.1.3"

    def test_a_second_reservation_is_a_conflict(self, desk: Desk, subnet: Subnet):
        desk.take(subnet, "10.0.1.3")
        before = dump(desk.book)
        with pytest.raises(Conflict, match=r"10\.0\.1\.3"):
            desk.take(subnet, "10.0.1.3")
        assert dump(desk.book) == before

    @pytest.mark.parametrize("address", ["10.0.1.0", "10.0.1.15", "10.0.1.14", "10.0.2.1"])
    def test_nobody_gets_what_nobody_may_have(self, desk: Desk, subnet: Subnet, address: str):
        with pytest.raises(InvalidValue):
            desk.take(subnet, address)

    def test_dhcp_joins_ipam(self, desk: Desk, subnet: Subnet):
        desk.take(subnet, "10.0.1.3")
        desk.serve(subnet, "10.0.1.3", 1)
        assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP, Use.IPAM}

    def test_ipam_joins_dhcp(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        assert not desk.exists(subnet, "10.0.1.3")
        desk.take(subnet, "10.0.1.3")
        assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP, Use.IPAM}
        assert desk.exists(subnet, "10.0.1.3")

    @pytest.mark.parametrize("order", [(Use.DHCP, Use.IPAM), (Use.IPAM, Use.DHCP)])
    def test_an_address_is_free_when_its_last_use_is_gone(
        self, desk: Desk, subnet: Subnet, order: tuple[Use, Use]
    ):
        desk.serve(subnet, "10.0.1.1", 1)
        desk.take(subnet, "10.0.1.1")
        desk.release(subnet, "10.0.1.1", use=order[0])
        assert desk.uses(subnet, "10.0.1.1") == {order[1]}
        desk.release(subnet, "10.0.1.1", use=order[1])
        assert not desk.exists(subnet, "10.0.1.1")
        desk.clock.pass_(minutes=5)
        assert desk.ask(subnet, 2) == "10.0.1.1"

    def test_a_released_address_can_be_reserved_again(self, desk: Desk, subnet: Subnet):
        for _ in range(2):
            desk.take(subnet, "10.0.1.3")
            desk.release(subnet, "10.0.1.3")
        assert not desk.exists(subnet, "10.0.1.3")

    def test_releasing_what_is_not_there_is_no_error(self, desk: Desk, subnet: Subnet):
        assert desk.release(subnet, "10.0.1.3") == []
        desk.take(subnet, "10.0.1.3")
        assert len(desk.release(subnet, "10.0.1.3", use=Use.IPAM)) == 1
        assert desk.release(subnet, "10.0.1.3", use=Use.IPAM) == []

    def test_a_hold_expires(self, desk: Desk, subnet: Subnet):
        desk.ask(subnet, 1)
        desk.clock.pass_(minutes=30)
        assert desk.held() == {}
        assert desk.ask(subnet, 2) == "10.0.1.1"

    def test_everything_survives_a_restart(self, desk: Desk, subnet: Subnet, clock: HandClock):
        held = desk.ask(subnet, 1)
        desk.serve(subnet, "10.0.1.9", 2)
        desk.take(subnet, "10.0.1.10")
        desk.take(subnet, "10.0.1.11")
        desk.release(subnet, "10.0.1.11")
        before = dump(desk.book)
        again = self.open(desk.book, clock)
        assert again.address_book.subnets() == [subnet]
        assert again.held() == desk.held()
        assert dump(desk.book) == before
        assert again.ask(subnet, 1) == held
        assert again.ask(subnet, 2) == "10.0.1.9"
        assert again.exists(subnet, "10.0.1.10")
        assert held not in {again.ask(subnet) for _ in range(9)}

    def test_two_books_on_one_database_do_not_tell_the_same(self, desk: Desk, subnet: Subnet, clock: HandClock):
        other = self.open(desk.book, clock)
        told = [each.ask(subnet) for each in (desk, other, desk, other)]
        assert len(set(told)) == 4

    def test_ipv6(self, desk: Desk):
        subnet = self.add_subnet(desk, "2001:db8::/64", gateway="2001:db8::1")
        address = desk.ask(subnet, 1)
        assert address == "2001:db8::2"
        desk.take(subnet, address)
        assert desk.exists(subnet, "2001:db8:0::2")
        desk.release(subnet, address)
        assert not desk.exists(subnet, address)

    def test_every_change_of_an_address_is_an_event(self, desk: Desk, subnet: Subnet):
        desk.take(subnet, desk.ask(subnet, 1))
        desk.release(subnet, "10.0.1.1")
        found = desk.address_book.events(address=IPAddress("10.0.1.1"))
        assert [(event.action, event.actor) for event in reversed(found)] == [
            ("hold.take", CALLER.actor),
            ("address.reserve", CALLER.actor),
            ("address.release", CALLER.actor),
        ]


class RemoteIPAMConformance(GuestsOnRemoteIPAM, IPAMConformance):
    """For a provider whose truth is elsewhere: what happens upstream, and what when upstream does not answer.

    Write, beside ``build``, how others change the server, how it is looked at, and how it goes away.
    """

    def add_foreign(self, subnet: Subnet, address: str, *, name: str | None = None, mac: str | None = None) -> None:
        """Somebody else takes an address upstream."""
        raise NotImplementedError

    def remove_foreign(self, subnet: Subnet, address: str) -> None:
        """Somebody removes the row of an address upstream."""
        raise NotImplementedError

    def before_next_create(self, happens: Callable[[], object]) -> None:
        """Let something happen upstream right before it makes the next address."""
        raise NotImplementedError

    def taken_upstream(self, subnet: Subnet, address: str) -> bool:
        """Whether upstream has the address as taken."""
        raise NotImplementedError

    def go_away(self) -> None:
        """From now on nothing is answered."""
        raise NotImplementedError

    def come_back(self) -> None:
        """Everything is answered again."""
        raise NotImplementedError

    def test_what_is_reserved_is_taken_upstream_until_it_is_released(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        assert self.taken_upstream(subnet, "10.0.1.3")
        desk.take(subnet, "10.0.1.3")
        desk.release(subnet, "10.0.1.3", use=Use.DHCP)
        assert self.taken_upstream(subnet, "10.0.1.3")
        desk.release(subnet, "10.0.1.3", use=Use.IPAM)
        assert not self.taken_upstream(subnet, "10.0.1.3")

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_what_is_taken_away_from_a_description_goes_upstream_too(self, desk: Desk, subnet: Subnet, nothing):
        address = IPAddress("10.0.1.3")
        told = {"name": "web", "description": "a server", "note": "in the cellar", "mac": mac(1)}
        desk.address_book.reserve(subnet, address, Use.MANUAL, CALLER, **told)
        desk.address_book.amend(subnet, address, CALLER, description=nothing, mac=nothing)
        assert self._described(desk, subnet, address) == ("web", None, None, "in the cellar")
        desk.address_book.amend(subnet, address, CALLER, name=nothing, note=nothing)
        assert self._described(desk, subnet, address) == (None, None, None, None)
        assert list(desk.address_book.check()) == []
        desk.release(subnet, str(address))
        assert not self.taken_upstream(subnet, str(address))

    def test_a_row_that_was_deleted_by_hand_is_made_again_when_it_is_described(self, desk: Desk, subnet: Subnet):
        address = IPAddress("10.0.1.3")
        desk.take(subnet, str(address), Use.MANUAL, number=1)
        self.remove_foreign(subnet, str(address))
        desk.address_book.amend(subnet, address, CALLER, name="web")
        assert self._described(desk, subnet, address) == ("web", mac(1), None, None)

    def test_a_hold_is_not_taken_upstream(self, desk: Desk, subnet: Subnet):
        assert not self.taken_upstream(subnet, desk.ask(subnet, 1))

    def test_rule_11_what_others_took_upstream_is_passed_over(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1")
        self.add_foreign(subnet, "10.0.1.2")
        assert desk.ask(subnet, 1) == "10.0.1.3"
        assert desk.ask(subnet, 1) == "10.0.1.3"

    def test_rule_11_what_others_took_upstream_exists(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1")
        assert desk.exists(subnet, "10.0.1.1")

    def test_rule_11_what_others_took_upstream_is_a_conflict(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1", name="theirs")
        before = dump(desk.book, without=("events",))
        with pytest.raises(Conflict, match=r"10\.0\.1\.1"):
            desk.take(subnet, "10.0.1.1")
        assert dump(desk.book, without=("events",)) == before

    def test_rule_11_a_held_address_that_others_took_since_is_not_told_again(self, desk: Desk, subnet: Subnet):
        assert desk.ask(subnet, 1) == "10.0.1.1"
        self.add_foreign(subnet, "10.0.1.1")
        assert desk.ask(subnet, 1) == "10.0.1.2"

    def test_rule_12_what_others_took_is_not_deleted(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1")
        desk.ask(subnet, 1)
        desk.release(subnet, "10.0.1.1")
        assert self.taken_upstream(subnet, "10.0.1.1")

    def test_a_suggestion_without_upstream_is_refused(self, desk: Desk, subnet: Subnet):
        self.go_away()
        with pytest.raises(Unavailable):
            desk.ask(subnet, 1)

    def test_a_suggestion_that_was_refused_leaves_no_hold_of_nobody(self, desk: Desk, subnet: Subnet):
        self.go_away()
        for _ in range(3):
            with pytest.raises(Unavailable):
                desk.ask(subnet)
        self.come_back()
        assert desk.held() == {}
        assert desk.ask(subnet) == "10.0.1.1"

    def test_a_reservation_without_upstream_leaves_the_book_as_before(self, desk: Desk, subnet: Subnet):
        address = desk.ask(subnet, 1)
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            desk.serve(subnet, address, 1)
        assert dump(desk.book, without=("events",)) == before
        self.come_back()
        desk.serve(subnet, address, 1)
        assert self.taken_upstream(subnet, address)

    def test_rule_10_a_release_without_upstream_can_be_repeated(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book)
        self.go_away()
        with pytest.raises(Unavailable):
            desk.release(subnet, "10.0.1.3", use=Use.DHCP)
        assert dump(desk.book) == before
        self.come_back()
        assert len(desk.release(subnet, "10.0.1.3", use=Use.DHCP)) == 1
        assert not self.taken_upstream(subnet, "10.0.1.3")

    def test_rule_11_what_others_gave_back_exists_no_more(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1")
        desk.ask(subnet, 1)
        assert desk.uses(subnet, "10.0.1.1") == {Use.UPSTREAM}
        self.remove_foreign(subnet, "10.0.1.1")
        assert not desk.exists(subnet, "10.0.1.1")
        assert desk.ask(subnet, 2) == "10.0.1.1"

    def test_rule_11_what_others_gave_back_can_be_reserved(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1")
        desk.ask(subnet, 1)
        self.remove_foreign(subnet, "10.0.1.1")
        desk.take(subnet, "10.0.1.1")
        assert desk.uses(subnet, "10.0.1.1") == {Use.IPAM}
        assert self.taken_upstream(subnet, "10.0.1.1")

    def test_rule_11_whoever_is_faster_upstream_makes_a_reservation_a_conflict(self, desk: Desk, subnet: Subnet):
        address = desk.ask(subnet, 1)
        self.before_next_create(lambda: self.add_foreign(subnet, address, name="faster"))
        with pytest.raises(Conflict, match=rf"{address}.*faster"):
            desk.serve(subnet, address, 1)
        assert desk.ask(subnet, 1) == "10.0.1.2"

    def test_rule_11_whoever_is_faster_upstream_makes_an_allocation_a_later_address(self, desk: Desk, subnet: Subnet):
        self.before_next_create(lambda: self.add_foreign(subnet, "10.0.1.1", name="faster"))
        assert str(self._allocate(desk, subnet, Asker()).address) == "10.0.1.2"
        assert self.taken_upstream(subnet, "10.0.1.2")
        assert desk.held() == {}

    def test_an_allocation_consumes_the_hold_of_its_asker(self, desk: Desk, subnet: Subnet):
        held = desk.ask(subnet, key="web1")
        assert str(self._allocate(desk, subnet, Asker(key="web1")).address) == held
        assert desk.held() == {}

    def test_an_allocation_without_upstream_leaves_no_hold_that_nobody_can_ask_for(self, desk: Desk, subnet: Subnet):
        before = dump(desk.book, without=("events", "upstream_turns"))
        desk.ask(subnet, 1)
        desk.release_hold(subnet, "10.0.1.1")
        self.before_next_create(self.go_away)
        with pytest.raises(Unavailable):
            self._allocate(desk, subnet, Asker())
        self.come_back()
        assert desk.held() == {}
        after = dump(desk.book, without=("events", "upstream_turns", "upstream_doubts"))
        assert after == {name: rows for name, rows in before.items() if name in after}

    def test_rule_12_a_host_joins_a_row_of_the_same_mac(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1", name="printer", mac=mac(9))
        desk.serve(subnet, "10.0.1.1", 9)
        assert desk.uses(subnet, "10.0.1.1") == {Use.UPSTREAM, Use.DHCP}
        desk.release(subnet, "10.0.1.1", use=Use.DHCP)
        assert self.taken_upstream(subnet, "10.0.1.1")

    def test_rule_12_another_mac_does_not_join(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1", name="printer", mac=mac(9))
        with pytest.raises(Conflict, match="printer"):
            desk.serve(subnet, "10.0.1.1", 1)
        assert desk.uses(subnet, "10.0.1.1") == set()

    @pytest.mark.parametrize("met", [True, False], ids=["known", "unknown"])
    def test_rule_12_what_was_adopted_is_ours(self, desk: Desk, subnet: Subnet, met: bool):
        self.add_foreign(subnet, "10.0.1.1", name="printer", mac=mac(9))
        if met:
            desk.ask(subnet, 1)
        adopted = self._adopt(desk, subnet, "10.0.1.1")
        assert (adopted.name, adopted.mac, set(adopted.uses)) == ("printer", mac(9), {Use.MANUAL})
        assert self._adopt(desk, subnet, "10.0.1.1") == adopted
        desk.release(subnet, "10.0.1.1")
        assert not self.taken_upstream(subnet, "10.0.1.1")

    def test_rule_12_what_is_free_cannot_be_adopted(self, desk: Desk, subnet: Subnet):
        before = dump(desk.book)
        with pytest.raises(NotFound, match=r"10\.0\.1\.1"):
            self._adopt(desk, subnet, "10.0.1.1")
        assert dump(desk.book) == before

    def test_rule_11_what_is_missing_upstream_is_told_and_written_again(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        self.remove_foreign(subnet, "10.0.1.3")
        (finding,) = desk.address_book.check()
        assert str(finding.address) == "10.0.1.3"
        before = desk.at(subnet, "10.0.1.3")
        assert self._adopt(desk, subnet, "10.0.1.3") == before
        assert self.taken_upstream(subnet, "10.0.1.3")
        assert list(desk.address_book.check()) == []

    def test_check_is_content(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        self.add_foreign(subnet, "10.0.1.1")
        desk.ask(subnet, 2)
        assert list(desk.address_book.check()) == []

    def test_check_tells_what_others_gave_back(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.1")
        desk.ask(subnet, 1)
        self.remove_foreign(subnet, "10.0.1.1")
        (finding,) = desk.address_book.check()
        assert (finding.kind, str(finding.address)) == ("upstream", "10.0.1.1")

    def _described(self, desk: Desk, subnet: Subnet, address: IPAddress) -> tuple[str | None, ...]:
        record = desk.address_book.ipam.record(subnet, address)
        assert record is not None
        assert record.ours
        return record.name, record.mac, record.description, record.note

    def _allocate(self, desk: Desk, subnet: Subnet, asker: Asker) -> Reservation:
        return desk.address_book.allocate(subnet, asker, Use.GUEST, CALLER, name="web1")

    def _adopt(self, desk: Desk, subnet: Subnet, address: str) -> Reservation:
        return desk.address_book.adopt(subnet, IPAddress(address), CALLER)


class BulkIPAMConformance(RemoteIPAMConformance):
    """For a provider that can read a whole subnet at once."""

    def test_rule_14_a_survey_notes_what_others_took(self, desk: Desk, subnet: Subnet):
        for last in (1, 2, 3, 9):
            self.add_foreign(subnet, f"10.0.1.{last}", name=f"theirs{last}")
        assert desk.address_book.survey(subnet) == (4, 0)
        assert [desk.uses(subnet, f"10.0.1.{last}") for last in (1, 2, 3, 9)] == [{Use.UPSTREAM}] * 4
        assert desk.at(subnet, "10.0.1.9").name == "theirs9"
        assert [desk.ask(subnet, number) for number in (1, 2)] == ["10.0.1.4", "10.0.1.5"]

    def test_a_survey_ends_what_others_gave_back(self, desk: Desk, subnet: Subnet):
        for last in (1, 2, 3):
            self.add_foreign(subnet, f"10.0.1.{last}")
        desk.address_book.survey(subnet)
        desk.clock.pass_(seconds=1)
        self.remove_foreign(subnet, "10.0.1.2")
        assert desk.address_book.survey(subnet) == (0, 1)
        assert desk.ask(subnet, 1) == "10.0.1.2"

    def test_a_survey_leaves_alone_what_is_ours_and_what_is_promised(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        held = desk.ask(subnet, 2)
        self.add_foreign(subnet, held)
        before = dump(desk.book)
        assert desk.address_book.survey(subnet) == (0, 0)
        assert dump(desk.book) == before
        assert desk.ask(subnet, 2) != held

    def test_a_survey_is_made_by_itself_and_sparingly(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.9")
        desk.ask(subnet, 1)
        assert desk.uses(subnet, "10.0.1.9") == {Use.UPSTREAM}
        self.remove_foreign(subnet, "10.0.1.9")
        desk.ask(subnet, 2)
        assert desk.uses(subnet, "10.0.1.9") == {Use.UPSTREAM}
        desk.clock.pass_(minutes=15)
        desk.ask(subnet, 3)
        assert desk.uses(subnet, "10.0.1.9") == set()

    def test_a_survey_without_upstream_changes_nothing(self, desk: Desk, subnet: Subnet):
        before = dump(desk.book)
        self.go_away()
        with pytest.raises(Unavailable):
            desk.address_book.survey(subnet)
        assert dump(desk.book) == before
