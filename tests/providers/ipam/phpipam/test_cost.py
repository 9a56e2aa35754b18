"""How many calls things cost, whatever is in the subnet."""

from __future__ import annotations

import pytest

from providers.model import Subnet, Use
from tests.phpipam import Double
from tests.providers.desk import Desk
from tests.providers.ipam.phpipam.site import subnet_of


@pytest.fixture(params=[100, 60_000])
def filled(request: pytest.FixtureRequest, desk: Desk, double: Double) -> Subnet:
    """10.50.0.0/16 with some rows of others, which the book knows, or too many for phpIPAM to tell."""
    double.fill(double.add_subnet("10.50.0.0/16", "Lab"), request.param)
    found = subnet_of(desk, "10.50.0.0/16")
    desk.ask(found, 99)
    double.forget_calls()
    return found


def kinds(double: Double) -> list[str]:
    return [call.kind for call in double.calls]


def test_next_address_and_reserve_are_two_calls(desk: Desk, double: Double, filled: Subnet):
    desk.serve(filled, desk.ask(filled, 1), 1)
    assert kinds(double) == ["GET addresses/search", "POST addresses"]


def test_so_are_another_face_that_joins_and_a_release(desk: Desk, double: Double, filled: Subnet):
    address = desk.ask(filled, 1)
    desk.take(filled, address)
    double.forget_calls()
    desk.serve(filled, address, 1)
    assert kinds(double) == ["GET addresses/search", "PATCH addresses"]
    double.forget_calls()
    desk.release(filled, address, use=Use.DHCP)
    assert kinds(double) == []
    desk.release(filled, address, use=Use.IPAM)
    assert kinds(double) == ["GET addresses/search", "DELETE addresses"]


def test_listing_asks_nobody(desk: Desk, double: Double, filled: Subnet):
    desk.address_book.subnets()
    assert desk.address_book.host_of(filled, "52:54:00:00:00:63") is None
    assert kinds(double) == []


def test_a_refresh_is_a_call_for_all_sections_and_one_for_each(desk: Desk, double: Double, filled: Subnet):
    double.add_subnet("10.60.0.0/24", "Office", gateway="10.60.0.1")
    desk.clock.pass_(minutes=5)
    desk.address_book.subnets()
    assert kinds(double) == ["GET sections/all", *["GET sections/subnets"] * 2, "GET subnets"]
    double.forget_calls()
    desk.clock.pass_(minutes=5)
    desk.address_book.subnets()
    assert kinds(double) == ["GET sections/all", *["GET sections/subnets"] * 2]
