"""Guests in phpIPAM: what their rows say, whoever changes them, and a create whose answer was lost."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.book import upstream
from providers.errors import Unavailable
from providers.guests import GuestState
from providers.ipam.phpipam.fields import OFFLINE
from providers.model import Subnet, Use
from tests.phpipam import Double
from tests.phpipam.faults import Fault, FaultProxy
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.guest_site import Site

FIRST, SECOND = "10.0.1.3", "10.0.1.4"


@pytest.fixture
def site(desk: Desk, subnet: Subnet) -> Site:
    """Nodes whose guests have addresses there."""
    return Site(desk)


def told(double: Double, key: int, address: str = FIRST) -> tuple[object, ...]:
    row = double.row(key, address)
    assert row is not None
    return row["hostname"], row["owner"], row["mac"]


def test_whoever_describes_an_address_leaves_owner_and_tag(site: Site, subnet: Subnet, double: Double, key: int):
    site.create("a", "web", FIRST, macs=[1])
    site.book.amend(subnet, IPAddress(FIRST), CALLER, name="www.example.com", note="in the cellar")
    assert told(double, key) == ("www.example.com", "east/web", mac(1))
    assert int(double.row(key, FIRST)["tag"]) == OFFLINE
    site.book.reserve(subnet, IPAddress(FIRST), Use.MANUAL, CALLER, mac=mac(1), description="a web server")
    assert told(double, key) == ("www.example.com", "east/web", mac(1))
    assert int(double.row(key, FIRST)["tag"]) == OFFLINE


def test_the_check_finds_nothing_wrong_with_a_guest(site: Site):
    site.create("a", "web", FIRST, SECOND, macs=[1])
    site.patch("a", "web", GuestState.RUNNING)
    assert list(site.book.check()) == []


def test_a_row_that_was_deleted_by_hand_is_written_with_its_owner(site: Site, subnet: Subnet, double: Double, key: int):
    site.create("a", "web", FIRST, macs=[1])
    double.remove_address(key, FIRST)
    site.book.adopt(subnet, IPAddress(FIRST), CALLER)
    assert told(double, key) == ("web", "east/web", mac(1))


def test_a_row_of_others_that_a_guest_joined_stays_theirs(site: Site, double: Double, key: int):
    double.add_address(key, FIRST, hostname="planned", mac=mac(1))
    site.create("a", "web", FIRST, macs=[1])
    assert told(double, key)[0] == "planned"
    site.destroy("a", "web")
    assert told(double, key)[0] == "planned"


def test_a_row_of_others_that_a_guest_joined_gets_a_name_and_nothing_else(site: Site, double: Double, key: int):
    double.add_address(key, FIRST, mac=mac(1), tag=3)
    site.create("a", "web", FIRST, macs=[1])
    site.start("a", "web", FIRST, macs=[1])
    site.stop("a", "web")
    row = double.row(key, FIRST)
    assert [row[each] for each in ("hostname", "description", "owner", "note")] == ["web", None, None, None]
    assert int(row["tag"]) == 3


def test_what_a_stopped_guest_left_to_another_use_is_not_offline(site: Site, subnet: Subnet, double: Double, key: int):
    site.create("a", "web", FIRST, macs=[1])
    site.book.reserve(subnet, IPAddress(FIRST), Use.MANUAL, CALLER, mac=mac(1))
    assert int(double.row(key, FIRST)["tag"]) == OFFLINE
    site.destroy("a", "web")
    assert int(double.row(key, FIRST)["tag"]) != OFFLINE


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.CLOSED], ids=["done", "not done"])
def test_a_create_whose_answer_was_lost(site: Site, double: Double, key: int, line: FaultProxy, fault: Fault):
    """Done all the same it bears our mark and is the guest's; not done there is a doubt, and nothing of the guest."""
    line.next(fault, times=1 if fault is Fault.LOST_ANSWER else 2, only="POST addresses")
    if fault is Fault.LOST_ANSWER:
        assert site.create("a", "web", FIRST, macs=[1]).accepted
        assert told(double, key) == ("web", "east/web", mac(1))
        return
    with pytest.raises(Unavailable):
        site.create("a", "web", FIRST, macs=[1])
    assert (site.guests(), site.reserved(), double.rows(key)) == ({}, {}, [])
    with site.book.book.read() as connection:
        assert [str(each.address) for each in upstream.doubts(connection, 10)] == [FIRST]
    assert site.create("a", "web", FIRST, macs=[1]).accepted
    site.book.settle_doubts()
    assert told(double, key) == ("web", "east/web", mac(1))
