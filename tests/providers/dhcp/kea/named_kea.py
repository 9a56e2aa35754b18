"""A Kea with ``host_cmds``, 3.0 or later, where the environment names a directory with one.

LEASEHOLD_TEST_KEA_ROOT is the root of a file system with ``usr/sbin/kea-dhcp4``, its hooks and all libraries that they
need, those of PostgreSQL among them; without it nothing of this is run. ``/`` does where the distribution's own is new
enough. Elsewhere packages of a newer release, unpacked with ``dpkg-deb -x`` and not installed, make one: kea-dhcp4
runs with the libraries that were unpacked with it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from providers.dhcp.kea.settings import KeaSchema
from tests.postgresql import binaries, private_server
from tests.providers.dhcp.kea.running_kea import Kea

USER, PASSWORD = "leasehold", "secret"


def named_root() -> Path | None:
    """The directory of the environment."""
    return Path(os.environ["LEASEHOLD_TEST_KEA_ROOT"]) if "LEASEHOLD_TEST_KEA_ROOT" in os.environ else None


class NamedKea(Kea):
    """One kea-dhcp4 of that directory, which takes commands over its Unix socket, and over HTTP where that is asked.

    With ``host_commands`` reservations are in its memory, or in ``database`` (an URL of ``kea_database``).
    """

    def __init__(
        self, directory: Path, *, host_commands: bool = True, database: str | None = None, over_http: bool = False,
        **more: Any,
    ) -> None:  # fmt: skip
        root = named_root()
        assert root is not None
        self.root = root
        (host_cmds,) = root.glob("usr/lib/*/kea/hooks/libdhcp_host_cmds.so")
        self.libraries = host_cmds.parents[2]
        super().__init__(directory, **more)
        self.host_commands = host_commands
        self.port = _free_port() if over_http else None
        if host_commands:
            self.hooks.append({"library": self.hook("libdhcp_host_cmds.so")})
        if database is not None:
            self.hooks.append({"library": self.hook("libdhcp_pgsql.so")})
            self.more["hosts-databases"] = [_hosts_database(database)]

    @property
    def settings(self) -> Mapping[str, Any]:
        """Those of a provider on this Kea."""
        if self.port is None:
            return super().settings
        over_http = {"control": f"http://127.0.0.1:{self.port}/", "user": USER, "password": PASSWORD}
        return KeaSchema().load({**over_http, "include_directory": str(self.includes), "timeout": 2})

    def program(self) -> list[str]:
        (loader,) = self.root.glob("usr/lib64/ld-linux-*.so.*")
        return [str(loader), "--library-path", str(self.libraries), str(self.root / "usr/sbin/kea-dhcp4")]

    def hook(self, name: str) -> str:
        return str(self.libraries / "kea" / "hooks" / name)

    def environ(self) -> dict[str, str]:
        return {
            **super().environ(),
            "KEA_CONTROL_SOCKET_DIR": str(self.socket.parent),
            "KEA_DHCP_DATA_DIR": str(self.directory),
            "KEA_LOG_FILE_DIR": str(self.directory),
            "KEA_HOOKS_PATH": str(self.libraries / "kea" / "hooks"),
        }

    def control_sockets(self) -> dict[str, Any]:
        sockets: list[dict[str, Any]] = [{"socket-type": "unix", "socket-name": str(self.socket)}]
        if self.port is not None:
            clients = [{"user": USER, "password": PASSWORD}]
            sockets.append({
                "socket-type": "http", "socket-address": "127.0.0.1", "socket-port": self.port,
                "authentication": {"type": "basic", "realm": "kea", "clients": clients},
            })  # fmt: skip
        return {"control-sockets": sockets}

    def write(self) -> None:
        """Write the configuration file, unless Kea saves its own in it."""
        if not (self.host_commands and self.configuration.exists()):
            super().write()

    def served(self, cidr: str) -> dict[str, str]:
        if not self.host_commands:
            return super().served(cidr)
        (number,) = [each["id"] for each in self.subnets if each["subnet"] == cidr]
        found = self.command("reservation-get-all", {"subnet-id": number})["hosts"]
        return {each["hw-address"]: each["ip-address"] for each in found}

    def _subnet(self, subnet: Mapping[str, Any]) -> str:
        return json.dumps(subnet) if self.host_commands else super()._subnet(subnet)


@contextmanager
def kea_database() -> Iterator[str]:
    """The URL of a PostgreSQL database with Kea's tables, on a server of its own."""
    root = named_root()
    assert root is not None
    with private_server() as url:
        place = _hosts_database(url)
        subprocess.run(
            [binaries() / "psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", place["host"], "--username",
             place["user"], "--file", root / "usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql", place["name"]],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        yield url


def _hosts_database(url: str) -> dict[str, Any]:
    split = urlsplit(url)
    return {
        "type": "postgresql", "name": split.path.strip("/"), "user": split.username or "",
        "host": parse_qs(split.query)["host"][0],
        # It goes on without its database, and looks for it.
        "on-fail": "serve-retry-continue", "max-reconnect-tries": 1000, "reconnect-wait-time": 100,
    }  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
