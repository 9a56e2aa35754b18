"""What every DHCP provider has to bear: the rules of the address book, on top of it.

A provider's own test inherits ``DHCPConformance``, one that tells a server ``PublishingConformance`` too, and one
that sees leases ``LeasesConformance`` too, and says how it is built.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.dhcp.contract import DHCPProvider
from providers.errors import Exhausted, Unavailable
from providers.ipam.local import LocalIPAM
from providers.model import Subnet, Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, host, mac
from tests.providers.guest_conformance import GuestsOnDHCP
from tests.providers.soundness import assert_sound, dump


class DHCPConformance:
    """Inherit this, and write ``build``."""

    def build(self, book: Book) -> DHCPProvider:
        """A provider on ``book``; the second one of a test meets what the first one left behind."""
        raise NotImplementedError

    def open(self, book: Book, clock: HandClock) -> Desk:
        """A desk with an address book as it is after a start."""
        address_book = AddressBook(book, LocalIPAM(book, {}), self.build(book), lifetimes=Lifetimes(), clock=clock)
        return Desk(address_book, clock)

    @pytest.fixture
    def desk(self, book: Book, clock: HandClock) -> Iterator[Desk]:
        """A desk on an empty book; the book has to be sound when the test is over."""
        yield self.open(book, clock)
        assert_sound(book)

    @pytest.fixture
    def subnet(self, desk: Desk) -> Subnet:
        """10.0.1.0/28 of the group Lab, with its gateway at the end."""
        return desk.add("10.0.1.0/28", gateway="10.0.1.14")

    def test_names_itself(self, desk: Desk):
        assert desk.address_book.dhcp.name.startswith("dhcp_")

    def test_tells_foreman_what_it_can(self, desk: Desk):
        features = desk.address_book.dhcp.capabilities.features
        assert set(features) <= {"dhcp_filename_hostname", "dhcp_filename_ipv4"}

    def test_a_reserved_host_is_found(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        found = desk.address_book.host_of(subnet, mac(1))
        assert (found.name, str(found.address)) == ("host1", "10.0.1.3")

    def test_reserving_twice_is_no_error(self, desk: Desk, subnet: Subnet):
        assert desk.serve(subnet, "10.0.1.3", 1) == desk.serve(subnet, "10.0.1.3", 1)

    def test_releasing_twice_is_no_error(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        assert len(desk.release(subnet, number=1, use=Use.DHCP)) == 1
        assert desk.release(subnet, number=1, use=Use.DHCP) == []

    def test_a_rename_is_a_delete_and_a_create(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1, name="old")
        desk.release(subnet, "10.0.1.3", use=Use.DHCP)
        desk.serve(subnet, "10.0.1.3", 1, name="new")
        assert [each.name for each in desk.address_book.hosts(subnet)] == ["new"]

    def test_a_bond_is_served_until_its_last_mac_goes(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.serve(subnet, "10.0.1.3", 2, related=[1])
        desk.release(subnet, number=1, use=Use.DHCP)
        assert [each.mac for each in desk.address_book.hosts(subnet)] == [mac(2)]

    def test_every_address_is_suggested_once_and_then_none(self, desk: Desk, subnet: Subnet):
        assert len({desk.ask(subnet) for _ in range(13)}) == 13
        with pytest.raises(Exhausted):
            desk.ask(subnet)

    def test_no_leases_where_nobody_was_given_any(self, desk: Desk, subnet: Subnet):
        assert list(desk.address_book.leases(subnet)) == []
        assert desk.address_book.lease_of(subnet, mac(1)) is None
        assert desk.address_book.lease_at(subnet, IPAddress("10.0.1.3")) is None

    def test_hosts_survive_a_restart(self, desk: Desk, subnet: Subnet, clock: HandClock):
        desk.serve(subnet, "10.0.1.3", 1)
        again = self.open(desk.book, clock)
        assert [each.mac for each in again.address_book.hosts(subnet)] == [mac(1)]
        assert len(again.release(subnet, "10.0.1.3", use=Use.DHCP)) == 1


class PublishingConformance(GuestsOnDHCP, DHCPConformance):
    """For a provider with a server that has to be told; write how it is looked at, and how it goes away."""

    def served(self, subnet: Subnet) -> dict[str, str]:
        """What the server serves: MAC to address."""
        raise NotImplementedError

    def go_away(self) -> None:
        """From now on the server does not answer."""
        raise NotImplementedError

    def come_back(self) -> None:
        """The server answers again."""
        raise NotImplementedError

    def test_rule_13_what_is_reserved_is_served(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        assert self.served(subnet) == {mac(1): "10.0.1.3"}

    def test_each_mac_of_a_bond_is_served(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.serve(subnet, "10.0.1.3", 2, related=[1])
        assert self.served(subnet) == {mac(1): "10.0.1.3", mac(2): "10.0.1.3"}

    def test_publishing_and_withdrawing_twice_is_no_error(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        (there,) = desk.address_book.hosts(subnet)
        desk.address_book.dhcp.publish(subnet, there)
        assert self.served(subnet) == {mac(1): "10.0.1.3"}
        desk.address_book.dhcp.withdraw(subnet, there)
        desk.address_book.dhcp.withdraw(subnet, there)
        assert self.served(subnet) == {}

    def test_what_is_released_is_not_served(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.serve(subnet, "10.0.1.4", 2)
        desk.release(subnet, "10.0.1.3", use=Use.DHCP)
        assert self.served(subnet) == {mac(2): "10.0.1.4"}

    def test_an_address_without_host_is_not_served(self, desk: Desk, subnet: Subnet):
        desk.take(subnet, "10.0.1.3")
        desk.ask(subnet, 1)
        assert self.served(subnet) == {}

    def test_a_removed_subnet_serves_nobody(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.address_book.remove_subnet(subnet, CALLER, force=True)
        assert self.served(subnet) == {}

    def test_rule_13_when_publishing_fails_the_book_is_as_before(self, desk: Desk, subnet: Subnet):
        address = desk.ask(subnet, 1)
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            desk.serve(subnet, address, 1)
        assert dump(desk.book, without=("events",)) == before
        assert desk.held() == {address: f"mac:{mac(1)}"}
        self.come_back()
        desk.serve(subnet, address, 1)
        assert self.served(subnet) == {mac(1): address}

    def test_rule_13_when_publishing_fails_a_joined_use_stays(self, desk: Desk, subnet: Subnet):
        desk.take(subnet, "10.0.1.3")
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 1)
        assert dump(desk.book, without=("events",)) == before

    def test_rule_13_when_publishing_fails_the_bond_stays(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 2, related=[1])
        assert dump(desk.book, without=("events",)) == before

    def test_rule_10_when_withdrawing_fails_it_can_be_repeated(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book)
        self.go_away()
        with pytest.raises(Unavailable):
            desk.release(subnet, number=1, use=Use.DHCP)
        assert dump(desk.book) == before
        self.come_back()
        assert len(desk.release(subnet, number=1, use=Use.DHCP)) == 1
        assert self.served(subnet) == {}

    def test_publishing_is_not_needed_for_what_has_no_host(self, desk: Desk, subnet: Subnet):
        self.go_away()
        desk.take(subnet, desk.ask(subnet, 1))
        desk.release(subnet, "10.0.1.1")


class LeasesConformance(DHCPConformance):
    """For a provider that sees what its server gives out on its own; write how the server does that."""

    def give_lease(self, subnet: Subnet, address: str, mac: str) -> None:
        """The server gives an address out, and the provider has noticed."""
        raise NotImplementedError

    def test_leases_are_listed_by_address(self, desk: Desk, subnet: Subnet):
        for number in (3, 1, 2):
            self.give_lease(subnet, f"10.0.1.{number}", mac(number))
        assert [str(each.address) for each in desk.address_book.leases(subnet)] == ["10.0.1.1", "10.0.1.2", "10.0.1.3"]

    def test_leases_are_found_by_mac_and_by_address(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        assert str(desk.address_book.lease_of(subnet, mac(1)).address) == "10.0.1.3"
        assert desk.address_book.lease_at(subnet, IPAddress("10.0.1.3")).mac == mac(1)

    def test_leases_are_those_of_the_subnet(self, desk: Desk, subnet: Subnet):
        other = desk.add("10.0.2.0/28")
        self.give_lease(other, "10.0.2.3", mac(1))
        assert list(desk.address_book.leases(subnet)) == []
        assert desk.address_book.lease_of(subnet, mac(1)) is None

    def test_rule_8_active_leases_are_not_suggested_to_others(self, desk: Desk, subnet: Subnet):
        for last in (1, 2, 4):
            self.give_lease(subnet, f"10.0.1.{last}", mac(last))
        assert desk.ask(subnet, 77) == "10.0.1.3"
        assert desk.ask(subnet, 78) == "10.0.1.5"

    def test_rule_8_nothing_is_left_when_everything_is_leased(self, desk: Desk, subnet: Subnet):
        for last in range(1, 14):
            self.give_lease(subnet, f"10.0.1.{last}", mac(last))
        with pytest.raises(Exhausted):
            desk.ask(subnet, 77)

    def test_rule_8_the_callers_own_lease_is_returned(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        assert desk.ask(subnet, 1) == "10.0.1.3"
        assert desk.held() == {"10.0.1.3": f"mac:{mac(1)}"}

    def test_rule_8_the_callers_own_lease_counts_inside_the_range_only(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        assert desk.ask(subnet, 1, span="10.0.1.5-10.0.1.9") == "10.0.1.5"

    def test_rule_8_the_callers_own_lease_is_not_returned_when_somebody_reserved_it(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        desk.serve(subnet, "10.0.1.3", 2)
        assert desk.ask(subnet, 1) == "10.0.1.1"

    def test_rule_4_a_leased_address_may_be_reserved_by_naming_it(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        assert desk.serve(subnet, "10.0.1.3", 2).hosts[0].mac == host(2).mac

    def test_the_own_host_goes_before_the_own_lease(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        desk.serve(subnet, "10.0.1.9", 1)
        assert desk.ask(subnet, 1) == "10.0.1.9"
