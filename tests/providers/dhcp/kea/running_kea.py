"""A kea-dhcp4 of a test's own, with all of its files in one directory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from providers.dhcp.kea.control import Control, Result
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import Unavailable

_HOOKS = ("/usr/lib", "/usr/local/lib")
_DEADLINE = 60.0


def need_kea() -> str:
    """The path of kea-dhcp4; skips where there is none."""
    path = shutil.which("kea-dhcp4", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip("kea-dhcp4 not found: apt-get install kea-dhcp4-server")
    return path


def hook(name: str) -> str:
    """The path of a hook library; skips where there is none."""
    for directory in _HOOKS:
        for path in Path(directory).rglob(f"kea/hooks/{name}"):
            return str(path)
    pytest.skip(f"{name} not found: apt-get install kea-dhcp4-server")


class Kea:
    """One kea-dhcp4 with its configuration, files and lease file below ``directory``."""

    def __init__(self, directory: Path, *, interfaces: Iterable[str] = (), lease_commands: bool = True) -> None:
        self.directory = directory
        self.includes = directory / "include"
        self.includes.mkdir(exist_ok=True)
        self.includes.chmod(0o755)
        run = directory / "run"
        run.mkdir(exist_ok=True)
        # Kea 3.0 makes no socket where everybody may look.
        run.chmod(0o750)
        self.socket = run / "ctrl"
        self.lease_file = directory / "leases.csv"
        self.log = directory / "kea.log"
        self.interfaces = list(interfaces)
        self.subnets: list[dict[str, Any]] = []
        self.more: dict[str, Any] = {}
        self.hooks = [{"library": self.hook("libdhcp_lease_cmds.so")}] if lease_commands else []
        self.text: str | None = None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """Those of a provider on this Kea."""
        return KeaSchema().load({"control": str(self.socket), "include_directory": str(self.includes), "timeout": 30})

    @property
    def configuration(self) -> Path:
        """Kea's configuration file."""
        return self.directory / "kea.conf"

    def program(self) -> list[str]:
        """What starts it; skips where there is none."""
        return [need_kea()]

    def hook(self, name: str) -> str:
        """The path of a hook library; skips where there is none."""
        return hook(name)

    def environ(self) -> dict[str, str]:
        """Where it keeps what its configuration does not say."""
        return {**os.environ, "KEA_PIDFILE_DIR": str(self.directory), "KEA_LOCKFILE_DIR": str(self.directory)}

    def add_subnet(self, number: int, cidr: str, **more: Any) -> None:
        """Have a subnet whose reservations are in our file, before Kea starts."""
        path = self.includes / f"{cidr.replace('/', '-')}.json"
        path.write_text("[]\n")
        self.subnets.append({"id": number, "subnet": cidr, **more})

    def write(self) -> None:
        """Write the configuration file: ``text`` where that is set."""
        if self.text is not None:
            self.configuration.write_text(self.text)
            return
        dhcp4 = {
            "interfaces-config": {"interfaces": self.interfaces, "dhcp-socket-type": "raw"},
            **self.control_sockets(),
            "lease-database": {"type": "memfile", "name": str(self.lease_file), "lfc-interval": 0},
            "ip-reservations-unique": False,
            "hooks-libraries": self.hooks,
            "loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "INFO"}],
            **self.more,
        }
        text = json.dumps({"Dhcp4": {**dhcp4, "subnet4": "SUBNETS"}}, indent=1)
        self.configuration.write_text(text.replace('"SUBNETS"', f"[{', '.join(map(self._subnet, self.subnets))}]"))

    def start(self, command: Iterable[str] = ()) -> None:
        """Start it, in the foreground of nobody, and wait until it takes commands; ``command`` goes before it."""
        self.write()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *self.program(), "-c", str(self.configuration)],
                stdout=output, stderr=output, env=self.environ(),
            )  # fmt: skip
        control = Control(self.settings)
        deadline = time.monotonic() + _DEADLINE
        while True:
            try:
                control.command("version-get")
            except Unavailable:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise AssertionError(self.log.read_text()) from None
                time.sleep(0.01)
            else:
                return

    def control_sockets(self) -> dict[str, Any]:
        """Where it takes commands, as its configuration says that."""
        return {"control-socket": {"socket-type": "unix", "socket-name": str(self.socket)}}

    def command(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """What it answers to a command."""
        return Control(self.settings).command(name, arguments, bear=(Result.EMPTY,)).arguments

    def version(self) -> str:
        """Which it is."""
        return Control(self.settings).command("version-get").text.splitlines()[0]

    def served(self, cidr: str) -> dict[str, str]:
        """The reservations that it has in a subnet: MAC to address."""
        (found,) = [each for each in self.command("config-get")["Dhcp4"]["subnet4"] if each["subnet"] == cidr]
        return {each["hw-address"]: each["ip-address"] for each in found["reservations"]}

    def stop(self) -> None:
        """End it, also when it hangs."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        self.process = None
        self.socket.unlink(missing_ok=True)

    def hang(self) -> None:
        """Let it answer nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _subnet(self, subnet: Mapping[str, Any]) -> str:
        path = self.includes / f"{subnet['subnet'].replace('/', '-')}.json"
        return json.dumps(subnet)[:-1] + f', "reservations": <?include "{path}"?>}}'


@contextmanager
def kea_directory() -> Iterator[Path]:
    """A directory with a short name, because that of a Unix socket has 107 octets at most."""
    directory = Path(tempfile.mkdtemp(prefix="kea-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
