"""Kea's lease file (memfile), followed as it grows, and read anew when it was rewritten.

Kea Administrator Reference Manual, "Memfile - Basic Storage for Leases": each change is a line of comma-separated
values at the end of the file, the last one for an address counts. The lease file cleanup renames the file to NAME.1,
so that Kea begins a new one, merges NAME.2 and NAME.1 into NAME.output, calls that NAME.completed when it is whole,
and then NAME.2. A comma inside a value is ``&#x2c``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from netaddr import AddrFormatError, IPAddress

from providers.dhcp.kea.lease_table import LeaseTable, Row
from providers.errors import Unavailable

_NEEDED = ("address", "hwaddr", "client_id", "valid_lifetime", "expire", "hostname", "state")
_ROUNDS = 5

Seen = tuple[tuple[str, int, int], ...]
"""Name, device and inode of the files that there are."""


class LeaseFile:
    """One lease file with what the cleanup leaves beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._table = LeaseTable()
        self._seen: Seen | None = None
        self._columns: tuple[str, ...] = ()
        self._offset = 0

    def refresh(self) -> LeaseTable:
        """Read what is new; returns the table. Raises Unavailable when the file cannot be read."""
        try:
            seen = self._present()
            size = self._path.stat().st_size if self._path.exists() else 0
            if seen != self._seen or size < self._offset:
                self._read_all()
            elif size > self._offset:
                self._follow(self._table)
        except OSError as error:
            raise Unavailable(f"Kea's lease file {self._path} cannot be read: {error.strerror}") from error
        return self._table

    def _read_all(self) -> None:
        for _ in range(_ROUNDS):
            seen = self._present()
            table = LeaseTable()
            for path in self._older():
                for row in _rows(path.read_bytes(), ())[0]:
                    table.put(row)
            self._offset, self._columns = 0, ()
            if self._path.exists():
                self._follow(table)
            # The cleanup may have moved files while they were read.
            if self._present() == seen:
                break
        self._table, self._seen = table, seen

    def _follow(self, table: LeaseTable) -> None:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        # A line without its end is still being written.
        whole = text[: text.rfind(b"\n") + 1]
        rows, self._columns = _rows(whole, self._columns)
        for row in rows:
            table.put(row)
        self._offset += len(whole)

    def _older(self) -> list[Path]:
        completed = self._beside("completed")
        if completed.exists():
            return [completed]
        return [path for path in (self._beside("2"), self._beside("1")) if path.exists()]

    def _present(self) -> Seen:
        return tuple(_identities([self._beside("completed"), self._beside("2"), self._beside("1"), self._path]))

    def _beside(self, end: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{end}")


def _identities(paths: list[Path]) -> Iterator[tuple[str, int, int]]:
    for path in paths:
        try:
            found = os.stat(path)
        except FileNotFoundError:
            continue
        yield path.name, found.st_dev, found.st_ino


def _rows(text: bytes, columns: tuple[str, ...]) -> tuple[list[Row], tuple[str, ...]]:
    """The rows of whole lines, of which the first is the head unless ``columns`` are known; and the columns."""
    rows = []
    for line in text.decode(errors="replace").split("\n"):
        values = line.split(",")
        if values[0] == "address":
            columns = tuple(values)
        elif len(values) >= len(_NEEDED) and set(_NEEDED) <= set(columns):
            row = _row(dict(zip(columns, values, strict=False)))
            if row is not None:
                rows.append(row)
    return rows, columns


def _row(values: dict[str, str]) -> Row | None:
    try:
        return Row(
            address=int(IPAddress(values["address"], 4)),
            mac=values["hwaddr"].lower(),
            ends=int(values["expire"]),
            lifetime=int(values["valid_lifetime"]),
            state=int(values["state"] or 0),
            hostname=values["hostname"].replace("&#x2c", ","),
            client_id=values["client_id"],
        )
    except (KeyError, ValueError, AddrFormatError):
        return None
