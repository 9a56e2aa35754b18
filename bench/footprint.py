"""How long the service takes to start with a large book, and how much memory its workers take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from bench import load, seeding
from bench.report import Row, Target
from bench.ruby_proxy import LISTING_60K, MEMORY_60K, MEMORY_AT_START, START_60K
from bench.service import Service

_NETWORK = "10.0.0.0/16"
_LISTING = "/dhcp/10.0.0.0"
_AT_ONCE = 4
_LISTINGS = 12
_MEGABYTE = 1_000_000
_MOST_MEMORY = 120 * _MEGABYTE
_LONGEST_START = 1.0


def with_large_book(directory: Path, reservations: int, seconds: float, starts: int) -> Iterator[Row]:
    """Start, listing and memory with many reservations in one subnet."""
    file = directory / "footprint.db"
    with seeding.new_book(file) as book:
        subnet = seeding.add_subnet(book, _NETWORK)
        seeding.fill(book, subnet, seeding.scattered(subnet.network, reservations))
    how = f"{reservations:,} reservations"
    times = []
    for _ in range(starts):
        with Service(file) as service:
            times.append(service.started_in)
    started = median(times)
    yield Row(
        "start until the first answer",
        how,
        f"{started:.2f} s",
        START_60K,
        Target(f"below {_LONGEST_START:.0f} s", met=started < _LONGEST_START),
        {"seconds": started},
    )
    with Service(file) as service:
        at_start = max(service.worker_memory())
        began = time.perf_counter()
        size = len(service.get(_LISTING))
        listing = time.perf_counter() - began
        # At once, so that every worker has some of them.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(service.get, [_LISTING] * _LISTINGS))
        load.run(service.port, load.with_new_macs(f"{_LISTING}/unused_ip"), clients=8, seconds=seconds)
        memory = service.worker_memory()
    listed = f"{listing:.2f} s, {size / _MEGABYTE:.0f} MB"
    yield Row("listing of a subnet", how, listed, LISTING_60K, values={"seconds": listing, "bytes": size})
    before = f"{at_start / _MEGABYTE:.0f} MB"
    yield Row("memory per worker", f"{how}, at the start", before, MEMORY_AT_START, values={"bytes": at_start})
    yield Row(
        "memory per worker",
        f"{how}, after {_LISTINGS + 1} listings and {seconds:.0f} s of unused_ip",
        ", ".join(f"{each / _MEGABYTE:.0f} MB" for each in memory),
        MEMORY_60K,
        Target(f"below {_MOST_MEMORY / _MEGABYTE:.0f} MB", met=max(memory) < _MOST_MEMORY),
        {"bytes": max(memory)},
    )
