"""A node as CBSD leaves it on disk: working directory, skeletons, its database; no jail is ever made.

What CBSD does when it runs hooks is done as CBSD does it: the files of a directory, found and run one after the other
with their names on standard input, and an environment of its own (guest-hooks, section 2).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HOOK = str(Path(sys.executable).with_name("leasehold-hook"))
EVENTS = (
    "master_create.d", "master_prestart.d", "master_poststart.d", "master_prestop.d", "master_poststop.d", "remove.d",
    "clone.d",
)  # fmt: skip
PATH = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
SECRET = "vnc-s3cret"
SHELLS = ("dash", "bash", "busybox sh")
"""``sh`` is one of these, or the like, on every system."""
KINDS = ("jail", "bhyve", "qemu", "xen")
WALK = 'find "$1" \\( -type f -o -type l \\) | sort | while read hook; do [ -x "$hook" ] && "$hook"; done'


HELPER = 'umask 002; . "$1"; $dhcpd_helper $2'
"""How CBSD calls the helper: the values are in quotes, which do not survive as such, so blanks break them."""


def in_shell(shell: str, *more: object) -> Any:
    """A set of parameters that begins with a shell, which has to be here."""
    missing = shutil.which(shell.split()[0]) is None
    return pytest.param(shell, *more, marks=pytest.mark.skipif(missing, reason=f"{shell} is missing"))


class Guest(NamedTuple):
    """A guest as CBSD's database has it."""

    name: str
    emulator: str = "jail"
    addresses: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    jid: int = 0
    status: int = 0

    @property
    def ip4_addr(self) -> str:
        """As CBSD writes it: jails have a prefix, virtual machines none."""
        return ",".join(f"{each}/24" if self.emulator == "jail" else each for each in self.addresses) or "0"


class Node:
    """One node with its own settings, spool and guests."""

    def __init__(self, place: Path, name: str, url: str, **settings: Any) -> None:
        self.name = name
        self.workdir = place / name
        self.settings = place / f"{name}.toml"
        self.spool = place / f"{name}-spool"
        self.log = place / f"{name}.log"
        # Links are made beside the program, so each node has one of its own.
        self.program = place / f"{name}-bin" / "leasehold-hook"
        self.program.parent.mkdir()
        self.program.symlink_to(HOOK)
        # FreeBSD has /var/empty for this; Linux may not.
        self.empty = place / f"{name}-empty"
        self.empty.mkdir(mode=0o555)
        for kind in KINDS:
            for event in EVENTS:
                (self.workdir / "share" / f"{kind}-system-default" / event).mkdir(parents=True)
        for directory in ("etc", "jails-system", "var/db"):
            (self.workdir / directory).mkdir(parents=True)
        (self.workdir / "nodename").write_text(f"{name}\n")
        values = {
            "urls": [url], "cbsd_workdir": str(self.workdir), "spool_dir": str(self.spool), "log_file": str(self.log),
            "syslog": False, "subnets": ["10.0.1.0/24"], "timeout": 9,
        } | settings  # fmt: skip
        self.settings.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in values.items()))
        self._write("CREATE TABLE jails (jname TEXT PRIMARY KEY, emulator TEXT, host_hostname TEXT, ip4_addr TEXT, "
                    "jid INTEGER, status INTEGER, vnet BOOLEAN)")  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """What every program of ours gets on this node."""
        return {"PATH": PATH, "LEASEHOLD_HOOK_CONFIG": str(self.settings)}

    def install(self, *options: str) -> subprocess.CompletedProcess[str]:
        """``leasehold-hook install``."""
        return self.run("install", "--cron-dir", str(self.workdir / "cron.d"), *options)

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the installed command on this node."""
        return subprocess.run(
            [self.program, *arguments],
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def variables(self, guest: Guest) -> dict[str, str]:
        """What CBSD tells hooks about a guest."""
        told = {
            "jname": guest.name, "emulator": guest.emulator, "ip4_addr": guest.ip4_addr, "workdir": str(self.workdir),
            "host_hostname": f"{guest.name}.example.com", "jid": str(guest.jid), "status": str(guest.status),
            "vnet": "1" if guest.macs and guest.emulator == "jail" else "0", "vnc_password": SECRET,
        }  # fmt: skip
        return told | {f"nic_hwaddr{place}": mac for place, mac in enumerate(guest.macs)}

    def fire(
        self, event: str, guest: Guest, *, shell: str = "sh", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the hooks of an event as CBSD does."""
        directory = self.workdir / "jails-system" / guest.name / event
        return subprocess.run(
            [*shell.split(), "-c", f"umask 002; {WALK}", "walk", str(directory)],
            env=self.environment | self.variables(guest) | more,
            cwd="/var/empty" if os.path.isdir("/var/empty") else self.empty,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def ask(
        self, words: str = "", *, app: str = "dhcpd", shell: str = "sh", ending: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Ask the DHCP helper as CBSD does, with standard input open and silent; ``ending`` redirects in the shell."""
        silent, kept_open = os.pipe()
        try:
            return subprocess.run(
                [*shell.split(), "-c", f"{HELPER} {ending}", "ask", str(self.workdir / "etc" / f"{app}.conf"), words],
                env=self.environment | {"CBSD_APP": app} | more,
                cwd="/var/empty" if os.path.isdir("/var/empty") else self.empty,
                stdin=silent,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        finally:
            os.close(silent)
            os.close(kept_open)

    def logged(self) -> str:
        """What the node's own log has."""
        return self.log.read_text() if self.log.exists() else ""

    def talk_to(self, url: str) -> None:
        """Change the URL in the settings."""
        lines = [f'urls = ["{url}"]' if line.startswith("urls") else line for line in self._settings_lines()]
        self.settings.write_text("".join(f"{line}\n" for line in lines))

    def _settings_lines(self) -> list[str]:
        return self.settings.read_text().splitlines()

    def copy_skeleton(self, guest: Guest) -> None:
        """What CBSD does when it creates a guest."""
        place = self.workdir / "jails-system" / guest.name
        if (place / EVENTS[0]).exists():
            return
        skeleton = self.workdir / "share" / f"{guest.emulator}-system-default"
        shutil.copytree(skeleton, place, symlinks=True, dirs_exist_ok=True)

    def keep(self, guest: Guest) -> None:
        """Write a guest into the node's database, and its cards into its own."""
        vnet = bool(guest.macs) and guest.emulator == "jail"
        row = (guest.name, guest.emulator, f"{guest.name}.example.com", guest.ip4_addr, guest.jid, guest.status, vnet)
        self._write("INSERT OR REPLACE INTO jails VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        place = self.workdir / "jails-system" / guest.name
        place.mkdir(exist_ok=True)
        with sqlite3.connect(place / "local.sqlite") as connection:
            table = f"{guest.emulator}nic".replace("-", "_")
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(
                f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, nic_order INTEGER, nic_parent TEXT, nic_hwaddr TEXT)"
            )
            rows = [(place, "bridge0", mac) for place, mac in enumerate(guest.macs)]
            connection.executemany(f"INSERT INTO {table} (nic_order, nic_parent, nic_hwaddr) VALUES (?, ?, ?)", rows)

    def drop(self, name: str) -> None:
        """Take a guest out of the node's database."""
        self._write("DELETE FROM jails WHERE jname = ?", (name,))
        shutil.rmtree(self.workdir / "jails-system" / name, ignore_errors=True)

    def _write(self, statement: str, values: tuple[object, ...] = ()) -> None:
        with sqlite3.connect(self.workdir / "var" / "db" / "local.sqlite", timeout=10) as connection:
            connection.execute(statement, values)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f'"{key}" = {_toml(each)}' for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, (int, float)) else f'"{value}"'
