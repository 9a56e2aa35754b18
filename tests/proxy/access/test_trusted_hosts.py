"""The list of names, and reverse DNS."""

from __future__ import annotations

import pytest

from proxy.access.trusted_hosts import ReverseNames, TrustedHosts, clean_name, is_loopback
from tests.proxy.access.people import ELSEWHERE, FOREMAN, FORGER, NAMELESS, Names


@pytest.fixture
def names():
    return Names()


@pytest.fixture
def reverse(names, clock):
    return ReverseNames(names, clock, forward_verify=True)


@pytest.mark.parametrize(
    "name", ["foreman.example.com", "FOREMAN.example.COM", "foreman.example.com.", " foreman.example.com"]
)
def test_names_are_compared_without_case_and_final_dot(name):
    assert name in TrustedHosts(["Foreman.Example.com"])
    assert FOREMAN in TrustedHosts([name])


@pytest.mark.parametrize(
    "name", ["", ".", "example.com", "sub.foreman.example.com", "foreman.example.com.evil.org", "*"]
)
def test_names_are_compared_whole(name):
    assert name not in TrustedHosts([FOREMAN])


def test_an_empty_list_trusts_nobody():
    assert not any(name in TrustedHosts([]) for name in ("", FOREMAN))


def test_a_name_counts_when_it_has_the_address(reverse):
    assert (reverse.of(ELSEWHERE).name, reverse.of(ELSEWHERE).problem) == (FOREMAN, None)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        (FORGER, "its name in reverse DNS does not have that address"),
        (NAMELESS, "reverse DNS has no name for it"),
        ("", "reverse DNS has no name for it"),
    ],
)
def test_any_other_does_not(reverse, address, problem):
    assert reverse.of(address).problem == problem


def test_a_name_that_has_no_address_at_all(reverse, names):
    names.names["192.0.2.5"] = "gone.example.com"
    assert reverse.of("192.0.2.5").problem is not None


def test_without_forward_verify_any_name_counts(names, clock):
    assert ReverseNames(names, clock, forward_verify=False).of(FORGER).problem is None


@pytest.mark.parametrize(
    ("asked", "known"),
    [("2001:db8::1", "2001:0db8:0::1"), ("fe80::1%eth0", "fe80::1"), ("192.0.2.10", "::ffff:192.0.2.10")],
)
def test_spellings_of_one_address_are_equal(names, clock, asked, known):
    names.names[asked] = FOREMAN
    names.addresses[FOREMAN] = {known}
    assert ReverseNames(names, clock, forward_verify=True).of(asked).problem is None


def test_a_name_is_remembered_for_a_minute(reverse, names, clock):
    for _ in range(5):
        reverse.of(ELSEWHERE)
    assert names.asked == 1
    clock.pass_(seconds=60)
    reverse.of(ELSEWHERE)
    assert names.asked == 2


def test_what_goes_wrong_is_asked_again_soon(reverse, names, clock):
    assert reverse.of(NAMELESS).name is None
    names.names[NAMELESS] = "new.example.com"
    names.addresses["new.example.com"] = {NAMELESS}
    clock.pass_(seconds=4)
    assert reverse.of(NAMELESS).name is None
    clock.pass_(seconds=1)
    assert reverse.of(NAMELESS).name == "new.example.com"


def test_a_clock_that_is_set_back_does_not_keep_a_name_for_ever(reverse, names, clock):
    reverse.of(ELSEWHERE)
    clock.pass_(days=-1)
    reverse.of(ELSEWHERE)
    assert names.asked == 2


def test_no_more_than_some_are_remembered(reverse, names):
    for number in range(1025):
        reverse.of(f"2001:db8::{number:x}")
    reverse.of("2001:db8::0")
    assert names.asked == 1026
    reverse.of(f"2001:db8::{1024:x}")
    assert names.asked == 1026


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("128.0.0.1", False),
        ("::ffff:192.0.2.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("localhost", False),
        ("local", False),
        ("127.1", False),
    ],
)
def test_what_is_on_this_machine(address, local):
    assert is_loopback(address) is local


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        (FOREMAN, FOREMAN),
        ("a\nforged line", "a?forged line"),
        ("a\x1b[31m\u2028b", "a??31m?b"),
        ('"><script>', "???script?"),
        ("x" * 300, "x" * 200),
    ],
)
def test_names_from_outside_are_cleaned(name, cleaned):
    assert clean_name(name) == cleaned
