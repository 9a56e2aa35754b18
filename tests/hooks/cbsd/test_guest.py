"""The variables of CBSD's hooks: what is read, what they may lack."""

from __future__ import annotations

import pytest

from hooks.cbsd.guest import NIC, read_guest
from hooks.mac import normal_mac

JAIL = {"jname": "web1", "emulator": "jail", "host_hostname": "web1.example.com", "ip4_addr": "10.0.1.5/24"}
MACHINE = JAIL | {"emulator": "bhyve", "ip4_addr": "10.0.1.5", "jid": "0"}


@pytest.mark.parametrize("environment", [{}, {"jname": ""}, {"jname": " "}])
def test_without_a_name_there_is_no_guest(environment):
    assert read_guest(environment) is None


def test_a_jail_may_have_nothing_but_a_name():
    guest = read_guest({"jname": "web1"})
    assert guest is not None
    assert (guest.emulator, guest.hostname, guest.nics, guest.addresses.known) == ("jail", None, (), False)


@pytest.mark.parametrize("hostname", ["", "0", " ", "a\nb", "a\udcffb", "x" * 256, 'a"b', "a\\b"])
def test_no_host_name_and_one_that_the_service_would_refuse_is_none(hostname):
    guest = read_guest(JAIL | {"host_hostname": hostname})
    assert guest is not None
    assert guest.hostname is None


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("0", None), ("", None), ("00:00:00:00:00:00", None), ("none", None),
        ("00:A0:98:AA:BB:CC", "00:a0:98:aa:bb:cc"), ("00a098AABBCC", "00:a0:98:aa:bb:cc"),
        ("00-a0-98-aa-bb-cc", "00:a0:98:aa:bb:cc"), ("2:8:20:1:a:ff", "02:08:20:01:0a:ff"),
        ("00:a0:98:aa:bb", None), ("00a098aabbccdd", None),
    ],
)  # fmt: skip
def test_macs_in_every_form_and_unknown_ones(text, mac):
    assert normal_mac(text) == mac


def test_several_cards_in_order():
    guest = read_guest(MACHINE | {
        "nic_hwaddr0": "00A098AABBCC", "nic_parent0": "bridge1", "nic_hwaddr1": "0", "nic_parent1": "0",
        "nic_hwaddr10": "00:a0:98:aa:bb:cd",
    })  # fmt: skip
    assert guest is not None
    assert guest.nics == (
        NIC("nic0", "00:a0:98:aa:bb:cc", "bridge1"), NIC("nic1", None, None), NIC("nic10", "00:a0:98:aa:bb:cd", None),
    )  # fmt: skip


@pytest.mark.parametrize("emulator", ["qemu-aarch64-static", "qemu-riscv64-static", ""])
def test_a_jail_with_programs_for_another_processor_is_a_jail(emulator):
    guest = read_guest(JAIL | {"emulator": emulator, "jid": "0", "nic_hwaddr0": "00:a0:98:aa:bb:cc"})
    assert guest is not None
    assert (guest.emulator, guest.has_started, guest.has_cards) == ("jail", False, False)


@pytest.mark.parametrize(
    ("emulator", "jid", "started"),
    [("jail", "7", True), ("jail", "0", False), ("jail", "", False), ("jail", "-1", False), ("bhyve", "0", True),
     ("qemu", "", True), ("xen", "0", True)],
)  # fmt: skip
def test_only_a_jail_can_be_seen_to_have_failed(emulator, jid, started):
    guest = read_guest(JAIL | {"emulator": emulator, "jid": jid})
    assert guest is not None
    assert guest.has_started is started


@pytest.mark.parametrize(("status", "slave"), [("2", True), ("0", False), ("1", False), ("3", False), ("", False)])
def test_a_copy_of_what_another_node_has(status, slave):
    guest = read_guest(JAIL | {"status": status})
    assert guest is not None
    assert guest.is_slave is slave


@pytest.mark.parametrize(("vnet", "has"), [("1", True), ("0", False), ("", False)])
def test_a_jail_has_cards_of_its_own_with_vnet_alone(vnet, has):
    guest = read_guest(JAIL | {"vnet": vnet, "nic_hwaddr0": "00:a0:98:aa:bb:cc"})
    assert guest is not None
    assert guest.has_cards is has


def test_a_jail_with_cards_says_which_address_is_on_which():
    guest = read_guest(JAIL | {
        "vnet": "1", "ip4_addr": "10.0.1.5/24,10.0.2.5/24",
        "nic_hwaddr0": "00a098000001", "nic_hwaddr1": "00a098000002",
        "nic_address0": "10.0.2.5/24", "nic_address1": "eth1#10.0.1.5/24",
    })  # fmt: skip
    assert guest is not None
    assert [(each.text, each.nic) for each in guest.addresses.listed] == [("10.0.1.5", "nic1"), ("10.0.2.5", "nic0")]


@pytest.mark.parametrize(
    ("variables", "cards"),
    [
        ({"ip4_addr": "REALDHCP"}, ["nic0"]),
        ({"ip4_addr": "DHCP"}, ["nic0"]),
        ({"ip4_addr": "REALDHCP,REALDHCP"}, ["nic0", "nic1"]),
        ({"ip4_addr": "10.0.1.5,REALDHCP"}, ["nic1"]),
        ({"ip4_addr": "0"}, []),
        ({"ip4_addr": "DHCPv6"}, []),
        ({"ip4_addr": "10.0.1.5"}, []),
        ({"ip4_addr": "REALDHCP", "emulator": "jail"}, []),
        ({"ip4_addr": "REALDHCP", "emulator": "jail", "vnet": "1"}, ["nic0"]),
        ({"ip4_addr": "DHCP", "emulator": "jail", "vnet": "1"}, []),
    ],
)
def test_which_cards_ask_a_real_dhcp_server(variables, cards):
    guest = read_guest(MACHINE | {"nic_hwaddr0": "00a098000001", "nic_hwaddr1": "00a098000002"} | variables)
    assert guest is not None
    assert [nic.name for nic in guest.served_cards] == cards


def test_addresses_of_both_families_may_be_on_one_card():
    guest = read_guest(MACHINE | {"ip4_addr": "2001:db8::5,REALDHCP", "nic_hwaddr0": "00a098000001"})
    assert guest is not None
    assert [nic.name for nic in guest.served_cards] == ["nic0"]
