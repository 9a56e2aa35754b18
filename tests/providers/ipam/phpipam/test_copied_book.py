"""A book that was restored beside the one that it was saved from, both in front of one phpIPAM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes
from providers.book import backup
from providers.book.database import Book
from providers.book.restore import restore
from providers.dhcp.none import NoDHCP
from providers.errors import Conflict
from providers.model import Subnet, Use
from tests.phpipam import Double
from tests.phpipam.faults import FaultProxy
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.ipam.phpipam.site import provider

AT = "10.0.1.3"


@pytest.fixture
def copied(
    request: pytest.FixtureRequest, desk: Desk, subnet: Subnet, tmp_path: Path, line: FaultProxy
) -> Iterator[Desk]:
    """A second desk on a book restored from a backup of the first, in which 10.0.1.3 is reserved."""
    desk.take(subnet, AT, Use.MANUAL, number=1, name="web1")
    backup.write(desk.book, tmp_path / "book.backup", desk.clock())
    book = Book(f"sqlite:///{tmp_path}/copy.db")
    restore(book, tmp_path / "book.backup", desk.clock(), CALLER, copy=request.param)
    ipam = provider(book, line.url, desk.clock)
    yield Desk(AddressBook(book, ipam, NoDHCP(book, {}), lifetimes=Lifetimes(), clock=desk.clock), desk.clock)
    ipam.client.close()
    book.close()


@pytest.mark.parametrize("copied", [True], indirect=True)
class TestACopy:
    """It has a mark of its own."""

    def test_leaves_what_the_first_book_has(self, desk: Desk, copied: Desk, subnet: Subnet, double: Double, key: int):
        before = double.row(key, AT)
        copied.address_book.amend(subnet, IPAddress(AT), CALLER, name="tried", note="out")
        copied.release(subnet, AT)
        copied.address_book.settle_doubts()
        assert double.row(key, AT) == before
        assert list(desk.address_book.check()) == []

    def test_hands_out_nothing_that_the_first_book_has(self, copied: Desk, subnet: Subnet):
        copied.release(subnet, AT)
        with pytest.raises(Conflict, match="web1"):
            copied.take(subnet, AT)

    def test_says_in_its_check_whose_the_rows_are(self, copied: Desk):
        (finding,) = copied.address_book.check()
        assert "upstream by web1" in finding.what

    def test_has_what_it_reserves_itself(self, copied: Desk, subnet: Subnet, double: Double, key: int):
        copied.take(subnet, "10.0.1.4", Use.MANUAL, number=2)
        copied.release(subnet, "10.0.1.4")
        assert [row["mac"] for row in double.rows(key)] == [mac(1)]


@pytest.mark.parametrize("copied", [False], indirect=True)
def test_a_book_that_was_moved_goes_on_where_it_was(copied: Desk, subnet: Subnet, double: Double, key: int):
    assert list(copied.address_book.check()) == []
    copied.release(subnet, AT)
    assert double.rows(key) == []
