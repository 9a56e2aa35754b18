"""Making, changing and removing subnets: rules 9 and 10."""

from __future__ import annotations

from dataclasses import replace

import pytest
from netaddr import IPAddress, IPNetwork
from sqlalchemy import event

from providers.address_book import subnet_spec
from providers.addresses import Range
from providers.errors import Conflict, InvalidValue, SubnetNotFound
from providers.model import Occupancy, Options, Strategy, SubnetSpec
from tests.providers.desk import CALLER, Desk, description, mac
from tests.providers.soundness import dump

FULL = SubnetSpec(
    network=IPNetwork("10.0.1.0/24"),
    group="Büro/2",
    description="second floor",
    strategy=Strategy.RANDOM,
    pool=Range.parse("10.0.1.10-10.0.1.99"),
    dynamic=Range.parse("10.0.1.100-10.0.1.200"),
    exclusions=(Range.parse("10.0.1.20"), Range.parse("10.0.1.30-10.0.1.40")),
    options=Options(
        gateway=IPAddress("10.0.1.1"),
        dns=(IPAddress("10.0.1.2"), IPAddress("192.0.2.53"), IPAddress("2001:db8::53")),
        ntp=(IPAddress("10.0.1.3"),),
        domain="example.com",
        mtu=9000,
        next_server="tftp.example.com",
        filename="pxelinux.0",
    ),
)


def test_a_subnet_keeps_its_description(desk: Desk):
    made = desk.address_book.add_subnet(FULL, CALLER)
    assert subnet_spec(made) == replace(FULL, dhcp=True)
    assert desk.address_book.subnet(FULL.network) == made


def test_a_bare_subnet_keeps_that_it_has_nothing(desk: Desk):
    made = desk.add("10.0.1.0/24")
    assert (made.pool, made.dynamic, made.exclusions, made.options) == (None, None, (), Options())
    assert desk.address_book.subnet(IPNetwork("10.0.1.0/24")) == made


def test_subnets_are_listed_by_network(desk: Desk):
    networks = ["2001:db8::/64", "10.0.10.0/24", "9.0.0.0/8", "10.0.9.0/24", "10.0.0.0/8", "2001:db8::/32"]
    for network in networks:
        desk.add(network)
    assert [str(each) for each in desk.address_book.subnets()] == [
        "9.0.0.0/8",
        "10.0.0.0/8",
        "10.0.9.0/24",
        "10.0.10.0/24",
        "2001:db8::/32",
        "2001:db8::/64",
    ]


def test_a_subnet_is_found_by_exactly_its_network(desk: Desk):
    desk.add("10.0.1.0/24")
    for other in ("10.0.1.0/25", "10.0.0.0/16", "2001:db8::/64"):
        with pytest.raises(SubnetNotFound, match=f"No subnet {other}"):
            desk.address_book.subnet(IPNetwork(other))


def test_a_subnet_is_made_once(desk: Desk):
    desk.add("10.0.1.0/24")
    with pytest.raises(Conflict, match=r"10\.0\.1\.0/24 exists in group Lab already"):
        desk.add("10.0.1.0/24", group="lab")


@pytest.mark.parametrize(
    ("described", "text"),
    [
        ({"pool": "10.0.2.1-10.0.2.9"}, "The pool 10.0.2.1-10.0.2.9 is not in 10.0.1.0/24"),
        ({"pool": "10.0.1.1-10.0.1.255"}, "The pool 10.0.1.1-10.0.1.255 holds the network or broadcast address"),
        ({"pool": "10.0.1.0-10.0.1.9"}, "The pool 10.0.1.0-10.0.1.9 holds the network or broadcast address"),
        ({"pool": "2001:db8::1-2001:db8::9"}, "The pool 2001:db8::1-2001:db8::9 is not in 10.0.1.0/24"),
        ({"dynamic": "10.0.1.9-10.0.2.1"}, "The dynamic range 10.0.1.9-10.0.2.1 is not in 10.0.1.0/24"),
        ({"dynamic": "10.0.1.200-10.0.1.255"}, "The dynamic range 10.0.1.200-10.0.1.255 holds the network or"),
        ({"exclude": ["10.0.1.9", "10.0.2.1"]}, "The exclusion 10.0.2.1 is not in 10.0.1.0/24"),
        ({"gateway": "2001:db8::1"}, "The gateway 2001:db8::1 is not of the family of 10.0.1.0/24"),
        ({"gateway": "10.0.1.0"}, "The gateway 10.0.1.0 is the network or broadcast address of 10.0.1.0/24"),
        ({"gateway": "10.0.1.255"}, "The gateway 10.0.1.255 is the network or broadcast address of 10.0.1.0/24"),
    ],
)
def test_a_description_that_does_not_fit_the_network_is_refused(desk: Desk, described: dict, text: str):
    with pytest.raises(InvalidValue) as raised:
        desk.add("10.0.1.0/24", **described)
    assert str(raised.value).startswith(text)
    assert desk.address_book.subnets() == []


def test_a_change_that_does_not_fit_the_network_is_refused(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    before = dump(desk.book)
    with pytest.raises(InvalidValue, match="The pool"):
        desk.address_book.change_subnet(subnet, description("10.0.1.0/24", pool="10.0.2.1-10.0.2.9"), CALLER)
    assert dump(desk.book) == before


def test_a_gateway_outside_the_network_is_the_sites_business(desk: Desk):
    assert desk.add("10.0.1.0/24", gateway="10.0.0.1").options.gateway == IPAddress("10.0.0.1")


@pytest.mark.parametrize("cidr", ["::ffff:10.0.1.0/120", "::ffff:0:0/96", "::/64", "::/0"])
def test_a_network_with_ipv4_mapped_addresses_is_refused(desk: Desk, cidr: str):
    with pytest.raises(InvalidValue, match="IPv4-mapped"):
        desk.add(cidr)


def test_a_change_is_seen_by_the_next_look(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    changed = desk.address_book.change_subnet(subnet, replace(FULL, group="Lab"), CALLER)
    assert subnet_spec(changed) == replace(FULL, group="Lab", dhcp=True)
    assert (changed.id, changed.revision) == (subnet.id, subnet.revision + 1)
    assert desk.address_book.subnet(FULL.network) == changed


@pytest.mark.parametrize(
    ("changed", "measured"),
    [
        ({"description": "second floor"}, False),
        ({"pool": Range.parse("10.0.1.10-10.0.1.99")}, False),
        ({"exclusions": (Range.parse("10.0.1.20"),)}, True),
    ],
)
def test_the_free_space_is_measured_anew_only_when_it_may_differ(desk: Desk, changed: dict, measured: bool):
    subnet = desk.add("10.0.1.0/24")
    written = []

    @event.listens_for(desk.book.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_more):
        written.append(statement)

    desk.address_book.change_subnet(subnet, replace(subnet_spec(subnet), **changed), CALLER)

    assert any("INSERT INTO free_space" in each for each in written) is measured


@pytest.mark.parametrize("other", [description("10.0.2.0/24"), description("10.0.1.0/24", group="Office")])
def test_network_and_group_cannot_change(desk: Desk, other: SubnetSpec):
    subnet = desk.add("10.0.1.0/24")
    with pytest.raises(InvalidValue, match="network and group cannot change"):
        desk.address_book.change_subnet(subnet, other, CALLER)


def test_a_change_of_what_was_removed_is_refused(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    desk.address_book.remove_subnet(subnet, CALLER)
    with pytest.raises(SubnetNotFound):
        desk.address_book.change_subnet(subnet, subnet_spec(subnet), CALLER)


def test_a_change_leaves_dhcp_as_it_is_unless_told(desk: Desk):
    subnet = desk.add("10.0.1.0/24", dhcp=False)
    assert not desk.address_book.change_subnet(subnet, description("10.0.1.0/24"), CALLER).dhcp
    assert desk.address_book.change_subnet(subnet, description("10.0.1.0/24", dhcp=True), CALLER).dhcp


def test_rule_9_a_change_cannot_bring_a_network_to_dhcp_twice(desk: Desk):
    desk.add("10.0.1.0/24", group="Lab")
    office = desk.add("10.0.1.0/24", group="Office")
    with pytest.raises(Conflict, match="is on /dhcp already"):
        desk.address_book.change_subnet(office, description("10.0.1.0/24", group="Office", dhcp=True), CALLER)


def test_rule_10_an_empty_subnet_is_removed(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    assert desk.address_book.remove_subnet(subnet, CALLER) == Occupancy(0, 0, 0, 254)
    assert desk.address_book.subnets() == []


def test_rule_10_a_subnet_with_anything_in_it_is_not_removed(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    desk.take(subnet, "10.0.1.9")
    desk.serve(subnet, "10.0.1.10", 2)
    desk.ask(subnet, 1)
    before = dump(desk.book)
    with pytest.raises(Conflict, match=r"10\.0\.1\.0/24 is not empty: 2 reserved, 1 held\. .*--force"):
        desk.address_book.remove_subnet(subnet, CALLER)
    assert dump(desk.book) == before


def test_rule_10_a_hold_alone_keeps_a_subnet(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    desk.ask(subnet, 1)
    with pytest.raises(Conflict, match="0 reserved, 1 held"):
        desk.address_book.remove_subnet(subnet, CALLER)


def test_rule_10_an_expired_hold_does_not_keep_a_subnet(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    desk.ask(subnet, 1)
    desk.clock.pass_(minutes=30)
    assert desk.address_book.remove_subnet(subnet, CALLER) == Occupancy(0, 0, 0, 254)


def test_rule_10_force_removes_a_subnet_with_everything_in_it(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    desk.take(subnet, "10.0.1.9")
    desk.serve(subnet, "10.0.1.10", 2)
    desk.ask(subnet, 1)
    assert desk.address_book.remove_subnet(subnet, CALLER, force=True) == Occupancy(2, 1, 0, 251)
    assert desk.address_book.subnets() == []
    left = dump(desk.book)
    assert not any(left[table] for table in ("reservations", "uses", "dhcp_hosts", "holds", "rests", "free_space"))


def test_rule_10_removing_twice_says_that_it_is_gone(desk: Desk):
    subnet = desk.add("10.0.1.0/24")
    desk.address_book.remove_subnet(subnet, CALLER)
    with pytest.raises(SubnetNotFound):
        desk.address_book.remove_subnet(subnet, CALLER)


def test_occupancy_counts(desk: Desk):
    subnet = desk.add("10.0.1.0/28", gateway="10.0.1.14", exclude=["10.0.1.12-10.0.1.13"])
    desk.take(subnet, "10.0.1.1")
    desk.take(subnet, "10.0.1.2")
    desk.ask(subnet, 1)
    desk.release(subnet, "10.0.1.2")
    assert desk.address_book.occupancy(subnet) == Occupancy(reserved=1, held=1, resting=1, free=8)


def test_occupancy_counts_what_is_excluded_and_reserved_but_not_as_free(desk: Desk):
    subnet = desk.add("10.0.1.0/28", exclude=["10.0.1.1-10.0.1.4"])
    desk.take(subnet, "10.0.1.2")
    assert desk.address_book.occupancy(subnet) == Occupancy(reserved=1, held=0, resting=0, free=10)


def test_what_expired_counts_as_free(desk: Desk):
    subnet = desk.add("10.0.1.0/28")
    desk.ask(subnet, 1)
    desk.take(subnet, "10.0.1.2")
    desk.release(subnet, "10.0.1.2")
    desk.clock.pass_(hours=1)
    assert desk.address_book.occupancy(subnet) == Occupancy(reserved=0, held=0, resting=0, free=14)


def test_the_free_space_of_an_ipv6_subnet_is_counted(desk: Desk):
    subnet = desk.add("2001:db8::/64")
    desk.ask(subnet, 1)
    assert desk.address_book.occupancy(subnet).free == 2**64 - 2


def test_two_address_books_on_one_file_see_each_others_subnets(desk: Desk, address_book, tmp_path):
    subnet = desk.add("10.0.1.0/24")
    other = type(address_book)(
        type(address_book.book)(address_book.book.url),
        address_book.ipam,
        address_book.dhcp,
        lifetimes=address_book.lifetimes,
        clock=desk.clock,
    )
    assert other.subnets() == [subnet]
    desk.add("10.0.2.0/24")
    assert len(other.subnets()) == 2
    other.remove_subnet(subnet, CALLER)
    assert [str(each) for each in desk.address_book.subnets()] == ["10.0.2.0/24"]
    other.close()


def test_lookups_of_a_mac_are_by_subnet(desk: Desk):
    one, two = desk.add("10.0.1.0/29"), desk.add("10.0.2.0/29")
    desk.serve(one, "10.0.1.3", 1)
    assert desk.address_book.host_of(two, mac(1)) is None
