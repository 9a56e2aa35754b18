"""Reservations that a DHCP server has to be told of: one after the other, several at once, and many by sync."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from bench import load, seeding
from bench.report import Row
from bench.ruby_proxy import NONE, POST_OMAPI
from bench.service import Service

NETWORK = "10.128.0.0/16"
"""What the DHCP server has to be configured for."""

_LEASEHOLD = str(Path(sys.executable).with_name("leasehold"))
_POST = "/dhcp/10.128.0.0"
_AT_ONCE = 8
_PER_CENT = 100


def measured(
    server: str, directory: Path, settings: Mapping[str, str], *, in_a_row: int, by_sync: int, **form: str
) -> Iterator[Row]:
    """The rows for one server, which is there and serves nothing yet.

    ``settings`` are those of the service that make it use the server, by the names of their environment variables
    without LEASEHOLD_; ``form`` is what every reservation has beside MAC, address and name.
    """
    file = directory / "publishing.db"
    with seeding.new_book(file) as book:
        seeding.add_subnet(book, NETWORK)
    with Service(file, **settings) as service:
        began = time.perf_counter()
        times = [_post(service.port, number, form) for number in range(in_a_row)]
        yield _row(
            f"POST /dhcp with {server}", f"{in_a_row:,} in a row", times, time.perf_counter() - began, POST_OMAPI
        )
        began = time.perf_counter()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            times = list(pool.map(lambda number: _post(service.port, number, form), range(in_a_row, 2 * in_a_row)))
        how = f"{in_a_row:,} more by {_AT_ONCE} clients"
        yield _row(f"POST /dhcp with {server}", how, times, time.perf_counter() - began, NONE)
    yield from _by_sync(server, directory / "sync", settings, by_sync, form)


def _by_sync(
    server: str, directory: Path, settings: Mapping[str, str], number: int, form: Mapping[str, str]
) -> Iterator[Row]:
    """Many at once, while the service goes on answering."""
    directory.mkdir()
    file = directory / "publishing.db"
    with seeding.new_book(file) as book:
        subnet = seeding.add_subnet(book, NETWORK)
    with Service(file, **settings) as service:
        quiet = load.run(service.port, load.with_new_macs(f"{_POST}/unused_ip"), clients=1, seconds=1)
        with seeding.new_book(file) as book:
            seeding.fill(book, subnet, seeding.in_a_row(subnet.network, number))
            with book.book.engine.begin() as connection:
                for column, key in (("filename", "filename"), ("next_server", "nextServer")):
                    if key in form:
                        connection.exec_driver_sql(f"UPDATE dhcp_hosts SET {column} = ?", (form[key],))
        took: list[float] = []
        syncing = threading.Thread(target=lambda: took.append(_sync(file, settings)))
        syncing.start()
        busy: list[float] = []
        while syncing.is_alive():
            busy += load.run(service.port, load.with_new_macs(f"{_POST}/unused_ip"), clients=1, seconds=0.5).latencies
        syncing.join()
    how = f"{number:,} reservations"
    yield Row(f"leasehold sync with {server}", how, f"{took[0]:.1f} s", NONE, values={"seconds": took[0]})
    alone = _p99(quiet.latencies)
    figure = f"p99 {_p99(busy) * 1000:.1f} ms, max {max(busy) * 1000:.0f} ms; before p99 {alone * 1000:.1f} ms"
    yield Row("unused_ip meanwhile", how, figure, NONE, values={"p99": _p99(busy), "max": max(busy)})


def _post(port: int, number: int, form: Mapping[str, str]) -> float:
    """Reserve address ``number``; returns how long it took."""
    name = f"host-{number}.example.com"
    given = {
        "mac": f"02:80:00:00:{number >> 8:02x}:{number & 255:02x}",
        "ip": f"10.128.{10 + number // 250}.{1 + number % 250}",
        "name": name,
        "hostname": name,
        **form,
    }
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", _POST, urlencode(given), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{given}: {answer.status} {body[:300]!r}")
    return time.perf_counter() - began


def _sync(file: Path, settings: Mapping[str, str]) -> float:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("LEASEHOLD_")} | {
        "LEASEHOLD_STATE_DIR": str(file.parent),
        "LEASEHOLD_DATABASE": f"sqlite:///{file}",
        **{f"LEASEHOLD_{key.upper()}": str(value) for key, value in settings.items()},
    }
    began = time.perf_counter()
    done = subprocess.run([_LEASEHOLD, "sync", "--force"], env=environ, cwd=file.parent, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"leasehold sync: {done.returncode} {done.stderr[-500:]}")
    return time.perf_counter() - began


def _row(what: str, how: str, times: list[float], took: float, ruby_proxy: str) -> Row:
    figure = f"{len(times) / took:.0f}/s, p50 {median(times) * 1000:.1f} ms, p99 {_p99(times) * 1000:.1f} ms"
    return Row(what, how, figure, ruby_proxy, values={"p50": median(times), "p99": _p99(times), "seconds": took})


def _p99(times: list[float]) -> float:
    return quantiles(times, n=_PER_CENT)[-1]
