"""The last log records of all worker processes, in memory that they share.

Memory of fixed size is mapped before the workers are forked. A record has a slot of its own with a number that only
grows and a checksum over all of it. Writers take turns by a lock that the kernel takes from a process that dies,
readers need none: what was overwritten under their eyes, or left half written by a killed process, fails its checksum
and is passed over.
"""

from __future__ import annotations

import fcntl
import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import mmap
from struct import Struct
from zlib import crc32

SLOT = 2048
"""Bytes of a slot: a record that is longer loses the end of its backtrace, then of its message."""

_COUNTERS = 64
_CHECKSUM = Struct("<I")
_HEAD = Struct("<HQdB")  # length of the body, number, time, level
_BODY = _CHECKSUM.size + _HEAD.size
_MARK = "..."
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it was kept: ``body`` is a JSON object, ``timestamp`` seconds since 1970."""

    number: int
    timestamp: float
    level: int
    body: bytes


class Ring:
    """The last ``size`` records, and beyond those the last ``errors_size`` errors.

    To be made before the processes are that share it. Within a process one thread writes at a time, which the lock of
    a log handler sees to.
    """

    def __init__(self, size: int, errors_size: int) -> None:
        self.size = size
        self.errors_size = errors_size
        self._memory = mmap(-1, _COUNTERS + (size + errors_size) * SLOT)
        # How many records there were, and how many of them went on to the errors. Eight bytes are written at once.
        self._counts = memoryview(self._memory)[:_COUNTERS].cast("Q")
        # A lock of this kind belongs to a process, also on a file that was open before the fork.
        self._lock = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the ring

    def add(self, timestamp: float, level: int, record: dict[str, object]) -> None:
        """Keep ``record``, which holds ``message`` and perhaps ``backtrace``; an error that falls out goes on."""
        body = _fitting(record)
        with self._turn():
            number = self._counts[0] + 1
            offset = self._main(number)
            old = self._read(offset)
            if old is not None and old.number == number:
                # Whoever wrote that was killed before it was counted.
                self._counts[0] = number
                number += 1
                offset = self._main(number)
                old = self._read(offset)
            if old is not None and old.level >= logging.ERROR and self.errors_size:
                # Killed after this line, the next writer does it again; readers go by the number of the record.
                self._write(self._tail(self._counts[1] + 1), old)
                self._counts[1] += 1
            self._write(offset, Kept(number, timestamp, level, body))
            self._counts[0] = number

    def records(self, since: float = 0) -> list[Kept]:
        """Those of ``since`` (seconds since 1970) and later, the oldest first."""
        # A record that moves on to the errors meanwhile is there before it leaves its place here.
        found = {kept.number: kept for offset in self._offsets() if (kept := self._read(offset)) is not None}
        return [found[number] for number in sorted(found) if found[number].timestamp >= since]

    def take_over(self, other: Ring) -> None:
        """Begin with what is in ``other``."""
        for kept in other.records():
            self.add(kept.timestamp, kept.level, json.loads(kept.body))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def _main(self, number: int) -> int:
        return _COUNTERS + (number - 1) % self.size * SLOT

    def _tail(self, number: int) -> int:
        return _COUNTERS + (self.size + (number - 1) % self.errors_size) * SLOT

    def _offsets(self) -> Iterator[int]:
        """The slots that were ever written to, also the one that somebody is at; the others need no memory yet."""
        yield from (self._main(number) for number in range(1, min(self._counts[0] + 1, self.size) + 1))
        yield from (self._tail(number) for number in range(1, min(self._counts[1] + 1, self.errors_size) + 1))

    def _read(self, offset: int) -> Kept | None:
        """What is in a slot, if it is whole."""
        memory = self._memory
        (checksum,) = _CHECKSUM.unpack_from(memory, offset)
        start, end = offset + _CHECKSUM.size, offset + _BODY
        head = memory[start:end]
        length, number, timestamp, level = _HEAD.unpack(head)
        body = memory[end : min(end + length, offset + SLOT)]
        if not number or crc32(body, crc32(head)) != checksum:
            return None
        return Kept(number, timestamp, level, body)

    def _write(self, offset: int, kept: Kept) -> None:
        head = _HEAD.pack(len(kept.body), kept.number, kept.timestamp, kept.level)
        written = _CHECKSUM.pack(crc32(kept.body, crc32(head))) + head + kept.body
        self._memory[offset : offset + len(written)] = written


def _fitting(record: dict[str, object]) -> bytes:
    """The record as JSON that has room in a slot."""
    body = _json(record)
    for name in ("backtrace", "message"):
        while (excess := len(body) - (SLOT - _BODY)) > 0:
            # A character may be as many as six bytes.
            text = str(record.get(name) or "").removesuffix(_MARK)
            if not text:
                break
            text = text[: max(0, len(text) - len(_MARK) - excess // 6 - 1)]
            record = record | {name: f"{text}{_MARK}" if text else ""}
            body = _json(record)
    return body


def _json(value: object) -> bytes:
    return _encode(value).encode(errors="replace")
