"""Many clients at once: processes that start at the same moment, and Foreman's way to send a request."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import select
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")

# Forked clients can run closures, and share what was made before the fork.
FORKING = multiprocessing.get_context("fork")

_ANSWERS_WITHIN = 60
_RETRIES_FOR = 60
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``tries`` counts the connections that it took."""

    status: int
    body: str
    tries: int = 1

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Client:
    """Sends requests, each on a new TCP connection, as Foreman does."""

    def __init__(self, port: int, *, retries: bool = False) -> None:
        """With ``retries`` a request is sent again until somebody answers it."""
        self.port = port
        self.retries = retries

    def get(self, path: str) -> Answer:
        """Send a GET."""
        return self.send("GET", path)

    def post(self, path: str, **form: str) -> Answer:
        """Send a POST with a form."""
        return self.send("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def delete(self, path: str) -> Answer:
        """Send a DELETE."""
        return self.send("DELETE", path)

    def send(self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request and return its answer; raises OSError or HTTPException when there is none."""
        give_up = time.monotonic() + _RETRIES_FOR
        tries = 0
        while True:
            tries += 1
            try:
                return self._once(method, path, body, headers or {}, tries)
            except (OSError, http.client.HTTPException):
                if not self.retries or time.monotonic() > give_up:
                    raise
                select.select([], [], [], _PAUSE)

    def _once(self, method: str, path: str, body: str | None, headers: Mapping[str, str], tries: int) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWERS_WITHIN)
        try:
            connection.request(method, path, body, {"Accept": "application/json", **headers})
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), tries)
        finally:
            connection.close()


class Crowd(Generic[T]):
    """Processes that each run ``work(number)``, all from the same moment on."""

    def __init__(self, size: int, work: Callable[[int], T]) -> None:
        barrier = FORKING.Barrier(size)
        self._members = []
        for number in range(size):
            here, there = FORKING.Pipe(duplex=False)
            process = FORKING.Process(target=_live, args=(number, work, barrier, there), daemon=True)
            process.start()
            there.close()
            self._members.append((process, here))

    def results(self, timeout: float = 300) -> list[T]:
        """What the work returned, by number; raises AssertionError with the traceback of whoever failed."""
        give_up = time.monotonic() + timeout
        found: list[T] = []
        try:
            for process, here in self._members:
                if not here.poll(max(0.0, give_up - time.monotonic())):
                    raise AssertionError(f"A client did not finish within {timeout} s")
                went_well, result = here.recv()
                process.join()
                assert went_well, result
                found.append(result)
        finally:
            for process, here in self._members:
                here.close()
                if process.is_alive():
                    process.kill()
                process.join()
        return found


class Milestones:
    """Counts what the clients have done, so that a test can act in the middle of it."""

    def __init__(self) -> None:
        self._passed = FORKING.Semaphore(0)

    def passed(self) -> None:
        """Say that one more thing is done."""
        self._passed.release()

    def wait_for(self, number: int, timeout: float = 120) -> None:
        """Return when ``number`` more things are done."""
        for count in range(number):
            assert self._passed.acquire(timeout=timeout), f"only {count} of {number} were done in time"


def mac_of(client: int, turn: int) -> str:
    """A MAC that no other client has at no other turn."""
    return f"52:54:{client >> 8:02x}:{client & 255:02x}:{turn >> 8:02x}:{turn & 255:02x}"


def _live(number: int, work: Callable[[int], Any], barrier: Any, there: Connection) -> None:
    try:
        barrier.wait(120)
        there.send((True, work(number)))
    except BaseException:  # noqa: BLE001 - the test tells, in its own process
        there.send((False, traceback.format_exc()))
    finally:
        there.close()
        # Nothing of the test run that was forked along may be torn down here.
        os._exit(0)
