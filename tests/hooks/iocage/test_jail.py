"""A jail as its files have it."""

from __future__ import annotations

import json

import pytest

from hooks.errors import BadInput
from hooks.iocage.jail import all_jails, read_jail, unread_jails
from tests.hooks.host import Host

MAC = "02:ff:60:bb:bb:01"
PAIR = "02ff60aaaa01 02ff60bbbb01"


@pytest.fixture
def host(tmp_path) -> Host:
    return Host(tmp_path / "host", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("config", "expected", "known"),
    [
        ({}, [], True),
        ({"ip4_addr": "none", "ip6_addr": "none"}, [], True),
        ({"ip4_addr": "10.0.1.5"}, ["10.0.1.5"], True),
        ({"ip4_addr": "em0|10.0.1.5/24,em1|10.0.1.6"}, ["10.0.1.5", "10.0.1.6"], True),
        ({"ip4_addr": "DEFAULT|10.0.1.5/24"}, ["10.0.1.5"], True),
        ({"ip4_addr": "em0|10.0.1.5/24", "ip6_addr": "em0|2001:DB8::5/64"}, ["10.0.1.5", "2001:db8::5"], True),
        ({"ip4_addr": "10.0.1.5", "ip6_addr": "vnet0|accept_rtadv"}, ["10.0.1.5"], True),
        ({"ip4_addr": "DHCP"}, [], False),
        ({"ip4_addr": "em0|DHCP"}, [], False),
        ({"dhcp": 1, "vnet": 1}, [], False),
        ({"dhcp": "on", "vnet": "on", "vnet0_mac": PAIR}, [], False),
        ({"ip4_addr": "10.0.1.300"}, [], False),
    ],
)
def test_addresses(host: Host, config, expected, known):
    host.jail("web1", **config)
    jail = read_jail(str(host.iocage), "web1")
    assert [each.text for each in jail.addresses] == expected
    assert jail.known == known


@pytest.mark.parametrize(
    ("written", "mac"),
    [
        (PAIR, MAC),
        ("02:ff:60:aa:aa:01,02:ff:60:bb:bb:01", MAC),
        ("02-FF-60-AA-AA-01  02-FF-60-BB-BB-01", MAC),
        ("02ff60aaaa01,02ff60bbbb01", MAC),
        ("none", None),
        ("02ff60aaaa01", None),
        ("", None),
    ],
)
def test_the_second_mac_of_a_pair_is_the_jails(host: Host, written, mac):
    host.jail("web1", vnet=1, vnet0_mac=written)
    assert read_jail(str(host.iocage), "web1").nics.get("vnet0") == mac


def test_the_mac_of_a_card_that_is_not_used_does_not_count(host: Host):
    host.jail("web1", vnet=0, vnet0_mac=PAIR)
    assert read_jail(str(host.iocage), "web1").nics == {}


def test_the_card_that_asks_is_the_one_that_says_so(host: Host):
    macs = {"vnet0_mac": PAIR, "vnet1_mac": "02ff60aaaa02 02ff60bbbb02"}
    host.jail("named", vnet=1, ip4_addr="vnet0|10.0.1.5/24,vnet1|DHCP", **macs)
    host.jail("first", vnet=1, dhcp=1, **macs)
    host.jail("unknown", vnet=1, ip4_addr="vnet2|DHCP", **macs)
    assert read_jail(str(host.iocage), "unknown").asking == ()
    assert read_jail(str(host.iocage), "named").asking == ("vnet1",)
    assert read_jail(str(host.iocage), "first").asking == ("vnet0",)


def test_what_the_jail_does_not_say_is_in_the_defaults(host: Host):
    (host.iocage / "defaults.json").write_text(json.dumps({"vnet": 1, "ip4_addr": "none", "template": 0}))
    host.jail("web1", vnet0_mac=PAIR, ip4_addr="vnet0|10.0.1.5/24")
    jail = read_jail(str(host.iocage), "web1")
    assert jail.nics == {"vnet0": MAC}
    assert [each.text for each in jail.addresses] == ["10.0.1.5"]


def test_a_jail_is_found_by_its_tag_and_known_by_its_uuid(host: Host):
    uuid = "0f4bd9a6-6a36-11ef-9d5a-002590f3a1b2"
    host.jail(uuid, tag="web1", ip4_addr="10.0.1.5")
    host.jail("other")
    assert read_jail(str(host.iocage), "web1").name == uuid
    assert read_jail(str(host.iocage), uuid).name == uuid


def test_a_tag_of_two_jails_is_neither(host: Host):
    host.jail("u1", tag="web1")
    host.jail("u2", tag="web1")
    with pytest.raises(BadInput, match="web1"):
        read_jail(str(host.iocage), "web1")


def test_templates_are_left_out_and_jails_without_a_file_are_told(host: Host):
    host.jail("web1")
    host.jail("t1", template="1")
    (host.iocage / "jails" / "unmounted").mkdir()
    assert [each.name for each in all_jails(str(host.iocage))] == ["web1"]
    assert unread_jails(str(host.iocage)) == ["unmounted"]


def test_a_jail_that_cannot_be_read_is_not_left_out(host: Host):
    (host.jail("web1") / "config.json").write_text("[]")
    with pytest.raises(BadInput, match="web1"):
        list(all_jails(str(host.iocage)))
