"""What declarations mean: subnets, hosts, what they inherit, and what is left out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from netaddr import IPAddress

from providers.dhcp.isc.grammar import parse
from providers.dhcp.isc.leases import written
from providers.dhcp.isc.survey import Survey, survey
from providers.model import DHCPHost, SubnetSpec

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NET = "subnet 10.0.1.0 netmask 255.255.255.0"
HARDWARE = "hardware ethernet 52:54:00:00:00:01;"
AT = "fixed-address 10.0.1.5;"
HOST = f"host web {{ {HARDWARE} {AT} }}"


def understood(text: str, leases: str = "") -> Survey:
    """What a configuration and a leases file mean."""
    return survey(parse(text, "c"), written(parse(leases, "l"), NOW), group="Lab")


def subnet(text: str) -> SubnetSpec:
    """The one subnet of a configuration."""
    (found,) = understood(text).incoming.subnets
    return found.spec


def host(text: str, leases: str = "") -> DHCPHost:
    """The one host of a configuration."""
    (found,) = understood(text, leases).incoming.addresses
    assert found.host is not None
    return found.host


def problems(text: str, leases: str = "") -> list[str]:
    """What a person should look at."""
    return [f"{each.place}: {each.text}" for each in understood(text, leases).problems]


def unused(text: str, leases: str = "") -> list[str]:
    """What the book has no place for."""
    return [each.text for each in understood(text, leases).unused]


@pytest.mark.parametrize(
    ("statement", "name", "value"),
    [
        ("option routers 10.0.1.1;", "gateway", IPAddress("10.0.1.1")),
        ("option domain-name-servers 10.0.1.2, 10.0.1.3;", "dns", (IPAddress("10.0.1.2"), IPAddress("10.0.1.3"))),
        ("option ntp-servers 10 . 0 . 1 . 4;", "ntp", (IPAddress("10.0.1.4"),)),
        ('option domain-name "example.com";', "domain", "example.com"),
        ("option interface-mtu 9000;", "mtu", 9000),
        ("next-server 10.0.1.5;", "next_server", "10.0.1.5"),
        ("next-server tftp.example.com;", "next_server", "tftp.example.com"),
        ('filename "pxelinux.0";', "filename", "pxelinux.0"),
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "{net} {{ {statement} }}",
        "{net} {{ }} {statement}",
        "shared-network x {{ {net} {{ }} {statement} }}",
        "group {{ {statement} group {{ {net} {{ }} }} }}",
    ],
)
def test_a_subnet_is_told_what_holds_for_it(statement, name, value, around):
    text = around.format(net=NET, statement=statement)

    assert getattr(subnet(text).options, name) == value
    assert (unused(text), problems(text)) == ([], [])


def test_what_is_said_further_inside_counts():
    text = f'filename "a"; shared-network x {{ filename "b"; {NET} {{ filename "c"; }} }}'

    assert subnet(text).options.filename == "c"


def test_several_routers_are_never_suggested():
    found = subnet(f"{NET} {{ option routers 10.0.1.1, 10.0.1.2, 10.0.9.1; }}")

    assert (str(found.options.gateway), [*map(str, found.exclusions)]) == ("10.0.1.1", ["10.0.1.2"])


@pytest.mark.parametrize(
    ("ranges", "dynamic", "exclusions"),
    [
        ("range 10.0.1.10 10.0.1.19;", "10.0.1.10-10.0.1.19", []),
        ("range dynamic-bootp 10.0.1.10;", "10.0.1.10", []),
        ("range 10.0.1.19 10.0.1.10;", "10.0.1.10-10.0.1.19", []),
        ("pool { range 10.0.1.10 10.0.1.19; }", "10.0.1.10-10.0.1.19", []),
        ("range 10.0.1.20 10.0.1.29; range 10.0.1.10 10.0.1.19;", "10.0.1.10-10.0.1.29", []),
        ("range 10.0.1.50 10.0.1.59; range 10.0.1.10 10.0.1.19;", "10.0.1.50-10.0.1.59", ["10.0.1.10-10.0.1.19"]),
        ("range 10.0.1.0 10.0.1.255;", "10.0.1.1-10.0.1.254", []),
    ],
)
def test_ranges_become_the_dynamic_range_and_exclusions(ranges, dynamic, exclusions):
    found = subnet(f"{NET} {{ {ranges} }}")

    assert (str(found.dynamic), [*map(str, found.exclusions)]) == (dynamic, exclusions)


def test_a_pool_of_a_shared_network_belongs_where_its_range_lies():
    text = f"shared-network x {{ {NET} {{ }} {NET.replace('.1.', '.2.')} {{ }} pool {{ range 10.0.2.5 10.0.2.9; }} }}"
    first, second = understood(text).incoming.subnets

    assert (first.spec.dynamic, str(second.spec.dynamic)) == (None, "10.0.2.5-10.0.2.9")


@pytest.mark.parametrize(
    "around",
    ["{}", "group {{ {} }}", "group a {{ group {{ {} }} }}", NET + " {{ {} }}", "shared-network x {{ {} }}"],
)
def test_a_host_is_found_wherever_it_is_declared(around):
    found = host(around.format(HOST))

    assert (found.name, found.hostname, found.mac) == ("web", "web", "52:54:00:00:00:01")


def test_a_host_has_what_it_and_the_groups_around_it_say():
    text = f"""group {{ group {{ {HOST} filename "inner"; }}
        option host-name "www"; next-server 10.0.1.9; filename "outer"; }}"""
    found = host(text)

    assert (found.filename, found.next_server, found.hostname) == ("inner", "10.0.1.9", "www")


@pytest.mark.parametrize("around", ["{}", NET + " {{ {} }}", "shared-network x {{ {} }}"])
def test_a_host_leaves_to_its_subnet_what_is_said_there(around):
    assert host(around.format(f'filename "a"; {HOST}')).filename is None


def test_an_empty_filename_takes_back_that_of_the_group():
    assert host(f'group {{ filename "a"; host x {{ {HARDWARE} {AT} filename ""; }} }}').filename is None


def test_a_host_with_several_addresses_has_all_of_them():
    found = understood(f"host x {{ {HARDWARE} fixed-address 10.0.1.5, 10.0.2.5; }}").incoming.addresses

    assert [str(each.address) for each in found] == ["10.0.1.5", "10.0.2.5"]


def test_members_of_a_bond_know_one_another():
    text = "".join(
        f'host db-0{number} {{ hardware ethernet 52:54:00:00:00:0{number}; {AT} option host-name "db"; }}'
        for number in (1, 2)
    )
    found = understood(text).incoming.addresses

    assert {each.related_macs for each in found} == {frozenset({"52:54:00:00:00:01", "52:54:00:00:00:02"})}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"host x {{ {AT} }}", "c:1: host x has no hardware address: left out"),
        (f"host x {{ {HARDWARE} }}", "c:1: host x has no fixed-address: left out"),
        (f"host x {{ {HARDWARE}\nfixed-address a.b; }}", "c:2: fixed-address a.b is no IPv4 address, and names"),
        (f"host x {{ {HARDWARE}\n{HARDWARE} {AT} }}", "c:1: host x has a later hardware, which counts"),
        (f"host x {{ hardware token-ring 52:54:00:00:00:01; {AT} }}", "c:1: hardware cannot be used"),
        ("subnet 10.0.1.1 netmask 255.255.255.0 { }", "c:1: a subnet that cannot be read"),
        ("subnet 10.0.1.0 netmask 255.0.255.0 { }", "c:1: a subnet that cannot be read"),
        (f"{NET} {{ option interface-mtu 1; }}", "c:1: option interface-mtu cannot be used"),
        (f"{NET} {{ option routers 10.0.1.0; }}", "c:1: 10.0.1.0 cannot be a gateway"),
        (f"{NET} {{ range 10.0.2.1 10.0.2.5; }}", "c:1: the range at 10.0.2.1 is in no subnet"),
        (f"{NET} {{ range 10.0.1.1 10.0.2.5; }}", "c:1: the range 10.0.1.1-10.0.2.5 of 10.0.1.0/24 is taken as"),
        (f"{NET} {{ range 10.0.1.1; range 10.0.1.9; }}", "c:1: 10.0.1.0/24 has several ranges"),
    ],
)
def test_what_needs_a_person_is_told_with_file_and_line(text, told):
    (problem,) = problems(text)

    assert problem.startswith(told)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("max-lease-time 5;", "max-lease-time"),
        ("key k { algorithm hmac-md5; secret TOPSECRET; }", "key k"),
        ('zone "a.b." { primary 127.0.0.1; }', "zone a.b."),
        ('class "c" { match if known; }', "class c"),
        ('subclass "c" 1:2:3;', "subclass c"),
        ("if known { deny booting; }", "if"),
        ('failover peer "f" { primary; }', "failover peer"),
        ("subnet6 2001:db8::/64 { }", "subnet6 2001:db8::/64"),
        (f"host x {{ {HARDWARE} {AT} option routers 10.0.1.1; }}", "option routers"),
        (f"group {{ {HOST} option domain-name \"x\"; }}", "option domain-name"),
        (f"{NET} {{ pool {{ option routers 10.0.1.1; }} }}", "option routers"),
        ('option host-name "x";', "option host-name"),
        ('ldap-password "TOPSECRET";', "ldap-password"),
    ],
)
def test_what_has_no_place_is_listed_by_name_and_without_values(text, label):
    assert unused(text) == [label]


def test_a_host_made_through_omapi_has_what_was_written():
    text = f"""host made {{ dynamic; {HARDWARE} {AT} supersede server.filename = "pxelinux.0";
        supersede server.next-server = 0a:09:00:01; supersede host-name = "made.example.com"; }}"""

    assert host("", text) == DHCPHost(
        "52:54:00:00:00:01", "made", "made.example.com", "pxelinux.0", "10.9.0.1", address=None
    )


def test_of_a_host_the_last_word_counts():
    old = f"host x {{ dynamic; {HARDWARE} fixed-address 10.0.1.9; }}"
    new = f"host x {{ dynamic; {HARDWARE} {AT} }}"
    gone = "host x { dynamic; deleted; }"

    assert [str(each.address) for each in understood("", old + gone + new).incoming.addresses] == ["10.0.1.5"]
    assert understood("", old + gone).incoming.addresses == ()


def test_a_host_of_the_configuration_that_was_deleted_is_left_out():
    found = understood(HOST, "host web { dynamic; deleted; }")

    assert found.incoming.addresses == ()
    assert [each.text for each in found.problems] == ["host web was deleted through OMAPI: left out"]


def test_a_host_of_the_configuration_that_was_replaced_is_the_new_one():
    new = f"host web {{ dynamic; hardware ethernet 52:54:00:00:00:02; {AT} }}"

    assert host(HOST, "host web { deleted; }" + new).mac == "52:54:00:00:00:02"
    assert problems(HOST, "host web { deleted; }" + new) == ["c:1: host web was replaced through OMAPI: left out"]


@pytest.mark.parametrize(
    ("ends", "active"),
    [
        ("never", ["10.0.1.7"]),
        ("5 2026/01/02 00:00:01", ["10.0.1.7"]),
        ("5 2026/01/02 00:00:00", []),
        ("epoch 1767312001", ["10.0.1.7"]),
        ("epoch 1767311999", []),
    ],
)
def test_a_lease_is_active_until_it_ends(ends, active):
    text = f"lease 10.0.1.7 {{ starts 1 2025/01/01 00:00:00; ends {ends}; binding state active; {HARDWARE} }}"

    assert [str(each.address) for each in understood("", text).leases] == active


def test_of_a_lease_the_last_word_counts():
    text = "".join(f"lease 10.0.1.7 {{ ends never; binding state {state}; }}" for state in ("active", "free"))

    assert understood("", text).leases == ()


def test_a_value_that_was_hidden_from_dhcpds_own_writing_is_read():
    told = "supersede server.filename = substring (00:62:5c:78\n  :79, 1, 4); supersede host-name = 77:65:62;"
    found = host(NET + " { }", f"host web {{ dynamic; {HARDWARE} {AT} {told} }}")
    assert (found.filename, found.hostname) == ("b\\xy", "web")
