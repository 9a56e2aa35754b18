"""Run the benchmarks: ``python -m bench [--quick] [PART ...]``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from bench import allocation, footprint, hooks, phpipam, report, searching, throughput
from bench.report import Row


@dataclass(frozen=True, slots=True)
class _Extent:
    """How long and how large: times in seconds."""

    round: float
    rounds: int
    rate: float
    many: int
    samples: int
    reservations: int
    load: float
    starts: int
    searched: int
    hooks: int
    upstream: int
    published: int
    synced: int


_FULL = _Extent(
    round=1.5, rounds=3, rate=3, many=1_000_000, samples=300, reservations=60_000, load=5, starts=5,
    searched=200_000, hooks=25, upstream=200, published=1_000, synced=20_000,
)  # fmt: skip
_QUICK = _Extent(
    round=0.5, rounds=2, rate=1, many=50_000, samples=60, reservations=60_000, load=1, starts=2,
    searched=20_000, hooks=7, upstream=40, published=100, synced=2_000,
)  # fmt: skip


_Part = Callable[[Path, _Extent], Iterator[Row]]


def _http(directory: Path, extent: _Extent) -> Iterator[Row]:
    yield from throughput.through_http(directory, extent.round, extent.rounds)


def _book(directory: Path, extent: _Extent) -> Iterator[Row]:
    yield allocation.rate(directory, extent.rate)


def _size(directory: Path, extent: _Extent) -> Iterator[Row]:
    yield from allocation.by_size(directory, extent.many, extent.samples)


def _memory(directory: Path, extent: _Extent) -> Iterator[Row]:
    yield from footprint.with_large_book(directory, extent.reservations, extent.load, extent.starts)


def _search(directory: Path, extent: _Extent) -> Iterator[Row]:
    yield from searching.pages(directory, extent.searched)


def _hooks(directory: Path, extent: _Extent) -> Iterator[Row]:
    yield from hooks.beside_curl(directory, extent.hooks)


def _phpipam(directory: Path, extent: _Extent) -> Iterator[Row]:
    yield from phpipam.through_phpipam(directory, extent.upstream)


def _server(name: str) -> _Part:
    def part(directory: Path, extent: _Extent) -> Iterator[Row]:
        # Its module stands on the tests, which need more than the service does.
        module = import_module(f"bench.{name}")
        yield from module.publishing(directory, extent.published, extent.synced)

    return part


_PARTS: dict[str, _Part] = {
    "http": _http, "book": _book, "size": _size, "search": _search, "memory": _memory, "phpipam": _phpipam,
    "hooks": _hooks,
}  # fmt: skip
_SERVERS: dict[str, _Part] = {name: _server(name) for name in ("kea", "dnsmasq", "dhcpd")}
"""These need root and the DHCP server that they are called after, so they run only when they are asked for."""


def main() -> int:
    """Measure, print and write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Leasehold on this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(_PARTS | _SERVERS)}")
    parser.add_argument("--quick", action="store_true", help="shorter rounds and smaller books")
    parser.add_argument("--directory", type=Path, help="where the books are made; on the disk that you want measured")
    asked = parser.parse_args()
    # As Ctrl-C does: services and books that are there go first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended"))
    known = _PARTS | _SERVERS
    unknown = set(asked.parts) - set(known)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    where = report.circumstances()
    print(report.heading(where), flush=True)
    began = time.monotonic()
    rows: list[Row] = []
    for name, part in known.items():
        if name not in (asked.parts or _PARTS):
            continue
        with tempfile.TemporaryDirectory(prefix="leasehold-bench-", dir=asked.directory) as directory:
            for row in part(Path(directory), _QUICK if asked.quick else _FULL):
                print(f"  {row.what}, {row.how}: {row.figure}", flush=True)
                rows.append(row)
    print(f"\n{report.table(rows)}\n")
    for path in report.write(rows, where):
        print(f"Written: {path}")
    print(f"Took {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
