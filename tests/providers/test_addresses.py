"""Text in, addresses, networks, ranges and MACs out: what is taken, and what is refused."""

from __future__ import annotations

import pytest
from netaddr import IPAddress, IPNetwork

from providers.addresses import Range, parse_address, parse_mac, parse_network
from providers.errors import InvalidValue


@pytest.mark.parametrize("text", ["10.0.1.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "2001:DB8:0::1"])
def test_an_address_is_read(text: str):
    assert parse_address(text) == IPAddress(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "10", "10.1", "10.0.1", "10.0.1.256", "10.0.1.1 ", " 10.0.1.1", "010.0.1.1", "0x0a.0.1.1"),
        *("10.0.1.1/24", "10.0.1.1.1", "-1.0.0.1", "1e1.0.0.1", "167772417", "\u0661.0.0.1"),
        *("10.0.1.1\n", "10.0.1.1\0"),
        *("fe80::1%eth0", ":::", "2001:db8::1::", "2001:db8::g", "1" * 5000, "localhost"),
    ],
)
def test_what_is_no_address_is_refused_and_named(text: str):
    with pytest.raises(InvalidValue, match="Invalid IP Address") as raised:
        parse_address(text)
    assert len(str(raised.value)) < 150
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(("text", "version"), [("10.0.1.1", 6), ("2001:db8::1", 4)])
def test_an_address_of_the_other_family_is_refused(text: str, version: int):
    with pytest.raises(InvalidValue, match=text):
        parse_address(text, version=version)


@pytest.mark.parametrize("text", ["10.0.1.0/24", "0.0.0.0/0", "10.0.1.1/32", "2001:db8::/64", "::/0"])
def test_a_network_is_read(text: str):
    assert parse_network(text) == IPNetwork(text)
    assert str(parse_network(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "10.0.1.0", "10.0.1.0/", "/24", "10.0.1.0/33", "2001:db8::/129", "10.0.1.0/-1", "10.0.1.0/24/24"),
        *("10.0.1.0/255.255.255.0", "10.0.1.0/2 4", "10.0.1.0/\u0662", "10.0.1.0/99999999", "x/24"),
    ],
)
def test_what_is_no_network_is_refused(text: str):
    with pytest.raises(InvalidValue):
        parse_network(text)


@pytest.mark.parametrize(("text", "right"), [("10.0.1.5/24", "10.0.1.0"), ("2001:db8::1/64", "2001:db8::")])
def test_host_bits_in_a_network_are_refused_with_what_it_should_be(text: str, right: str):
    with pytest.raises(InvalidValue, match=f"should be {right} with prefix"):
        parse_network(text)


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("52:54:00:00:00:01", "52:54:00:00:00:01"),
        ("52:54:00:AB:CD:EF", "52:54:00:ab:cd:ef"),
        ("52:54:0:8:0:1", "52:54:00:08:00:01"),
        (":".join(["A0"] * 20), ":".join(["a0"] * 20)),
    ],
)
def test_a_mac_has_one_spelling(text: str, mac: str):
    assert parse_mac(text) == mac


@pytest.mark.parametrize(
    "text",
    [
        *("", "52", "52-54-00-00-00-01", "525400000001", "52:54:00:00:00", "52:54:00:00:00:01:02"),
        *("52:54:00:00:00:0g", "52:54:00:00:00:001", "52:54:00:00:00:", ":" * 5),
        *("52:54:00:00:00:01 ", "52:54:00:00:00:\u0661"),
        ":".join(["00"] * 8),
    ],
)
def test_what_is_no_mac_is_refused(text: str):
    with pytest.raises(InvalidValue, match="Invalid MAC"):
        parse_mac(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("10.0.1.5-10.0.1.9", "10.0.1.5", "10.0.1.9"),
        ("10.0.1.5 - 10.0.1.9", "10.0.1.5", "10.0.1.9"),
        ("10.0.1.5", "10.0.1.5", "10.0.1.5"),
        ("2001:db8::1-2001:db8::ff", "2001:db8::1", "2001:db8::ff"),
    ],
)
def test_a_range_is_read(text: str, first: str, last: str):
    assert Range.parse(text) == Range(IPAddress(first), IPAddress(last))


@pytest.mark.parametrize("text", ["", "-", "10.0.1.5-", "-10.0.1.5", "10.0.1.9-10.0.1.5", "10.0.1.5-2001:db8::1"])
def test_what_is_no_range_is_refused(text: str):
    with pytest.raises(InvalidValue):
        Range.parse(text)


def test_a_range_holds_both_its_ends():
    span = Range.parse("10.0.1.5-10.0.1.9")
    inside = [last for last in range(3, 12) if IPAddress(f"10.0.1.{last}") in span]
    assert inside == [5, 6, 7, 8, 9]


@pytest.mark.parametrize(("text", "shown"), [("10.0.1.5-10.0.1.9", "10.0.1.5-10.0.1.9"), ("10.0.1.5", "10.0.1.5")])
def test_a_range_is_shown_as_it_is_read(text: str, shown: str):
    assert str(Range.parse(text)) == shown


def test_a_range_lies_within_a_network_with_both_its_ends():
    network = IPNetwork("10.0.1.0/24")
    assert Range.parse("10.0.1.0-10.0.1.255").within(network)
    assert not Range.parse("10.0.0.255-10.0.1.5").within(network)
    assert not Range.parse("10.0.1.5-10.0.2.0").within(network)
