"""The local IPAM: the book is the truth."""

from __future__ import annotations

from netaddr import IPAddress

from providers.book.database import Book
from providers.ipam.contract import IPAMCapabilities, IPAMProvider, Record
from providers.ipam.local import LocalIPAM
from providers.registry import IPAM_PROVIDERS, load_class
from tests.providers.desk import Desk
from tests.providers.ipam.conformance import IPAMConformance


class TestLocalIPAM(IPAMConformance):
    """On SQLite."""

    def build(self, book: Book) -> IPAMProvider:
        return LocalIPAM(book, {})


def test_is_found_by_its_name():
    assert load_class(LocalIPAM.name, IPAM_PROVIDERS) is LocalIPAM


def test_is_neither_remote_nor_without_subnets():
    assert LocalIPAM.capabilities == IPAMCapabilities(remote=False, edits_subnets=True)


def test_nobody_knows_more_than_the_book(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    local = LocalIPAM(desk.book, {})
    record = Record(IPAddress("10.0.1.3"), "web1")
    local.create(subnet, record)
    local.amend(subnet, record)
    assert local.record(subnet, record.address) is None
    local.delete(subnet, record.address)
