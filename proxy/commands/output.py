"""What commands print: tables for people, JSON for programs, both from the same rows.

A row is a mapping of JSON values, as :mod:`proxy.rows` makes them. Whatever the number of rows, only
:data:`BATCH` of them are in memory at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import click
from tabulate import tabulate

from providers.printable import printable

Row = Mapping[str, Any]

BATCH = 1000
_HEAD_LINES = 2
_LONGEST_NUMBER = 10**12

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def text(value: object) -> str:
    """A value as a table shows it, on one line and without anything that a terminal would obey."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if abs(value) < _LONGEST_NUMBER else f"{value:.1e}"
    if isinstance(value, Mapping):
        return text(" ".join(f"{key}={text(item)}" for key, item in value.items()))
    if isinstance(value, list | tuple):
        return text(", ".join(text(item) for item in value))
    return printable(str(value), None)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what ``value`` takes out of a row; numbers are set ``right``."""

    title: str
    value: Callable[[Row], Any]
    right: bool = False

    @classmethod
    def of(cls, key: str, title: str = "", *, right: bool = False) -> Column:
        """The column that shows the row's ``key``."""
        return cls(title or key.capitalize(), lambda row: row[key], right)


def listing(rows: Iterable[Row], columns: Sequence[Column], *, as_json: bool, empty: str) -> None:
    """Print ``rows`` as they come: a JSON list, one object a line, or a table.

    ``empty`` says on standard error what it means that there is none, and what to type next.
    """
    source = iter(rows)
    first = list(islice(source, BATCH))
    if as_json:
        _print_json(first, source)
    elif first:
        _print_table(first, source, columns)
    else:
        click.echo(empty, err=True)


def details(row: Row, titles: Mapping[str, str], *, as_json: bool) -> None:
    """Print one row: a JSON object, or a line for each key, which is capitalized unless ``titles`` has better."""
    if as_json:
        click.echo(json.dumps(row, indent=2))
        return
    lines = [(titles.get(key, key.capitalize()), _exact(value)) for key, value in row.items()]
    click.echo(tabulate(lines, tablefmt="plain", disable_numparse=True))


def _exact(value: object) -> str:
    return str(value) if type(value) is int else text(value)


def _print_json(first: list[Row], rest: Iterator[Row]) -> None:
    separator = "[\n"
    for batch in _batches(first, rest):
        for row in batch:
            click.echo(separator + json.dumps(row), nl=False)
            separator = ",\n"
    click.echo("\n]" if first else "[]")


def _print_table(first: list[Row], rest: Iterator[Row], columns: Sequence[Column]) -> None:
    for number, batch in enumerate(_batches(first, rest)):
        table = tabulate(
            [[text(column.value(row)) for column in columns] for row in batch],
            headers=[column.title for column in columns],
            colalign=["right" if column.right else "left" for column in columns],
            disable_numparse=True,
        )
        # The head is laid out with every batch, so that columns stay in line, and printed once.
        lines = table.splitlines()[_HEAD_LINES if number else 0 :]
        click.echo("\n".join(line.rstrip() for line in lines))


def _batches(first: list[Row], rest: Iterator[Row]) -> Iterator[list[Row]]:
    batch = first
    while batch:
        yield batch
        batch = list(islice(rest, BATCH))
