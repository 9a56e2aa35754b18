"""Finding reservations and holds, a page at a time."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.address_book import search
from providers.address_book.search import Sought, SoughtHold
from providers.guests import GuestReport, WantedAddress
from providers.model import Asker, Use
from tests.providers.desk import CALLER, description, host, mac


@pytest.fixture
def subnets(address_book):
    """Three of them, one inside another, added in another order than that of their networks."""
    return [
        address_book.add_subnet(description(each), CALLER) for each in ("10.0.2.0/24", "10.0.1.0/24", "10.0.1.128/25")
    ]


@pytest.fixture
def filled(address_book, subnets):
    """With reservations of all kinds."""
    book = address_book

    def reserve(address, use=Use.MANUAL, **more):
        found = IPAddress(address)
        book.reserve(book.subnet_of(found), found, use, CALLER, **more)

    reserve("10.0.1.7", name="web1", note="Rack 7")
    reserve("10.0.1.8", Use.DHCP, host=host(1, name="WEB2"))
    reserve("10.0.1.200", name="100%_sure", description="a\\b")
    reserve("10.0.2.7", Use.IPAM, mac=mac(2))
    reserve("10.0.2.8", Use.GUEST, name="web1")
    at = book.clock()
    for name, node, address in (("a", "n1", "10.0.2.20"), ("b", "n2", "10.0.2.21")):
        wanted = (WantedAddress(IPAddress(address)), WantedAddress(IPAddress("192.0.2.1"), shared=True))
        book.report_guest(GuestReport("east", name, node, at, addresses=wanted), CALLER)
    return book


def found(book, sought, **more):
    return [str(each.address) for each in every(book, sought, **more)]


def every(book, sought, *, limit=100, **more):
    items, page = [], None
    for _ in range(100):
        page = book.search(sought, limit=limit, after=page.after if page else None, **more)
        assert len(page.items) <= limit
        items += page.items
        if page.after is None:
            return items
    raise AssertionError("the pages do not end")


ALL = ["10.0.1.7", "10.0.1.8", "10.0.1.200", "10.0.2.7", "10.0.2.8", "10.0.2.20", "10.0.2.21"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_of_any_size_have_everything_once_and_in_order(limit, filled):
    assert found(filled, Sought(), limit=limit) == ALL


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        (Sought(address=IPAddress("10.0.1.200")), ["10.0.1.200"]),
        (Sought(address=IPAddress("10.0.1.201")), []),
        (Sought(mac=mac(1)), ["10.0.1.8"]),
        (Sought(mac=mac(2)), ["10.0.2.7"]),
        (Sought(name="web1"), ["10.0.1.7", "10.0.2.8"]),
        (Sought(name="WEB2"), ["10.0.1.8"]),
        (Sought(name="web"), []),
        (Sought(use=Use.MANUAL), ["10.0.1.7", "10.0.1.200"]),
        (Sought(use=Use.GUEST), ["10.0.2.8", "10.0.2.20", "10.0.2.21"]),
        (Sought(use=Use.UPSTREAM), []),
        (Sought(name="web1", use=Use.GUEST), ["10.0.2.8"]),
        (Sought(note="rACK"), ["10.0.1.7"]),
        (Sought(text="WEB"), ["10.0.1.7", "10.0.1.8", "10.0.2.8"]),
        (Sought(text="%_"), ["10.0.1.200"]),
        (Sought(text="a\\B"), ["10.0.1.200"]),
        (Sought(text="52:54:00:00:00:02"), ["10.0.2.7"]),
        (Sought(text="web", note="7"), ["10.0.1.7"]),
        (Sought(text="web", use=Use.GUEST), ["10.0.2.8"]),
        (Sought(guest="a"), ["10.0.2.20"]),
        (Sought(cluster="east"), ["10.0.2.20", "10.0.2.21"]),
        (Sought(cluster="west", guest="a"), []),
        (Sought(node="n2"), ["10.0.2.21"]),
        (Sought(node="n2", text="zzz"), []),
    ],
    ids=str,
)
@pytest.mark.parametrize("limit", [1, 100])
def test_what_is_sought_is_found(limit, sought, expected, filled):
    assert found(filled, sought, limit=limit) == expected


def test_only_the_given_subnets_are_searched(filled, subnets):
    outer = subnets[1]
    assert found(filled, Sought(), subnets=[outer]) == ["10.0.1.7", "10.0.1.8"]
    assert found(filled, Sought(), subnets=[outer, *filled.inside(outer)]) == ALL[:3]
    assert found(filled, Sought(name="web1"), subnets=[subnets[0]]) == ["10.0.2.8"]
    assert found(filled, Sought(), subnets=[]) == []


def test_uses_and_hosts_are_those_of_each(filled, subnets):
    by_address = {str(each.address): each for each in every(filled, Sought())}
    for text, each in by_address.items():
        assert each == filled.reservation(each.subnet, IPAddress(text))


def test_a_text_that_nothing_has_ends_each_page_in_time(filled, monkeypatch):
    monkeypatch.setattr(search, "_LOOKED_AT", 2)
    monkeypatch.setattr(search, "_A_SUBNET", 1)

    first = filled.search(Sought(text="sure"), limit=100)

    assert (first.items, first.after is not None) == ([], True)
    assert found(filled, Sought(text="sure")) == ["10.0.1.200"]
    assert found(filled, Sought()) == ALL


def test_a_page_goes_on_after_its_subnet_was_removed(filled, subnets):
    page = filled.search(Sought(), limit=1)
    filled.remove_subnet(subnets[1], CALLER, force=True)

    rest = filled.search(Sought(), limit=100, after=page.after)

    assert [str(each.address) for each in rest.items] == ALL[2:]


def test_holds_are_found_in_pages(address_book, subnets, clock):
    for subnet in subnets:
        for number in range(3):
            address_book.suggest(subnet, Asker(mac=mac(number)), CALLER)
    address_book.suggest(subnets[0], Asker(key="mine"), CALLER)
    held, after = [], None
    for _ in range(20):
        page = address_book.search_holds(SoughtHold(), limit=2, after=after)
        held += [str(each.address) for each in page.items]
        after = page.after
        if after is None:
            break
    assert held == [str(each.address) for each in address_book.holds()]
    assert len(held) == 10
    only = address_book.search_holds(SoughtHold(key="key:mine")).items
    assert [(each.key, each.subnet) for each in only] == [("key:mine", subnets[0])]
    assert len(address_book.search_holds(SoughtHold(mac=mac(1))).items) == 3
    assert len(address_book.search_holds(SoughtHold(mac=mac(1)), subnets=[subnets[1]]).items) == 1
    clock.pass_(minutes=31)
    assert address_book.search_holds(SoughtHold()).items == []
