"""Changing what is told about an address that is taken."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes
from providers.addresses import Range
from providers.book.database import Book
from providers.dhcp.none import NoDHCP
from providers.errors import Conflict, InvalidValue, NotFound, Unavailable
from providers.ipam.contract import Record
from providers.ipam.local import LocalIPAM
from providers.model import Asker, Subnet, Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, description, host, mac
from tests.providers.ipam.remote_double import RemoteIPAM, Upstream
from tests.providers.soundness import dump

AT = IPAddress("10.0.1.7")


class WatchedIPAM(LocalIPAM):
    """An IPAM that remembers what it was told, and fails when it is to."""

    def __init__(self, book: Book) -> None:
        super().__init__(book, {})
        self.told: list[Record] = []
        self.fails = False

    def amend(self, subnet: Subnet, record: Record) -> None:
        if self.fails:
            raise Unavailable("The IPAM does not answer")
        self.told.append(record)


@pytest.fixture
def ipam(book: Book) -> WatchedIPAM:
    return WatchedIPAM(book)


@pytest.fixture
def address_book(book: Book, ipam: WatchedIPAM, clock: HandClock) -> AddressBook:
    return AddressBook(book, ipam, NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock)


@pytest.fixture
def subnet(address_book: AddressBook) -> Subnet:
    """10.0.1.0/24 with 10.0.1.7 reserved."""
    made = address_book.add_subnet(description("10.0.1.0/24"), CALLER)
    address_book.reserve(made, AT, Use.MANUAL, CALLER, name="old", mac=mac(1), note="old note")
    return made


def test_what_is_given_changes_and_the_rest_stays(address_book, subnet, clock):
    before = address_book.reservation(subnet, AT)
    clock.pass_(minutes=5)

    after = address_book.amend(subnet, AT, CALLER, name="new", description="a printer")

    assert (after.name, after.mac, after.description, after.note) == ("new", mac(1), "a printer", "old note")
    assert (after.uses, after.changed_at) == (before.uses, before.changed_at)
    assert address_book.reservation(subnet, AT) == after


@pytest.mark.parametrize("nothing", [None, ""])
def test_none_and_an_empty_text_take_a_value_away(nothing, address_book, subnet):
    after = address_book.amend(subnet, AT, CALLER, name=nothing, mac=nothing, note=nothing)

    assert (after.name, after.mac, after.note) == (None, None, None)


def test_a_mac_has_one_spelling(address_book, subnet):
    assert address_book.amend(subnet, AT, CALLER, mac="52:54:0:0:0:AB").mac == "52:54:00:00:00:ab"


def test_the_ipam_and_the_events_are_told(address_book, subnet, ipam):
    address_book.amend(subnet, AT, CALLER, name="new", note=None)

    assert [(each.name, each.note) for each in ipam.told] == [("new", "")]
    event = address_book.events(limit=1)[0]
    assert (event.action, event.address, event.detail) == ("address.amend", AT, {"name": "new", "note": ""})


def test_what_changes_nothing_is_told_to_nobody(address_book, subnet, ipam):
    count = len(address_book.events())

    address_book.amend(subnet, AT, CALLER, name="old")
    address_book.amend(subnet, AT, CALLER)

    assert (ipam.told, len(address_book.events())) == ([], count)


def test_when_the_ipam_fails_the_book_is_as_before(address_book, subnet, ipam):
    before = address_book.reservation(subnet, AT)
    ipam.fails = True

    with pytest.raises(Unavailable):
        address_book.amend(subnet, AT, CALLER, name="new", note=None)

    assert address_book.reservation(subnet, AT) == before


def test_an_address_in_an_inner_subnet_is_found_from_the_outer_one(address_book, subnet):
    inner = address_book.add_subnet(description("10.0.1.0/28"), CALLER)

    assert address_book.amend(subnet, AT, CALLER, name="new").subnet == inner


def test_what_is_not_reserved_is_not_found(address_book, subnet):
    with pytest.raises(NotFound, match=r"10\.0\.1\.8 in 10\.0\.1\.0/24 is not reserved"):
        address_book.amend(subnet, AT + 1, CALLER, name="new")


@pytest.mark.parametrize(
    "changes", [{"name": "a\nb"}, {"mac": "52:54"}, {"description": "x" * 256}, {"note": "x" * 1001}, {"name": " x"}]
)
def test_an_unfit_value_changes_nothing(changes, address_book, subnet, book):
    before = dump(book)

    with pytest.raises(InvalidValue):
        address_book.amend(subnet, AT, CALLER, **changes)

    assert dump(book) == before


def test_the_mac_of_a_dhcp_host_does_not_change_under_it(address_book, subnet):
    address_book.reserve(subnet, AT + 1, Use.DHCP, CALLER, host=host(2))

    with pytest.raises(Conflict, match="is served to MAC"):
        address_book.amend(subnet, AT + 1, CALLER, mac=mac(3))
    assert address_book.amend(subnet, AT + 1, CALLER, mac=mac(2), note="x").note == "x"


def test_an_address_made_upstream_can_be_adopted(address_book, subnet):
    there = AT + 1
    address_book.reserve(subnet, there, Use.UPSTREAM, CALLER, name="theirs")

    adopted = address_book.adopt(subnet, there, CALLER)

    assert (adopted.name, set(adopted.uses)) == ("theirs", {Use.MANUAL})
    assert address_book.events(limit=1)[0].action == "address.adopt"
    assert address_book.adopt(subnet, there, CALLER) == adopted
    with pytest.raises(NotFound):
        address_book.adopt(subnet, there + 1, CALLER)


class TestUpstream:
    """With the truth elsewhere, where somebody deletes and takes rows meanwhile."""

    @pytest.fixture
    def upstream(self, address_book: AddressBook) -> Upstream:
        found = Upstream()
        address_book.ipam = RemoteIPAM(address_book.book, {"upstream": found})
        return found

    def test_a_row_of_ours_that_is_gone_is_made_anew(self, address_book, upstream, subnet):
        upstream.rows.clear()
        address_book.amend(subnet, AT, CALLER, name="new")
        assert upstream.rows["Lab", str(AT)].name == "new"

    def test_whoever_took_it_meanwhile_keeps_it(self, address_book, upstream, subnet):
        before = dump(address_book.book)["reservations"]
        upstream.rows.clear()
        upstream.meanwhile["create"] = lambda: upstream.add_foreign(subnet, str(AT), name="theirs")

        with pytest.raises(Conflict, match="taken upstream by theirs"):
            address_book.amend(subnet, AT, CALLER, name="new")

        assert (upstream.rows["Lab", str(AT)].ours, upstream.rows["Lab", str(AT)].name) == (False, "theirs")
        assert dump(address_book.book)["reservations"] == before

    def test_a_row_of_others_that_is_gone_is_not_made_by_us(self, address_book, upstream, subnet):
        there = AT + 1
        upstream.add_foreign(subnet, str(there), name="theirs")
        with pytest.raises(Conflict):
            address_book.reserve(subnet, there, Use.MANUAL, CALLER)
        address_book.suggest(subnet, Asker(None, None), CALLER, span=Range(there, there + 1))
        assert set(address_book.reservation(subnet, there).uses) == {Use.UPSTREAM}
        upstream.rows.clear()

        with pytest.raises(NotFound, match=f"{there} in 10.0.1.0/24 is not reserved: whoever had it upstream"):
            address_book.amend(subnet, there, CALLER, name="new")

        assert upstream.rows == {}
        assert address_book.reservation(subnet, there) is None
