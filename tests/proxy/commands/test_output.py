"""Tables and JSON."""

from __future__ import annotations

import json

import pytest

from proxy.commands.output import BATCH, Column, listing, text

COLUMNS = (Column.of("name"), Column.of("count", right=True))


def rows(number):
    return ({"name": f"row{index}", "count": index} for index in range(number))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (999_999_999_999, "999999999999"),
        (2**64, "1.8e+19"),
        (["a", "b"], "a, b"),
        ([], ""),
        ({"name": "web1", "old": None}, "name=web1 old="),
        ("1e5", "1e5"),
        ("Büro", "Büro"),
        ("a\x1b[31mb\nc\x9b", "a?[31mb?c?"),
    ],
)
def test_text_of_a_value(value, shown):
    assert text(value) == shown


def test_a_table_longer_than_a_batch_has_one_head_and_every_row_in_line(capsys):
    listing(rows(2 * BATCH + 1), COLUMNS, as_json=False, empty="")

    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 2 + 2 * BATCH + 1
    assert [line.split()[0] for line in lines if line.startswith("Name")] == ["Name"]
    assert lines[-1].split() == ["row2000", "2000"]


def test_a_table_does_not_read_ahead_of_a_batch(capsys):
    def endless():
        yield from rows(BATCH)
        raise RuntimeError(capsys.readouterr().out)

    with pytest.raises(RuntimeError, match="row999"):
        listing(endless(), COLUMNS, as_json=False, empty="")


@pytest.mark.parametrize("number", [0, 1, BATCH, BATCH + 1])
def test_json_is_a_list_of_the_rows(capsys, number):
    listing(rows(number), COLUMNS, as_json=True, empty="nothing")

    assert json.loads(capsys.readouterr().out) == list(rows(number))


def test_json_has_one_row_a_line(capsys):
    listing(rows(2), COLUMNS, as_json=True, empty="")

    assert capsys.readouterr().out == '[\n{"name": "row0", "count": 0},\n{"name": "row1", "count": 1}\n]\n'


def test_an_empty_json_list_says_nothing_else(capsys):
    listing([], COLUMNS, as_json=True, empty="nothing")

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("[]\n", "")


def test_an_empty_table_says_so_on_standard_error(capsys):
    listing([], COLUMNS, as_json=False, empty="nothing")

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "nothing\n")
