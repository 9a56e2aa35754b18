"""The service under test: a real ``leasehold serve`` on a free port, with a book of its own."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_LEASEHOLD = str(Path(sys.executable).with_name("leasehold"))
_BOOTED = re.compile(r"Booting worker with pid: (\d+)")
_STARTS_WITHIN = 60
_POLL = 0.005


class Service:
    """Use it in a ``with`` statement; ``started_in`` is the time in seconds from the command to the first answer."""

    def __init__(self, book_file: Path, **settings: object) -> None:
        """``settings`` are keys of settings.yml."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.started_in = 0.0
        self._log_file = book_file.with_suffix(".log")
        self._environ = {key: value for key, value in os.environ.items() if not key.startswith("LEASEHOLD_")} | {
            "LEASEHOLD_STATE_DIR": str(book_file.parent),
            "LEASEHOLD_DATABASE": f"sqlite:///{book_file}",
            "LEASEHOLD_HTTP_PORT": str(self.port),
            **{f"LEASEHOLD_{key.upper()}": str(value) for key, value in settings.items()},
        }

    def __enter__(self) -> Service:
        started = time.perf_counter()
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [_LEASEHOLD, "serve"],
                cwd=self._log_file.parent,
                env=self._environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - started > _STARTS_WITHIN:
                self.__exit__()
                raise RuntimeError(f"The service did not start:\n{self._log_file.read_text()}")
            time.sleep(_POLL)
        self.started_in = time.perf_counter() - started
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def get(self, path: str) -> bytes:
        """The body of the answer to a GET; raises RuntimeError unless the status is 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {body[:200]!r}")
        return body

    def worker_memory(self) -> list[int]:
        """The resident memory of each worker in bytes, the largest first."""
        return sorted(map(_resident, map(int, _BOOTED.findall(self._log_file.read_text()))), reverse=True)

    def _answers(self) -> bool:
        try:
            return bool(self.get("/version"))
        except (OSError, http.client.HTTPException):
            return False


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
        return int(shown.stdout) * 1024
