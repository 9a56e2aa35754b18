"""Clients that cost little themselves: processes with plain sockets and prepared requests."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import socket
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

_FORKING = multiprocessing.get_context("fork")

# The headers of Foreman's client, see tests/recorded/foreman. It says nothing about keeping the connection, and closes
# it when it has the answer.
_HEADERS = (
    b" HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
    b"User-Agent: rest-client/2.1.0 (linux-gnu x86_64) ruby/3.1.2p20\r\n"
    b"X-Request-Id: 52435fdd-481e-4989-83e2-a293e769efb4\r\nX-Session-Id: 8c4a17ff-e11a-41de-80f4-b5b28705ed37\r\n"
    b"Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\r\n\r\n"
)
_LONGEST_WAIT = 60

Requests = Callable[[int], Iterator[bytes]]
"""Given the number of a client, its requests."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one crowd saw: answers per second, and how long each took, in seconds."""

    per_second: float
    latencies: list[float]


def always(path: str) -> Requests:
    """The same GET again and again."""
    request = b"GET " + path.encode() + _HEADERS

    def requests(_client: int) -> Iterator[bytes]:
        while True:
            yield request

    return requests


def with_new_macs(path: str) -> Requests:
    """A GET of ``path`` for another MAC each time, which no other client and no other round asks for."""
    start = b"GET " + path.encode() + b"?mac="

    def requests(client: int) -> Iterator[bytes]:
        run = secrets.token_hex(2)
        prefix = f"52:{run[:2]}:{run[2:]}:{client:02x}"
        for number in count():
            yield start + f"{prefix}:{number >> 8 & 255:02x}:{number & 255:02x}".encode() + _HEADERS

    return requests


def run(port: int, requests: Requests, *, clients: int, seconds: float, keep_alive: bool = False) -> Round:
    """Let ``clients`` processes send requests for a while, each its next as soon as it has the answer to the last.

    Raises RuntimeError when an answer is not a 200.
    """
    barrier = _FORKING.Barrier(clients)
    members: list[tuple[multiprocessing.context.ForkProcess, Connection]] = []
    for number in range(clients):
        here, there = _FORKING.Pipe(duplex=False)
        arguments = (port, requests(number), seconds, keep_alive, barrier, there)
        process = _FORKING.Process(target=_live, args=arguments, daemon=True)
        process.start()
        there.close()
        members.append((process, here))
    latencies: list[float] = []
    per_second = 0.0
    for process, here in members:
        failure, took, found = here.recv()
        process.join()
        here.close()
        if failure:
            raise RuntimeError(failure)
        latencies.extend(found)
        per_second += len(found) / took
    return Round(per_second, latencies)


def _live(
    port: int, requests: Iterator[bytes], seconds: float, keep_alive: bool, barrier: Barrier, there: Connection
) -> None:
    failure, took, latencies = "", 0.0, array("d")
    try:
        barrier.wait(60)
        began = time.perf_counter()
        _ask(port, requests, began + seconds, keep_alive, latencies)
        took = time.perf_counter() - began
    except (OSError, RuntimeError) as error:
        failure = f"{type(error).__name__}: {error}"
    there.send((failure, took, latencies))
    there.close()
    os._exit(0)


def _ask(port: int, requests: Iterator[bytes], until: float, keep_alive: bool, latencies: array[float]) -> None:
    connection: socket.socket | None = None
    now = time.perf_counter()
    while now < until:
        request = next(requests)
        began = time.perf_counter()
        if connection is None:
            connection = socket.create_connection(("127.0.0.1", port), _LONGEST_WAIT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        answer = _answer(connection)
        now = time.perf_counter()
        latencies.append(now - began)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{request[:80]!r}: {answer[:300]!r}")
        if not keep_alive:
            connection.close()
            connection = None
    if connection is not None:
        connection.close()


def _answer(connection: socket.socket) -> bytes:
    """One whole answer, as its Content-Length says."""
    answer = b""
    while True:
        part = connection.recv(65536)
        if not part:
            raise RuntimeError(f"The service closed the connection after {answer[:300]!r}")
        answer += part
        head, blank, body = answer.partition(b"\r\n\r\n")
        if blank and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0):
            return answer
