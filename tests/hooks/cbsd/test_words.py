"""The words of CBSD's helper: quoted, split at blanks, in any order, with names that nobody knows."""

from __future__ import annotations

import pytest

from hooks.cbsd.words import Wanted, understood


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], ("", 0, None)),
        (["ip4pool='10.0.0.3", "10.0.0.4", "10.0.0.200-204'", "lease_time='60'"],
         ("10.0.0.3 10.0.0.4 10.0.0.200-204", 60, None)),
        (["lease_time='60'", "ip4pool='10.0.0.0/24'"], ("10.0.0.0/24", 60, None)),
        (["ip4pool=10.0.0.0/24", "lease_time=60"], ("10.0.0.0/24", 60, None)),
        (['ip4pool="10.0.0.3', '10.0.0.4"'], ("10.0.0.3 10.0.0.4", 0, None)),
        (["ip4pool='10.0.0.3,10.0.0.4'"], ("10.0.0.3,10.0.0.4", 0, None)),
        (["dhcpd_helper='/usr/local/bin/x'", "lock='1'", "pass='a", "b'", "ip4pool='10.0.0.3'"], ("10.0.0.3", 0, None)),
        (["new_in_15='10.0.9.1'", "ip4pool=''"], ("", 0, None)),
        (["cleanup='10.0.0.3", "10.0.0.4'"], ("", 0, ("10.0.0.3", "10.0.0.4"))),
        (["cleanup='10.0.0.3,10.0.0.4'"], ("", 0, ("10.0.0.3", "10.0.0.4"))),
        (["cleanup=''"], ("", 0, ())),
        (["ip4pool='10.0.0.3"], ("10.0.0.3", 0, None)),
        (["lease_time='soon'"], ("", 0, None)),
        (["lease_time='-5'"], ("", 0, None)),
        (["lease_time='" + "9" * 5000 + "'"], ("", 999999999, None)),
        (["stray", "ip4pool='10.0.0.3'", "more"], ("10.0.0.3", 0, None)),
        (["ip4pool='10.0.0.3'", "ip4pool='10.0.0.4'"], ("10.0.0.4", 0, None)),
        (["="], ("", 0, None)),
        (["''"], ("", 0, None)),
    ],
)  # fmt: skip
def test_words_are_put_together_again(arguments, wanted):
    assert understood(arguments, {}) == Wanted(4, *wanted)


@pytest.mark.parametrize(
    ("arguments", "pools"),
    [
        (["ip6pool='2001:db8::/64'"], ("", "2001:db8::/64")),
        (["ip4pool='10.0.0.3'", "ip6pool='2001:db8::/64'"], ("10.0.0.3", "2001:db8::/64")),
        (["ip4pool='2001:db8::7'"], ("2001:db8::7", "2001:db8::7")),
    ],
)
def test_each_family_has_a_pool_of_its_own(arguments, pools):
    """Of CBSD 14.1, dhcpd takes ip4pool and dhcpdv6 takes ip6pool."""
    assert tuple(understood(arguments, {"CBSD_APP": app}).pool for app in ("dhcpd", "dhcpdv6")) == pools


@pytest.mark.parametrize(("called", "version"), [("dhcpd", 4), ("dhcpdv6", 6), ("jstart", 4), ("", 4)])
def test_the_family_is_that_of_the_caller(called, version):
    assert understood([], {"CBSD_APP": called}).version == version
