"""A host of guests with made-up tools first in PATH, on which the installed command is run as its tools run it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from hooks.service import Call
from hooks.service import Service as Asking
from hooks.settings import Settings
from tests.hooks.cbsd.node import PATH, _toml

HOOK = str(Path(sys.executable).with_name("leasehold-hook"))


class Host:
    """A host with its own settings, spool and tools; ``url`` is that of the service."""

    def __init__(self, place: Path, url: str, **settings: Any) -> None:
        place.mkdir(exist_ok=True)
        self.place = place
        self.url = url
        self.tools = place / "bin"
        self.tools.mkdir()
        self.settings = place / "hook.toml"
        self.spool = place / "spool"
        self.iocage = place / "iocage"
        (self.iocage / "jails").mkdir(parents=True)
        self.values = {
            "urls": [url], "spool_dir": str(self.spool), "log_file": str(place / "log"), "syslog": False,
            "node": "sun", "iocage_root": str(self.iocage), "subnets": ["10.0.1.0/24"],
            "timeout": 9,
        }  # fmt: skip
        self.set(**settings)

    def set(self, **settings: Any) -> None:
        """Change settings."""
        self.values |= settings
        self.settings.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in self.values.items()))

    @property
    def environment(self) -> dict[str, str]:
        """What iocage leaves of an environment, and where the settings of this host are."""
        return {"PATH": f"{self.tools}:{PATH}", "HOME": "/", "LANG": "C", "LEASEHOLD_HOOK_CONFIG": str(self.settings)}

    def tool(self, name: str, script: str) -> None:
        """Make a tool up: a POSIX script."""
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *arguments: str, said: str | bytes = b"") -> subprocess.CompletedProcess[str]:
        """Run the installed command; ``said`` is its standard input."""
        given = said.encode() if isinstance(said, str) else said
        done = subprocess.run(
            [HOOK, *arguments], env=self.environment, cwd="/", input=given, capture_output=True, check=False,
            timeout=120,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def shell(self, line: str, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        """Run a line of shell in which ``leasehold-hook`` is the installed command."""
        return subprocess.run(
            [*shell.split(), "-c", line.replace("leasehold-hook", shlex.quote(HOOK))],
            env=self.environment, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip

    def jail(self, name: str, **config: Any) -> Path:
        """Write a jail of iocage; returns its directory."""
        place = self.iocage / "jails" / name
        place.mkdir(exist_ok=True)
        (place / "config.json").write_text(json.dumps({"host_hostname": name, "type": "jail", **config}))
        return place

    def runs(self, *names: str) -> None:
        """Let ``jls`` say that only these jails run."""
        self.tool("jls", "".join(f"echo ioc-{name}\n" for name in names) or ":")

    def ask(self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> Any:
        """What the service answers."""
        return Asking(Settings(urls=(self.url,), timeout=9), seconds=60).call(Call(method, path, query, body))

    def guest(self, name: str, cluster: str = "sun") -> dict[str, Any]:
        """A guest as the service has it."""
        found: dict[str, Any] = self.ask("GET", f"/guests/{cluster}/{name}")
        return found

    def guests(self, **query: str) -> dict[str, dict[str, Any]]:
        """The guests of the service, by name."""
        return {each["name"]: each for each in self.ask("GET", "/guests", {"limit": "1000", **query})["items"]}

    def waiting(self) -> list[str]:
        """The names of reports that wait."""
        return sorted(each for each in os.listdir(self.spool) if each.endswith(".json")) if self.spool.exists() else []


def addresses(guest: dict[str, Any]) -> list[str]:
    """The addresses of a guest as the service has it."""
    return [each["address"] for each in guest["addresses"]]
