"""A real ``leasehold serve`` on this machine: started, watched, killed and ended by its own process group."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.ports import free_port

LEASEHOLD = str(Path(sys.executable).with_name("leasehold"))

_BOOTED = re.compile(r"Booting worker with pid: (\d+)")
_EXITED = re.compile(r"Worker exiting \(pid: (\d+)\)|Worker \(pid:(\d+)\) ")
_POLL = 0.02
_PATIENCE = 60
"""Seconds. All of it is waited only where something is wrong; a machine may stand still for a while."""


class Service:
    """``leasehold serve`` with a state directory and a port of its own; its output is in ``log_file``."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.port = free_port()
        self.log_file = state_dir / "output.log"
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith("LEASEHOLD_")} | {
            "LEASEHOLD_STATE_DIR": str(state_dir),
            "LEASEHOLD_HTTP_PORT": str(self.port),
            "LEASEHOLD_WORKERS": "2",
            "PYTHONUNBUFFERED": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The pid of the master, which leads the process group."""
        assert self._process is not None, "the service was not started"
        return self._process.pid

    def begin(self) -> None:
        """Start the service and do not wait for it."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [LEASEHOLD, "serve"],
                cwd=self.state_dir,
                env=self.environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self, timeout: float = _PATIENCE) -> None:
        """Start the service and return as soon as something listens on its port."""
        self.begin()
        assert self._process is not None
        for _ in range(int(timeout / _POLL)):
            if self._listens():
                return
            if self._ended_within(_POLL):
                break
        raise AssertionError(f"The service does not listen on {self.port}:\n{self.log()}")

    def wait(self, timeout: float = _PATIENCE) -> int:
        """The exit code of the master, once it has ended."""
        assert self._process is not None
        return self._process.wait(timeout)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the master alone."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the master and all workers at once, as a power cut would."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        # The workers may die a little after the master, and until then one of them may still take a connection.
        for _ in range(int(_PATIENCE / _POLL)):
            if not self._listens():
                return
            select.select([], [], [], _POLL)
        raise AssertionError(f"Somebody still listens on {self.port} after everything was killed")

    def stop(self) -> None:
        """End whatever still runs, at once: a test that wants to see it end politely sends SIGTERM itself."""
        if self._process is not None and self.is_alive():
            self.kill()

    def is_alive(self) -> bool:
        """Whether any process of the service is there, master or worker."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self) -> str:
        """Everything that the service wrote so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def lines(self, *parts: str) -> list[str]:
        """The log lines that hold all of ``parts``; one that is just being written is none yet."""
        return [line for line in self._whole_lines().splitlines() if all(part in line for part in parts)]

    def _whole_lines(self) -> str:
        text = self.log()
        return text[: text.rfind("\n") + 1]

    def wait_for_log(self, pattern: str, *, times: int = 1, timeout: float = _PATIENCE) -> None:
        """Return once ``pattern`` stands in the log at least ``times`` times."""
        assert self._process is not None
        for _ in range(int(timeout / _POLL)):
            if len(re.findall(pattern, self._whole_lines())) >= times:
                return
            self._ended_within(_POLL)
        raise AssertionError(f"{pattern!r} does not stand in the log {times} times:\n{self.log()}")

    def workers(self) -> list[int]:
        """The pids of the worker processes, oldest first, as the log tells."""
        gone = {int(pid) for pair in _EXITED.findall(self.log()) for pid in pair if pid}
        return [int(pid) for pid in _BOOTED.findall(self.log()) if int(pid) not in gone]

    def kill_a_worker(self) -> int:
        """Kill the oldest worker, return its pid and do not wait for its successor."""
        victim = self.workers()[0]
        os.kill(victim, signal.SIGKILL)
        return victim

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another ``leasehold`` command on the same book."""
        return subprocess.run(
            [LEASEHOLD, *arguments],
            cwd=self.state_dir,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=2 * _PATIENCE,
            check=False,
        )

    def listed(self, *arguments: str) -> Any:
        """What a listing command prints as JSON."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def _ended_within(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


@contextmanager
def occupied_port() -> Iterator[int]:
    """A TCP port of 127.0.0.1 on which somebody else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])
