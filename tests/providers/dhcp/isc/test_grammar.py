"""Statements, blocks, includes; and that nothing else than InvalidValue comes of any text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.dhcp.isc.grammar import Statement, parse, read
from providers.dhcp.isc.leases import written
from providers.dhcp.isc.survey import survey
from providers.errors import InvalidValue

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PIECES = (
    *'{};,="#\\ \n\t().:',
    *("subnet", "10.0.1.0", "netmask", "255.255.255.0", "range", "10.0.1.5", "10.0.1.9", "pool", "group", "host", "x"),
    *("hardware", "ethernet", "52:54:00:00:00:01", "fixed-address", "option", "routers", "domain-name", '"text"'),
    *("next-server", "filename", "supersede", "server.next-server", "0a:09:00:01", "shared-network", "lease", "ends"),
    *("epoch", "never", "binding", "state", "active", "deleted", "code", "of", "interface-mtu", "1500", "é", "\0"),
)


def words(statement: Statement) -> list[str]:
    """The texts of a statement's words."""
    return [word.text for word in statement.words]


def only(text: str) -> Statement:
    """The one statement of a text."""
    (statement,) = parse(text, "dhcpd.conf")
    return statement


def refused(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(InvalidValue) as error:
        list(read(path))
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("authoritative;", ["authoritative"]),
        ("range 10.0.1.5\n\t10.0.1.9 ;", ["range", "10.0.1.5", "10.0.1.9"]),
        ("option x a,b;", ["option", "x", "a", ",", "b"]),
        ("filename#c;\n\"a\";", ["filename", "a"]),
        (r'filename "a\"b\\c\x41\101";', ["filename", 'a"b\\cAA']),
        ('filename "} ; #";', ["filename", "} ; #"]),
        ("option a code 1 = { text };", ["option", "a", "code", "1", "=", "{", "text", "}"]),
        ("option a code 1 = array of { text };", ["option", "a", "code", "1", "=", "array", "of", "{", "text", "}"]),
        (";;authoritative;;", ["authoritative"]),
    ],
)
def test_a_statement_is_its_words(text, expected):
    assert words(only(text)) == expected


def test_a_block_belongs_to_the_words_before_it():
    group = only("group x { filename a; host b { } }")

    assert group.block is not None
    assert (words(group), [words(each) for each in group.block]) == (["group", "x"], [["filename", "a"], ["host", "b"]])
    assert [each.block for each in group.block] == [None, ()]


def test_keywords_have_no_case_and_options_have_two_words():
    assert [each.keyword for each in parse("Range a; OPTION Routers a;", "x")] == ["range", "option routers"]


def test_the_place_is_where_the_statement_begins():
    assert [str(each.place) for each in parse("\n# c\na\n;\n\nb { \n};", "x.conf")] == ["x.conf:3", "x.conf:6"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a;\nb", "x:2: "),
        ("a;\nb {\nc;\n", "x:2: "),
        ("a;\nb {\nc }\n", "x:3: "),
        ("a;\n}", "x:2: "),
        ("{ }", "x:1: "),
        ('a;\nb "c;', "x:2: "),
        ("option a code 1 = {\n b; }", "x:1: "),
        ("include a;", "x:1: "),
        ("a {" * 65 + "}" * 65, "x:1: "),
    ],
)
def test_what_is_no_statement_is_refused_with_file_and_line(text, place):
    with pytest.raises(InvalidValue, match=f"^{place}"):
        list(parse(text, "x"))


def test_a_refusal_tells_no_secret():
    with pytest.raises(InvalidValue) as error:
        list(parse("key k {\n algorithm hmac-md5;\n secret TOPSECRET== }", "x"))

    assert "TOPSECRET" not in str(error.value)


def test_an_included_file_stands_where_it_is_named(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "dhcpd.conf").write_text('a; group { include "sub/b.conf"; d; }')
    (tmp_path / "sub" / "b.conf").write_text('b; include "c.conf"; include "top.conf";')
    (tmp_path / "sub" / "c.conf").write_text("c;")
    (tmp_path / "top.conf").write_text("top;")

    first, group = read(tmp_path / "dhcpd.conf")

    assert words(first) == ["a"]
    assert group.block is not None
    assert [words(each) for each in group.block] == [["b"], ["c"], ["top"], ["d"]]
    assert str(group.block[1].place) == f"{tmp_path}/sub/c.conf:1"


def test_files_that_include_themselves_are_refused(tmp_path):
    (tmp_path / "a").write_text('x;\ninclude "b";')
    (tmp_path / "b").write_text('include "a";')

    assert refused(tmp_path / "a") == f"{tmp_path}/b:1: {tmp_path}/a includes itself"


def test_files_that_multiply_are_refused(tmp_path):
    for number in range(31):
        (tmp_path / str(number)).write_text(f'include "{number + 1}"; include "{number + 1}";')
    (tmp_path / "31").write_text("x;")

    assert "too many files" in refused(tmp_path / "0")


@pytest.mark.parametrize("name", ["none.conf", ".", "/dev/zero", r"a\000b", "x" * 300])
def test_an_include_that_is_no_file_is_refused(tmp_path, name):
    (tmp_path / "a").write_text(f'\ninclude "{name}";')

    assert refused(tmp_path / "a").startswith(f"{tmp_path}/a:2: ")


def test_a_block_does_not_end_in_an_included_file(tmp_path):
    (tmp_path / "a").write_text('group { include "b";')
    (tmp_path / "b").write_text("c; }")

    assert refused(tmp_path / "a").startswith(f"{tmp_path}/b:1: ")


def test_latin_1_is_read(tmp_path):
    (tmp_path / "a").write_bytes('# Büro\nfilename "ü";'.encode("latin-1"))

    assert [words(each) for each in read(tmp_path / "a")] == [["filename", "ü"]]


@pytest.mark.parametrize("tail", ["host x {", "host x { dynamic;", 'host x { a "b', "host", "\0\0\0", "host x { a }"])
def test_what_a_power_cut_left_of_a_statement_is_passed_over(tmp_path, tail):
    (tmp_path / "leases").write_text("a;\nb { }\n" + tail)
    found = read(tmp_path / "leases", torn=True)

    assert [words(next(found)), words(next(found))] == [["a"], ["b"]]
    if not tail.endswith("}"):
        assert list(found) == []


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=80).map(" ".join)))
def test_any_text_is_understood_or_refused_with_file_and_line(text):
    try:
        statements = list(parse(text, "x"))
    except InvalidValue as error:
        assert str(error).startswith("x:")  # noqa: PT017 - both outcomes are right
        return
    survey(statements, written(statements, NOW))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*PIECES[25:], ";", ";", "{ }"]), max_size=60).map(" ".join))
def test_any_statements_inside_declarations_are_surveyed(text):
    for around in ("host x", "subnet 10.0.1.0 netmask 255.255.255.0", "group", "lease 10.0.1.7", "shared-network a"):
        try:
            statements = list(parse(f"{around} {{ {text} ; }}", "x"))
        except InvalidValue:
            return
        survey(statements, written(statements, NOW))
