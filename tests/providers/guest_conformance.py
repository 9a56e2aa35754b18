"""What every provider has to bear from guests: several addresses in one report, all of them or none."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.errors import Conflict, Unavailable
from providers.model import Subnet, Use
from tests.providers.desk import Desk, mac
from tests.providers.guest_site import Site
from tests.providers.soundness import dump


class GuestsOnRemoteIPAM:
    """For ``RemoteIPAMConformance``, which says how others change the server, and how it goes away."""

    def test_the_addresses_of_a_guest_are_taken_upstream_until_it_is_destroyed(self, desk: Desk, subnet: Subnet):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", "10.0.1.4", macs=[1])
        site.start("b", "web", "10.0.1.4", "10.0.1.5", macs=[1])
        assert [self.taken_upstream(subnet, f"10.0.1.{last}") for last in (3, 4, 5)] == [False, True, True]
        site.destroy("b", "web")
        assert not any(self.taken_upstream(subnet, f"10.0.1.{last}") for last in (3, 4, 5))

    def test_one_address_that_others_have_upstream_refuses_the_whole_guest(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.4", name="theirs")
        before = dump(desk.book, without=("events",))
        with pytest.raises(Conflict, match=r"10\.0\.1\.4"):
            Site(desk).create("a", "web", "10.0.1.3", "10.0.1.4", "10.0.1.5", macs=[1])
        assert dump(desk.book, without=("events",)) == before
        assert [self.taken_upstream(subnet, f"10.0.1.{last}") for last in (3, 4, 5)] == [False, True, False]

    def test_a_row_of_others_with_the_mac_of_the_guest_is_joined(self, desk: Desk, subnet: Subnet):
        self.add_foreign(subnet, "10.0.1.4", name="planned", mac=mac(1))
        site = Site(desk)
        assert site.create("a", "web", "10.0.1.3", "10.0.1.4", macs=[1]).accepted
        assert desk.uses(subnet, "10.0.1.4") >= {Use.GUEST, Use.UPSTREAM}
        site.destroy("a", "web")
        assert [self.taken_upstream(subnet, f"10.0.1.{last}") for last in (3, 4)] == [False, True]
        assert desk.uses(subnet, "10.0.1.4") == {Use.UPSTREAM}

    def test_a_row_that_was_deleted_by_hand_is_made_again_when_its_guest_changes(self, desk: Desk, subnet: Subnet):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", macs=[1])
        self.remove_foreign(subnet, "10.0.1.3")
        site.start("a", "web", "10.0.1.3", macs=[1])
        assert self._owner(desk, subnet, "10.0.1.3") == "east/web"

    @pytest.mark.parametrize("leaves", ["by a report", "by its end", "by an operator"])
    def test_a_guest_that_left_an_address_to_another_use_is_not_told_upstream(
        self, desk: Desk, subnet: Subnet, leaves: str
    ):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", macs=[1])
        assert self._owner(desk, subnet, "10.0.1.3") == "east/web"
        desk.take(subnet, "10.0.1.3", Use.MANUAL, number=1)
        if leaves == "by a report":
            site.start("a", "web", "10.0.1.4", macs=[1])
        elif leaves == "by its end":
            site.destroy("a", "web")
        else:
            desk.release(subnet, "10.0.1.3", use=Use.GUEST)
        assert self.taken_upstream(subnet, "10.0.1.3")
        assert self._owner(desk, subnet, "10.0.1.3") is None

    @pytest.mark.parametrize("leaves", ["by a report", "by its end"])
    def test_an_address_that_a_guest_left_to_another_is_told_upstream_as_that_ones(
        self, desk: Desk, subnet: Subnet, leaves: str
    ):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", macs=[1], shared=True)
        site.create("b", "db", "10.0.1.3", macs=[2], shared=True)
        if leaves == "by a report":
            site.create("a", "web", "10.0.1.4", macs=[1])
        else:
            site.destroy("a", "web")
        assert self._owner(desk, subnet, "10.0.1.3") == "east/db"
        site.destroy("b", "db")
        assert not self.taken_upstream(subnet, "10.0.1.3")

    def test_a_guest_leaves_an_address_also_when_its_row_cannot_be_changed(self, desk: Desk, subnet: Subnet):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", macs=[1])
        desk.take(subnet, "10.0.1.3", Use.MANUAL, number=1)
        self.go_away()
        assert site.destroy("a", "web").accepted
        assert desk.uses(subnet, "10.0.1.3") == {Use.MANUAL}

    def _owner(self, desk: Desk, subnet: Subnet, address: str) -> str | None:
        record = desk.address_book.ipam.record(subnet, IPAddress(address))
        assert record is not None
        return record.owner

    def test_a_guest_without_upstream_leaves_the_book_as_before(self, desk: Desk, subnet: Subnet):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", macs=[1])
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            site.start("b", "web", "10.0.1.4", "10.0.1.5", macs=[1])
        with pytest.raises(Unavailable):
            site.destroy("a", "web")
        assert dump(desk.book, without=("events",)) == before
        self.come_back()
        assert site.start("b", "web", "10.0.1.4", "10.0.1.5", macs=[1]).accepted
        assert [self.taken_upstream(subnet, f"10.0.1.{last}") for last in (3, 4, 5)] == [False, True, True]


class GuestsOnDHCP:
    """For ``PublishingConformance``, which says how the server is looked at, and how it goes away."""

    def test_the_cards_of_a_guest_are_served_until_it_is_destroyed(self, desk: Desk, subnet: Subnet):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", macs=[1])
        assert self.served(subnet) == {mac(1): "10.0.1.3"}
        site.start("b", "web", "10.0.1.4", macs=[1])
        assert self.served(subnet) == {mac(1): "10.0.1.4"}
        assert list(desk.address_book.differences()) == []
        site.rename("b", "web", "www")
        assert self.served(subnet) == {mac(1): "10.0.1.4"}
        site.destroy("b", "www")
        assert self.served(subnet) == {}

    def test_the_card_of_a_guest_is_replaced(self, desk: Desk, subnet: Subnet):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", macs=[1])
        site.create("a", "web", "10.0.1.3", macs=[2])
        assert self.served(subnet) == {mac(2): "10.0.1.3"}
        site.create("a", "web", "10.0.1.3", macs=[])
        assert self.served(subnet) == {}
        assert list(desk.address_book.differences()) == []

    def test_a_guest_without_the_server_leaves_the_book_as_before(self, desk: Desk, subnet: Subnet):
        site = Site(desk)
        site.create("a", "web", "10.0.1.3", macs=[1])
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            site.create("a", "db", "10.0.1.4", "10.0.1.5", macs=[2])
        with pytest.raises(Unavailable):
            site.start("b", "web", "10.0.1.4", "10.0.1.5", macs=[1])
        with pytest.raises(Unavailable):
            site.destroy("a", "web")
        assert dump(desk.book, without=("events",)) == before
        self.come_back()
        assert site.start("b", "web", "10.0.1.4", macs=[1]).accepted
        assert self.served(subnet) == {mac(1): "10.0.1.4"}
