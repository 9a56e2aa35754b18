"""The pools that CBSD names to its helper."""

from __future__ import annotations

import pytest

from hooks.cbsd.pool import Span, joined, of_subnet, read_pool
from hooks.errors import BadInput


def ends(*spans: Span | None) -> list[tuple[str, str] | None]:
    return [(span.first, span.last) if span else None for span in spans]


@pytest.mark.parametrize(
    ("text", "version", "found"),
    [
        ("", 4, []),
        ("10.0.1.3", 4, [("10.0.1.3", "10.0.1.3")]),
        ("10.0.1.200-204", 4, [("10.0.1.200", "10.0.1.204")]),
        ("10.0.1.200-10.0.2.4", 4, [("10.0.1.200", "10.0.2.4")]),
        ("10.0.1.0/24", 4, [("10.0.1.0", "10.0.1.255")]),
        ("10.0.1.77/24", 4, [("10.0.1.0", "10.0.1.255")]),
        ("10.0.1.3/32", 4, [("10.0.1.3", "10.0.1.3")]),
        ("10.0.1.3 10.0.1.9", 4, [("10.0.1.3", "10.0.1.3"), ("10.0.1.9", "10.0.1.9")]),
        ("10.0.1.3,10.0.1.9, 10.0.1.11", 4, [(each, each) for each in ("10.0.1.3", "10.0.1.9", "10.0.1.11")]),
        ("10.0.1.3 2001:db8::3", 4, [("10.0.1.3", "10.0.1.3")]),
        ("10.0.1.3 2001:db8::3", 6, [("2001:db8::3", "2001:db8::3")]),
        ("2001:db8::10-1f", 6, [("2001:db8::10", "2001:db8::1f")]),
        ("2001:db8::10-2001:db8::20", 6, [("2001:db8::10", "2001:db8::20")]),
        ("2001:DB8::/64", 6, [("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff")]),
        ("2001:db8::-ff", 6, [("2001:db8::", "2001:db8::ff")]),
    ],
)
def test_addresses_ranges_and_networks(text, version, found):
    assert ends(*read_pool(text, version)) == found


@pytest.mark.parametrize(
    "text",
    ["10.0.1", "10.0.1.9-3", "10.0.1.3-300", "10.0.1.0/33", "10.0.1.0/", "10.0.1.0/x", "10.0.1.3-", "web1",
     "10.0.1.3-2001:db8::1", "2001:db8::/129", "10.0.1.0/00000000024", "/24"],
)  # fmt: skip
def test_what_is_none_is_refused_by_name(text):
    with pytest.raises(BadInput, match="the pool: "):
        read_pool(text, 4)


@pytest.mark.parametrize(
    ("item", "network", "part"),
    [
        ("10.0.1.0/24", "10.0.1.0/24", None),
        ("10.0.0.0/16", "10.0.1.0/24", None),
        ("10.0.1.10-20", "10.0.1.0/24", ("10.0.1.10", "10.0.1.20")),
        ("10.0.1.250-10.0.2.9", "10.0.2.0/24", ("10.0.2.0", "10.0.2.9")),
        ("10.0.1.128/25", "10.0.1.0/24", ("10.0.1.128", "10.0.1.255")),
    ],
)
def test_the_part_of_a_subnet(item, network, part):
    (span,) = read_pool(item, 4)
    assert ends(of_subnet(span, network)) == [part]


@pytest.mark.parametrize("network", ["10.0.9.0/24", "2001:db8::/64"])
def test_nothing_in_a_subnet_is_refused(network):
    (span,) = read_pool("10.0.1.10-20", 4)
    with pytest.raises(BadInput, match=r"10\.0\.1\.10-20"):
        of_subnet(span, network)


def test_neighbours_are_one_question_and_keep_their_order():
    spans = read_pool("10.0.1.9 10.0.1.3 10.0.1.4 10.0.1.5-8 10.0.1.20", 4)
    assert ends(*joined(spans, {})) == [
        ("10.0.1.9", "10.0.1.9"), ("10.0.1.3", "10.0.1.8"), ("10.0.1.20", "10.0.1.20"),
    ]  # fmt: skip


def test_neighbours_of_different_groups_stay_apart():
    spans = read_pool("10.0.1.3 10.0.1.4", 4)
    assert len(joined(spans, {"10.0.1.4": "Lab"})) == 2
