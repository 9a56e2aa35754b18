"""The patterns of the Ruby proxy's settings."""

from __future__ import annotations

import pytest

from proxy.logs.patterns import parse_pattern

VALUES = {"d": "2026-01-02T03:04:05", "l": "WARN", "m": "hello", "c": "proxy", "request": "abcdefghijkl", "p": "12"}


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("%d %.8X{request} [%.1l] %m", "2026-01-02T03:04:05 abcdefgh [W] hello"),
        ("%m", "hello"),
        ("<%5l|%-5l> %m", "< WARN|WARN > hello"),
        ("%6.2l|%m", "    WA|hello"),
        ("%-6.2l|%m", "WA    |hello"),
        ("%.0X{request}%m", "hello"),
        ("%X{session}%m", "hello"),
        ("%X{request}: %m", "abcdefghijkl: hello"),
        ("100%% %m", "100% hello"),
        ("%m{x}", "hello{x}"),
        ("[%c/%p] %m", "[proxy/12] hello"),
    ],
)
def test_a_pattern_makes_a_line(pattern, line):
    assert parse_pattern(pattern).line(VALUES) == line


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("%z %m", "has %z,"),
        ("%X{user} %m", "has %X{user},"),
        ("%X %m", "has %X,"),
        ("%m %", "has %,"),
        ("%m %5", "has %5,"),
        ("%F:%L %m", "has %F,"),
        ("%d", "has no place for the message, %m"),
        ("", "has no place"),
    ],
)
def test_what_means_nothing_is_named(pattern, told):
    with pytest.raises(ValueError, match=told):
        parse_pattern(pattern)


def test_a_pattern_knows_what_of_the_request_it_shows():
    assert parse_pattern("%X{session} %.8X{request} %m").names == {"session", "request"}
    assert parse_pattern("%d %m").names == set()
