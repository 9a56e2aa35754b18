"""Which of our fields is which of phpIPAM's, how long they may be there, and our mark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netaddr import IPAddress

from providers.address_book.texts import LONGEST_NAME, LONGEST_NOTE
from providers.ipam.contract import Record
from providers.model import Use

LIMITS = {"hostname": 255, "description": 64, "owner": 128, "note": 4000, "port": 32}
"""Characters. A longer text is a 500 there (in MariaDB without strict mode it would be cut silently)."""

TEXTS = ("name", "description", "note", "owner", "node", "emulator")
"""Our fields that are text over there."""

OF_THE_RUBY_PROXY = "Address auto added by Foreman"
"""The description by which the Ruby proxy's rows are known."""

OFFLINE = 1
"""The tag "Offline", which every phpIPAM has."""

_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
_IN_NOTE = re.compile(r"\s*\[leasehold ([0-9a-f]{8})\]")


class Fields:
    """Turns records into rows and rows into records."""

    def __init__(self, mark: str, columns: Mapping[str, str], *, mark_column: str, tag: int, mac: bool = True) -> None:
        """``columns`` says where each of TEXTS goes over there; what is missing goes nowhere."""
        self._mark = mark
        self._columns = columns
        self._mark_column = mark_column
        self._tag = tag
        self._with_mac = mac

    def new_row(self, record: Record) -> dict[str, Any]:
        """The body of a row to be made, without its place."""
        row: dict[str, Any] = {column: text for column, text in self._texts(record).items() if text}
        mac = self._mac(record)
        if mac:
            row["mac"] = mac
        row["tag"] = OFFLINE if record.online is False else self._tag
        row[self._mark_column] = self._marked(row.get("note"))
        return row

    def changes(self, record: Record, row: Mapping[str, Any], *, ours: bool = True) -> dict[str, Any]:
        """What of ``row`` has to change to be ``record``; empty when nothing has to.

        What the record leaves open stays, and what is empty in it is cleared. A row that does not become ``ours`` gets
        only a name, if it has none.
        """
        tag = _whole(row.get("tag"), self._tag)
        if not ours:
            column = self._columns.get("name", "")
            name = self._texts(record).get(column)
            # Without it phpIPAM sets the tag to 2, whatever it was.
            return {column: name, "tag": tag} if name and not _text(row.get(column)) else {}
        wanted: dict[str, Any] = {column: text for column, text in self._texts(record).items() if text is not None}
        mac = self._mac(record)
        if mac is not None:
            wanted["mac"] = mac
        text = wanted.get("note", _without_mark(_text(row.get("note"))))
        wanted[self._mark_column] = self._marked(text if isinstance(text, str) else None)
        changed = {column: value for column, value in wanted.items() if (_text(row.get(column)) or "") != value}
        wished = tag if record.online is None else self._tag if record.online else OFFLINE
        if not changed and wished == tag:
            return {}
        return changed | {"tag": wished}

    def record(self, row: Mapping[str, Any], address: IPAddress) -> Record:
        """What a row says."""
        told: dict[str, str | None] = dict.fromkeys(TEXTS)
        for ours, column in self._columns.items():
            text = _text(row.get(column))
            told[ours] = _without_mark(text) if column == "note" else text
        mac = (_text(row.get("mac")) or "").lower()
        ruby = _text(row.get("description")) == OF_THE_RUBY_PROXY and not self.is_ours(row)
        if ruby and self._columns.get("description") == "description":
            told["description"] = None
        return Record(
            address,
            name=_fit(told["name"], LONGEST_NAME),
            mac=mac if _MAC.fullmatch(mac) else None,
            description=_fit(told["description"], LONGEST_NAME),
            note=_fit(told["note"], LONGEST_NOTE),
            ours=self.is_ours(row),
            owner=told["owner"],
            node=told["node"],
            emulator=told["emulator"],
            counts_as=Use.IPAM if ruby else Use.UPSTREAM,
        )

    def is_ours(self, row: Mapping[str, Any]) -> bool:
        """Whether the row bears the mark of this book."""
        text = _text(row.get(self._mark_column)) or ""
        if self._mark_column != "note":
            return text == self._label
        return any(each == self._mark for each in _IN_NOTE.findall(text))

    def kept(self, record: Record) -> Record:
        """``record`` as it is read back after it was written."""
        return self.record(self.new_row(record), record.address)

    @property
    def _label(self) -> str:
        return f"leasehold {self._mark}"

    def _marked(self, note: str | None) -> str:
        if self._mark_column != "note":
            return self._label
        return f"{note} [{self._label}]" if note else f"[{self._label}]"

    def _texts(self, record: Record) -> dict[str, str | None]:
        texts: dict[str, str | None] = {}
        for ours in TEXTS:
            column, text = self._columns.get(ours), getattr(record, ours)
            if column is not None:
                texts[column] = None if text is None else _cut(_clean(text), LIMITS.get(column))
        return texts

    def _mac(self, record: Record) -> str | None:
        """Only Ethernet's: phpIPAM refuses longer ones, and an older one would be wrong."""
        if not self._with_mac or record.mac is None:
            return None
        return record.mac if _MAC.fullmatch(record.mac) else ""


def _clean(text: str) -> str:
    """phpIPAM takes what follows a "<" for HTML and drops it, with everything behind it."""
    return text.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}").replace(
        ">", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
    )


def _cut(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def _fit(text: str | None, most: int) -> str | None:
    """Text of others as the book can keep it: printable and not too long."""
    if text is None:
        return None
    shown = "".join(char if char.isprintable() else " " for char in text).strip()
    return shown.encode()[:most].decode(errors="ignore").strip() or None


def _text(value: object) -> str | None:
    """A field of a row as text; empty is none, and a number is its digits."""
    return str(value) if isinstance(value, str | int | float) and str(value) != "" else None


def _without_mark(note: str | None) -> str | None:
    return (_IN_NOTE.sub("", note) or None) if note else None


def _whole(value: object, otherwise: int) -> int:
    text = _text(value)
    return int(text) if text is not None and text.isascii() and text.isdigit() else otherwise
