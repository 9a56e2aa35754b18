"""Rows of a CSV file as addresses to import; ``export csv`` writes the same columns."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from providers.address_book.incoming import IncomingAddress
from providers.addresses import parse_address, parse_mac, parse_network
from providers.errors import InvalidValue
from providers.model import DHCPHost, Use
from providers.printable import printable

COLUMNS = (
    "address", "name", "mac", "hostname", "filename", "next_server", "description", "note", "uses", "subnet", "group",
)  # fmt: skip

_ONLY_HOSTS = ("hostname", "filename", "next_server")
_BETWEEN_USES = re.compile(r"[\s,;|]+")
_MOST_TOLD = 20
_LONGEST_COLUMN = 40


def read_csv(path: Path) -> list[IncomingAddress]:
    """The rows of a file, by line.

    The first line names the columns, in any order; only ``address`` has to be there, an empty cell is one that is not
    there. Without ``uses`` a row with a MAC is a DHCP host, one without is reserved by hand. Rows with the same address
    are DHCP hosts that share it.

    Raises InvalidValue with the line of everything that is wrong.
    """
    found: list[IncomingAddress] = []
    wrong: list[str] = []
    lines: dict[tuple[object, ...], int] = {}
    for line, cells in _rows(path):
        try:
            entry = _entry(cells, f"{path}:{line}")
        except InvalidValue as error:
            wrong.append(f"{path}:{line}: {error}")
            continue
        before = lines.setdefault((entry.address, entry.group.casefold(), entry.host and entry.host.mac), line)
        if before != line:
            wrong.append(f"{path}:{line}: {entry.address} is in line {before} already")
        found.append(entry)
    if wrong:
        more = f"\nand {len(wrong) - _MOST_TOLD} more" if len(wrong) > _MOST_TOLD else ""
        raise InvalidValue("Nothing was imported:\n" + "\n".join(wrong[:_MOST_TOLD]) + more)
    macs: dict[tuple[object, str], set[str]] = defaultdict(set)
    for entry in found:
        if entry.host is not None:
            macs[entry.address, entry.group.casefold()].add(entry.host.mac)
    return [replace(entry, related_macs=frozenset(macs[entry.address, entry.group.casefold()])) for entry in found]


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Every row that is not empty: its line, and its cells that are not empty."""
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            _refuse_header(header, path)
            line = reader.line_num + 1
            for row in reader:
                if any(cell.strip() for cell in row):
                    if len(row) > len(header):
                        raise InvalidValue(f"{path}:{line}: {len(row)} cells, but {len(header)} columns")
                    cells = zip(header, (cell.strip() for cell in row), strict=False)
                    yield line, {name: cell for name, cell in cells if cell}
                line = reader.line_num + 1
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{path} is not in UTF-8") from error
    except csv.Error as error:
        raise InvalidValue(f"{path}:{line}: no CSV: {error}") from error


def _refuse_header(header: list[str], path: Path) -> None:
    known = ", ".join(COLUMNS)
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        shown = ", ".join(printable(name, _LONGEST_COLUMN) for name in unknown)
        raise InvalidValue(f"{path}:1: unknown columns: {shown}. There are: {known}")
    if len(set(header)) != len(header):
        raise InvalidValue(f"{path}:1: a column is there twice")
    if "address" not in header:
        raise InvalidValue(f"{path}:1: the first line names the columns, and address is not among them: {known}")


def _entry(cells: Mapping[str, str], origin: str) -> IncomingAddress:
    if "address" not in cells:
        raise InvalidValue("no address")
    name, mac = cells.get("name"), parse_mac(cells["mac"]) if "mac" in cells else None
    uses = _uses(cells["uses"]) if "uses" in cells else frozenset({Use.DHCP if mac else Use.MANUAL})
    host = None
    if Use.DHCP in uses:
        hostname = cells.get("hostname") or name
        if mac is None or hostname is None:
            raise InvalidValue("the use dhcp needs a mac and a name")
        host = DHCPHost(mac, name or hostname, hostname, cells.get("filename"), cells.get("next_server"))
    elif given := [column for column in _ONLY_HOSTS if column in cells]:
        raise InvalidValue(f"{', '.join(given)}: only the use dhcp has that")
    return IncomingAddress(
        parse_address(cells["address"]),
        origin,
        uses,
        cells.get("group", ""),
        parse_network(cells["subnet"]) if "subnet" in cells else None,
        None if host else name,
        None if host else mac,
        cells.get("description"),
        cells.get("note"),
        host,
    )


def _uses(text: str) -> frozenset[Use]:
    words = [word for word in _BETWEEN_USES.split(text.lower()) if word]
    unknown = [word for word in words if word not in list(Use)]
    if unknown or not words:
        raise InvalidValue(f"unknown use {' '.join(unknown)[:40]!r}: there are {', '.join(Use)}")
    return frozenset(map(Use, words))
