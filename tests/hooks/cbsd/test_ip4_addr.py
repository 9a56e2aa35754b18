"""CBSD's lists of addresses, as guest-hooks, section 2, has them."""

from __future__ import annotations

import pytest

from hooks.cbsd.ip4_addr import read_ip4_addr


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("10.0.1.5", ["10.0.1.5"]),
        ("10.0.1.5/24", ["10.0.1.5"]),
        ("em0#10.0.1.5/24", ["10.0.1.5"]),
        ("10.0.1.5/24,10.0.1.6/24", ["10.0.1.5", "10.0.1.6"]),
        (" 10.0.1.5/24 , 2001:DB8::5/64 ", ["10.0.1.5", "2001:db8::5"]),
        ("em0#10.0.1.5,igb0#2001:db8:0:0::5/64", ["10.0.1.5", "2001:db8::5"]),
        ("10.0.1.5/24,10.0.1.5/32", ["10.0.1.5"]),
        ("fe80::1%em0/64", ["fe80::1"]),
    ],
)
def test_addresses_of_both_families_with_and_without_prefix_and_interface(text, listed):
    found = read_ip4_addr(text)
    assert ([each.text for each in found.listed], found.known, found.unread) == (listed, True, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", [(0, "")]),
        ("0", [(0, "0")]),
        ("DHCP", [(0, "dhcp")]),
        ("dhcp", [(0, "dhcp")]),
        ("DHCPv6", [(0, "dhcpv6")]),
        ("REALDHCP", [(0, "realdhcp")]),
        ("em0#DHCP", [(0, "dhcp")]),
        ("DHCP,DHCP", [(0, "dhcp"), (1, "dhcp")]),
    ],
)
def test_words_are_no_addresses_and_say_that_not_all_is_known(text, words):
    found = read_ip4_addr(text)
    assert (found.listed, found.known, found.unread, list(found.words)) == ((), False, (), words)


def test_an_address_beside_a_word_is_an_address():
    found = read_ip4_addr("10.0.1.5,REALDHCP")
    assert ([each.text for each in found.listed], found.known, found.words) == (["10.0.1.5"], False, ((1, "realdhcp"),))


@pytest.mark.parametrize("text", ["10.0.1.256", "10.0.1", "10.0.1.5;reboot", "em0", "$(id)", "10.0.1.05"])
def test_what_is_neither_is_told(text):
    found = read_ip4_addr(f"10.0.1.7,{text}")
    assert (found.known, found.unread) == (False, (text,))


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("vhid_1#10.0.1.5/24", True),
        ("em0#vhid_12#10.0.1.5", True),
        ("em0#10.0.1.5", False),
        ("10.0.1.9", True),
        ("em0#10.0.1.9/24", True),
    ],
)
def test_an_address_of_a_vhid_or_of_the_settings_is_shared(text, shared):
    (found,) = read_ip4_addr(text, shared=("10.0.1.9",)).listed
    assert found.shared is shared
