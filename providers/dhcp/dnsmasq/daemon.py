"""The running dnsmasq: whether it is there, which version, and how it comes to read its files again."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from providers.dhcp.dnsmasq.reading import Reading, reading
from providers.dhcp.dnsmasq.settings import NO_FILE
from providers.errors import Unavailable, Unreached

SAFE_SINCE = (2, 91)
"""Before it, dnsmasq ends itself on SIGHUP when a packet has matched a host with a tag from the hosts file.

Measured with 2.90; mended by its commit f006be7 of October 2024.
"""

_VERSION = re.compile(r"Dnsmasq version ([0-9]+)\.([0-9]+)")
_LOOK_SECONDS = 0.2
_LONGEST_TOLD = 300
_LONGEST_NAME = 15
"""Linux cuts the names of processes off there."""
_STAT = re.compile(r"[0-9]+ \((.*)\) (\S)", re.DOTALL)


class Daemon:
    """One dnsmasq. ``settings`` are those of dhcp_dnsmasq.yml."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._pid_file = None if settings["pid_file"] == NO_FILE else Path(settings["pid_file"])
        self._reload = _words(settings["reload_command"])
        self._restart = _words(settings["restart_command"])
        self._program = settings["program"]
        self._told_version = settings["version"]
        self._seconds = float(settings["timeout"])
        self._version: tuple[tuple[int, int] | None, float] = (None, 0.0)

    @property
    def can_restart(self) -> bool:
        """Whether there is a command for it."""
        return self._restart is not None

    def version(self) -> tuple[int, int] | None:
        """As configured, else as the program says, which is asked once a minute; None when nobody knows."""
        if self._told_version is not None:
            major, minor = str(self._told_version).split(".")
            return int(major), int(minor)
        found, until = self._version
        if time.monotonic() >= until:
            found = self._ask_version()
            self._version = (found, time.monotonic() + 60)
        return found

    @property
    def ends_on_tags(self) -> bool:
        """Whether reading tagged hosts again may end it; so it is when the version is not known."""
        version = self.version()
        return version is None or version < SAFE_SINCE

    def is_there(self) -> bool | None:
        """Whether it runs; None when there is no pid file to see it by."""
        return None if self._pid_file is None else self._pid() is not None

    def read_again(self, paths: Sequence[Path], *, restart: bool) -> None:
        """Return once dnsmasq has read all of ``paths``, which it was told to, or was restarted for.

        Raises Unavailable when it is not there, ends itself, or does not read them in time. One that does not run is
        not started: somebody may have stopped it on purpose.
        """
        if self.is_there() is False:
            raise Unreached(f"dnsmasq does not run: {self._pid_file} names no process of it; start it")
        with reading(paths) as watch:
            if restart:
                self._run(self._restart, "restart")
                self._wait(watch, lambda: True)
            elif self._reload is not None:
                self._run(self._reload, "reload")
                self._wait(watch, lambda: self.is_there() is not False)
            else:
                self._hang_up()
                self._wait(watch, lambda: self.is_there() is not False)

    def _wait(self, watch: Reading, lives: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._seconds
        while not watch.wait(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic()))):
            if not lives():
                self._revive(watch)
                return
            if time.monotonic() >= deadline:
                names = " and ".join(sorted(map(str, watch.unread)))
                raise Unavailable(
                    f"dnsmasq did not read {names} within {self._seconds:g} s: it hangs, may not read it, or its "
                    "configuration has no dhcp-hostsfile and dhcp-optsfile of those names"
                )
        if not lives():
            self._revive(None)

    def _revive(self, watch: Reading | None) -> None:
        """After dnsmasq ended when it was told to read again."""
        advice = "use dnsmasq 2.91 or later, or set :version: to the one that runs and :restart_command:"
        if self._restart is None:
            raise Unavailable(f"dnsmasq ended when it was told to read its files again: {advice}")
        self._run(self._restart, "restart")
        if watch is not None and not watch.wait(self._seconds):
            raise Unavailable(f"dnsmasq ended when it was told to read its files again: {advice}")

    def _pid(self) -> int | None:
        if self._pid_file is None:
            return None
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise Unavailable(f"{self._pid_file} cannot be read: {error.strerror}") from error
        return pid if pid > 1 and self._is_dnsmasq(pid) else None

    def _hang_up(self) -> None:
        pid = self._pid()
        if pid is None:
            raise Unavailable("dnsmasq cannot be sent SIGHUP: set :pid_file: or :reload_command:")
        try:
            os.kill(pid, signal.SIGHUP)
        except ProcessLookupError as error:
            raise Unreached("dnsmasq does not run: start it") from error
        except PermissionError as error:
            raise Unavailable(
                f"Process {pid}, dnsmasq, belongs to another user and cannot be sent SIGHUP: set :reload_command:"
            ) from error

    def _is_dnsmasq(self, pid: int) -> bool:
        """Whether the process is there and has the name: after a crash its number may be somebody else's."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        name = _name_of(pid)
        return name is None or name == Path(self._program).name[:_LONGEST_NAME]

    def _ask_version(self) -> tuple[int, int] | None:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own setting
                [self._program, "--version"], capture_output=True, text=True, timeout=self._seconds, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return None
        match = _VERSION.search(done.stdout)
        return (int(match[1]), int(match[2])) if match else None

    def _run(self, command: Sequence[str] | None, what: str) -> None:
        if command is None:
            raise Unavailable(f"dnsmasq has to be restarted, and no :{what}_command: says how")
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own setting
                command,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                timeout=self._seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"The :{what}_command: of dnsmasq did not end within {self._seconds:g} s") from error
        except OSError as error:
            raise Unavailable(f"The :{what}_command: of dnsmasq cannot be run: {error.strerror}") from error
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())[-_LONGEST_TOLD:]
            raise Unavailable(f"The :{what}_command: of dnsmasq failed with exit code {done.returncode}: {said}")


def _name_of(pid: int) -> str | None:
    """The name of a process, empty for one that ended and waits for its parent; None when it may not be seen."""
    try:
        match = _STAT.match(Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        match = None
    if match is not None:
        return "" if match[2] == "Z" else match[1]
    try:
        done = subprocess.run(  # noqa: S603 - a number
            ["ps", "-o", "comm=", "-p", str(pid)],  # noqa: S607 - wherever the system has it
            capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(done.stdout.strip()).name or None


def _words(command: str | None) -> Sequence[str] | None:
    return None if command is None else shlex.split(command)
