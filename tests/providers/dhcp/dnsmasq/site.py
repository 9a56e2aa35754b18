"""A real dnsmasq in a network of its own, run as an init system would: in the background, with a pid file."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from providers.dhcp.dnsmasq.daemon import Daemon
from providers.dhcp.dnsmasq.settings import DnsmasqSchema
from tests.dhcp_network import Network, need_program

FIRST_FREE = "10.9.0."
"""Whoever has no reservation gets an address that begins so."""

_CONFIGURATION = """\
port=0
no-ping
user=root
interface=server0
bind-interfaces
pid-file={pid_file}
log-facility={log}
dhcp-leasefile={leases}
dhcp-hostsfile={hosts_file}
dhcp-optsfile={options_file}
dhcp-range=10.0.1.0,static,255.255.255.240,1h
dhcp-range=10.0.2.0,static,255.255.255.0,1h
dhcp-range=10.9.0.100,10.9.0.200,255.255.255.0,1h
dhcp-option=option:dns-server,10.9.0.53
{more}
"""
_RESTART = """\
#!/bin/sh
pid=$(cat {pid_file} 2>/dev/null) && kill -CONT "$pid" 2>/dev/null && kill "$pid" 2>/dev/null
for _ in $(seq 600); do
    grep -qs '^State:.[^Z]' "/proc/${{pid:-none}}/status" || break
    sleep 0.05
done
echo restarted >>{restarts}
exec {start}
"""


class DnsmasqSite:
    """A context; ``settings`` are those of dhcp_dnsmasq.yml for it. It serves 10.0.1.0/28, 10.0.2.0/24 and others."""

    def __init__(self, directory: Path, *, more: str = "", **settings: object) -> None:
        self.directory = directory
        self.network = Network("10.0.1.14/28")
        self._more = more
        self._changed = settings
        self.pid_file = directory / "dnsmasq.pid"
        self.leases_file = directory / "dnsmasq.leases"
        self.log_file = directory / "dnsmasq.log"
        self.hosts_file = directory / "hosts"
        self.options_file = directory / "options"
        self.configuration = directory / "dnsmasq.conf"
        self.restart_script = directory / "restart"
        self.restarts_file = directory / "restarts"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the provider, as the loader makes them."""
        given = {
            "hosts_file": str(self.hosts_file),
            "options_file": str(self.options_file),
            "leases": str(self.leases_file),
            "pid_file": str(self.pid_file),
            "config": str(self.configuration),
            "restart_command": str(self.restart_script),
            "timeout": 60,
        }
        loaded: Mapping[str, Any] = DnsmasqSchema().load(given | self._changed)
        return loaded

    def __enter__(self) -> DnsmasqSite:
        program = need_program("dnsmasq", "dnsmasq-base")
        self.network.__enter__()
        try:
            for address in ("10.0.2.254/24", "10.9.0.1/24"):
                self.network.server.run("ip", "address", "add", address, "dev", "server0")
            self.configure(self._more)
            start = self.network.server.command(program, f"--conf-file={self.configuration}")
            self.restart_script.write_text(
                _RESTART.format(pid_file=self.pid_file, restarts=self.restarts_file, start=shlex.join(start))
            )
            self.restart_script.chmod(0o755)
            for path in (self.hosts_file, self.options_file):
                path.touch()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.network.__exit__(None, None, None)

    def configure(self, more: str) -> None:
        """Write dnsmasq.conf; ``more`` are further lines."""
        self.configuration.write_text(
            _CONFIGURATION.format(
                pid_file=self.pid_file,
                log=self.log_file,
                leases=self.leases_file,
                hosts_file=self.hosts_file,
                options_file=self.options_file,
                more=more,
            )
        )

    def start(self) -> None:
        """Start it, or restart it."""
        subprocess.run([self.restart_script], check=True, timeout=120, capture_output=True)
        self.restarts_file.unlink()

    @property
    def treats_as_old(self) -> bool:
        """Whether the provider takes it for one before 2.91."""
        return Daemon(self.settings).ends_on_tags

    @property
    def restarts(self) -> int:
        """How often the provider restarted it."""
        return len(self.restarts_file.read_text().splitlines()) if self.restarts_file.exists() else 0

    @property
    def pid(self) -> int | None:
        """Its process, if it is there."""
        with suppress(OSError, ValueError):
            pid = int(self.pid_file.read_text())
            state = Path(f"/proc/{pid}/stat").read_text()
            return pid if state.startswith(f"{pid} (dnsmasq) ") and f"{pid} (dnsmasq) Z" not in state else None
        return None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP lets it hang, SIGCONT lets it go on."""
        pid = self.pid
        assert pid is not None, self.log()
        os.kill(pid, number)

    def stop(self) -> None:
        """End it, and return when it is gone."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 60
        while self.pid == pid:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"dnsmasq did not end\n{self.log()}")
            time.sleep(0.005)

    def log(self) -> str:
        """What it wrote into its log."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def offered(self, mac: str) -> str | None:
        """The address that a DISCOVER of ``mac`` is offered."""
        offer = self.network.discover(mac)
        return None if offer is None else str(offer.yiaddr)
