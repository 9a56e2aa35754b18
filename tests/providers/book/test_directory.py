"""Groups and subnets in memory: the look-ups, and noticing that something changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress, IPNetwork
from sqlalchemy import Connection

from providers.book import directory
from providers.book.database import Book
from providers.book.directory import Directory, DirectoryCache
from providers.model import Group, Options, Strategy, Subnet, SubnetSpec

LAB, OFFICE = Group(1, "Lab"), Group(2, "Office")


def subnet_with(number: int, network: IPNetwork, group: Group) -> Subnet:
    return Subnet(number, 1, network, group, "", False, Strategy.FIRST, None, None, (), Options())


def networks(version: int) -> st.SearchStrategy[IPNetwork]:
    """Networks that lie close together, so that many of them nest."""
    bits = 32 if version == 4 else 128
    base = int(IPAddress("10.0.0.0") if version == 4 else IPAddress("2001:db8::"))
    return st.builds(
        lambda offset, length: IPNetwork((base + offset, bits - length), version=version).cidr,
        st.integers(0, 255),
        st.integers(0, 8),
    )


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    """Some subnets in two groups, each network once in a group."""
    drawn = draw(
        st.lists(
            st.tuples(st.one_of(networks(4), networks(6)), st.sampled_from([LAB, OFFICE])),
            max_size=15,
            unique_by=lambda pair: (pair[0].sort_key(), pair[0].version, pair[1].id),
        )
    )
    return Directory(1, [LAB, OFFICE], [subnet_with(n, net, group) for n, (net, group) in enumerate(drawn, 1)])


ADDRESSES = st.one_of(networks(4), networks(6)).map(lambda network: network.network)


@given(directories(), ADDRESSES)
def test_holding_finds_the_most_specific_first(shelf: Directory, address: IPAddress):
    naive = [each for each in shelf.subnets if address in each.network]
    assert shelf.holding(address) == sorted(naive, key=lambda each: (-each.network.prefixlen, each.id))


@given(directories(), st.one_of(networks(4), networks(6)))
def test_exactly_finds_the_lowest_id_first(shelf: Directory, network: IPNetwork):
    naive = [each for each in shelf.subnets if each.network == network]
    assert shelf.exactly(network) == sorted(naive, key=lambda each: each.id)


@given(directories())
def test_inside_finds_what_the_group_has_below(shelf: Directory):
    for subnet in shelf.subnets:
        naive = [
            each
            for each in shelf.subnets
            if each.group == subnet.group and each is not subnet
            if subnet.network.first <= each.network.first <= each.network.last <= subnet.network.last
            if each.network.version == subnet.network.version
        ]
        assert shelf.inside(subnet) == naive


@given(directories())
def test_around_finds_the_next_larger_of_the_group(shelf: Directory):
    for subnet in shelf.subnets:
        larger = [each for each in shelf.subnets if subnet in shelf.inside(each)]
        assert shelf.around(subnet) == max(larger, key=lambda each: each.network.prefixlen, default=None)


def test_groups_are_sorted_without_regard_to_case():
    shelf = Directory(1, [Group(1, "b"), Group(2, "A"), Group(3, "c")], [])
    assert [group.name for group in shelf.groups] == ["A", "b", "c"]


@pytest.fixture
def cache() -> DirectoryCache:
    """The cache of one process."""
    return DirectoryCache()


@pytest.fixture
def other_process(book: Book) -> Iterator[Book]:
    """The same book as another process has it."""
    opened = Book(book.url)
    yield opened
    opened.close()


def add_group(name: str):
    return lambda connection: directory.add_group(connection, name, "")


def seen(book: Book, cache: DirectoryCache) -> list[str]:
    with book.read() as connection:
        return [group.name for group in cache.current(connection).groups]


def test_an_unchanged_directory_is_read_once(book: Book, cache: DirectoryCache, subnet: Subnet):
    with book.read() as connection:
        first = cache.current(connection)
    with book.read() as connection:
        assert cache.current(connection) is first
    assert book.write(cache.within) is first


def test_a_change_of_another_process_is_noticed(book: Book, cache: DirectoryCache, other_process: Book):
    assert seen(book, cache) == []
    other_process.write(add_group("New"))
    assert seen(book, cache) == ["New"]


def test_a_transaction_sees_its_own_change(book: Book, cache: DirectoryCache):
    def work(connection: Connection) -> list[str]:
        add_group("New")(connection)
        return [group.name for group in cache.within(connection).groups]

    assert book.write(work) == ["New"]


def test_a_change_that_was_not_kept_is_not_remembered(book: Book, cache: DirectoryCache, other_process: Book):
    """Another process gives the same revision to something else."""

    def fail(connection: Connection) -> None:
        add_group("Never")(connection)
        cache.within(connection)
        raise KeyError("somewhere later")

    assert seen(book, cache) == []
    with pytest.raises(KeyError):
        book.write(fail)
    other_process.write(add_group("Real"))
    assert book.write(lambda connection: [group.name for group in cache.within(connection).groups]) == ["Real"]
    assert seen(book, cache) == ["Real"]


@pytest.mark.parametrize("change", ["add group", "add subnet", "change subnet", "remove subnet"])
def test_every_change_gives_a_new_revision(book: Book, cache: DirectoryCache, subnet: Subnet, change: str):
    def revision() -> int:
        with book.read() as connection:
            return cache.current(connection).revision

    spec = SubnetSpec(IPNetwork("10.9.0.0/24"), "Lab")
    works = {
        "add group": add_group("New"),
        "add subnet": lambda connection: directory.add_subnet(connection, spec, subnet.group, dhcp=False),
        "change subnet": lambda connection: directory.change_subnet(connection, subnet, spec, dhcp=False),
        "remove subnet": lambda connection: directory.remove_subnet(connection, subnet),
    }
    before = revision()
    book.write(works[change])
    assert revision() == before + 1


def test_what_is_read_back_is_what_was_written(book: Book, cache: DirectoryCache):
    spec = SubnetSpec(IPNetwork("2001:db8::/64"), "Lab", description="ünïcode", strategy=Strategy.RANDOM)

    def work(connection: Connection) -> Subnet:
        return directory.add_subnet(connection, spec, directory.add_group(connection, "Lab", "d"), dhcp=False)

    made = book.write(work)
    with book.read() as connection:
        assert cache.current(connection).subnets == [made]
