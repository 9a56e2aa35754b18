"""No DHCP server."""

from __future__ import annotations

from providers.book.database import Book
from providers.dhcp.contract import DHCPProvider
from providers.dhcp.none import NoDHCP
from providers.registry import DHCP_PROVIDERS, load_class
from tests.providers.desk import Desk, host
from tests.providers.dhcp.conformance import DHCPConformance


class TestNoDHCP(DHCPConformance):
    """The suite for those who neither publish nor lease."""

    def build(self, book: Book) -> DHCPProvider:
        return NoDHCP(book, {})


def test_is_found_by_its_name():
    assert load_class(NoDHCP.name, DHCP_PROVIDERS) is NoDHCP


def test_neither_publishes_nor_leases():
    assert not NoDHCP.capabilities.publishes
    assert not NoDHCP.capabilities.leases


def test_publishing_and_withdrawing_is_nothing(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.address_book.dhcp.publish(subnet, host(1))
    desk.address_book.dhcp.withdraw(subnet, host(1))
