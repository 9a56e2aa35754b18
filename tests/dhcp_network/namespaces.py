"""Network namespaces by name, and what runs in them."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

_Result = TypeVar("_Result")

_SYSTEM_PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
_NET = 0x40000000
"""CLONE_NEWNET of setns(2)."""
_MOUNTED = Path("/run/netns")
_END_SECONDS = 30
_POLL = 0.01


def need_program(name: str, package: str) -> str:
    """The path of a program; skips the test, naming the Debian package, where it is missing."""
    path = shutil.which(name, path=_SYSTEM_PATHS)
    if path is None:
        pytest.skip(f"{name} not found: apt-get install {package}")
    return path


class Running:
    """A program that was started in a namespace; its output goes to ``log_file``."""

    def __init__(self, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self.process = process
        self.log_file = log_file

    @property
    def pid(self) -> int:
        """The pid of the program itself: nothing stands between."""
        return self.process.pid

    def log(self) -> str:
        """Everything it wrote so far."""
        return self.log_file.read_text(errors="replace")

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def wait_for_log(self, pattern: str, *, times: int = 1, seconds: float = 60) -> None:
        """Return once ``pattern`` (a regular expression) stands in the output at least ``times`` times."""
        self.wait_until(lambda: len(re.findall(pattern, self.log())) >= times, f"{pattern!r} in its log", seconds)

    def wait_until(self, condition: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Return once ``condition()`` holds; fails the test when the program ends, or time passes, before."""
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.is_alive() or time.monotonic() > deadline:
                state = "does not come" if self.is_alive() else f"did not come: exit code {self.process.returncode}"
                raise AssertionError(f"{what} {state}\n{self.log()}")
            time.sleep(_POLL)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP lets it hang, SIGCONT lets it go on."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """End it and return its exit code; one that does not end in time is killed."""
        if self.is_alive():
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            return self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it at once, as a power cut would."""
        self.process.kill()
        return self.process.wait(_END_SECONDS)


class Namespace:
    """One network namespace, seen by this process through its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._running: list[Running] = []

    def command(self, *arguments: object) -> list[str]:
        """A command line that runs ``arguments`` inside."""
        return [need_program("ip", "iproute2"), "netns", "exec", self.name, *map(str, arguments)]

    def run(
        self, *arguments: object, seconds: float = 120, check: bool = True, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside to its end."""
        return subprocess.run(
            self.command(*arguments),
            capture_output=True, text=True, timeout=seconds, check=check, env=environ, cwd="/",
        )  # fmt: skip

    def start(self, arguments: Sequence[object], *, log: Path, environ: Mapping[str, str] | None = None) -> Running:
        """Start a program inside that stays in the foreground; it is ended with the network at the latest."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.command(*arguments), stdout=output, stderr=subprocess.STDOUT, env=environ, cwd=log.parent
            )
        running = Running(process, log)
        self._running.append(running)
        return running

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread, and threads that it starts, open their sockets inside for as long as this lasts.

        A socket stays where it was opened, so one that is opened here may be used afterwards.
        """
        with open("/proc/thread-self/ns/net") as before, (_MOUNTED / self.name).open() as inside:
            _enter(inside.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())

    def call(self, function: Callable[[], _Result]) -> _Result:
        """What ``function()`` returns when it is called inside."""
        with self.entered():
            return function()

    def stop_all(self) -> None:
        """End everything that was started inside, the newest first."""
        for running in reversed(self._running):
            running.stop()
        self._running.clear()


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _NET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
