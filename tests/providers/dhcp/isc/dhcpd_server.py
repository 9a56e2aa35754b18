"""A real dhcpd on a network of its own, and the provider that speaks to it.

Needs dhcpd(8), ``apt-get install isc-dhcp-server``, and root for the network.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers.book.database import Book
from providers.dhcp.isc.provider import ISCDHCP
from providers.dhcp.isc.settings import ISCSchema
from tests.dhcp_network import Network, Running, need_program

KEY, SECRET = "omapi_key", "c2VjcmV0IG9mIHRoZSBzaXRlIQ=="
PORT = 7911
HEAD = f"""\
ddns-update-style none;
authoritative;
ping-check false;
default-lease-time 600;
max-lease-time 7200;
omapi-port {PORT};
key {KEY} {{ algorithm hmac-md5; secret {SECRET}; }};
omapi-key {KEY};
option space SUNW;
option SUNW.root-server-ip-address code 2 = ip-address;
option SUNW.root-server-hostname code 3 = text;
option SUNW.root-path-name code 4 = text;
option SUNW.install-server-ip-address code 10 = ip-address;
option SUNW.install-server-hostname code 11 = text;
option SUNW.install-path code 12 = text;
option SUNW.sysid-config-file-server code 13 = text;
option SUNW.JumpStart-server code 14 = text;
option option-143 code 143 = text;
option option-150 code 150 = ip-address;
option space FM_ZTP;
option FM_ZTP.config-file-name code 1 = text;
"""
"""The beginning of a dhcpd.conf with a key, and with every option that Leasehold may be asked to serve."""


class Dhcpd:
    """One dhcpd: its files are in ``directory``, it serves the server side of ``network``."""

    def __init__(self, network: Network, directory: Path, configuration: str) -> None:
        self.network = network
        self.configuration = directory / "dhcpd.conf"
        self.leases = directory / "dhcpd.leases"
        self._log = directory / "dhcpd.log"
        self._running: Running | None = None
        self.configuration.write_text(configuration)
        self.leases.touch()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self._log.write_text("")
        # dhcpd writes its leases file anew before it says that it serves.
        self._running = self.network.server.start(
            [need_program("dhcpd", "isc-dhcp-server"), "-4", "-f", "-d", "--no-pid",
             "-cf", self.configuration, "-lf", self.leases],
            log=self._log,
        )  # fmt: skip
        self._running.wait_for_log("Server starting service")

    def stop(self) -> None:
        """End it."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def kill(self) -> None:
        """End it at once, also when it hangs."""
        assert self._running is not None
        self._running.kill()
        self._running = None

    def restart(self) -> None:
        """End it and start it."""
        self.stop()
        self.start()

    def hang(self) -> None:
        """Let it stand still; connections to it are accepted by the kernel all the same."""
        assert self._running is not None
        self._running.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after ``hang``."""
        assert self._running is not None
        self._running.signal(signal.SIGCONT)

    def wait_until_it_has(self, name: str) -> None:
        """Return once a host of that name is in its leases file."""
        assert self._running is not None
        self._running.wait_until(lambda: f"\nhost {name} {{" in self.leases.read_text(), f"host {name}")

    def log(self) -> str:
        """What it said since its start."""
        return self._log.read_text(errors="replace")

    def complaints(self) -> list[str]:
        """Lines of its files that it did not understand when it started."""
        return [line for line in self.log().splitlines() if " line " in line]

    def settings(self, **changes: object) -> Mapping[str, Any]:
        """What ``dhcp_isc.yml`` says of it."""
        said = {
            "config": str(self.configuration),
            "leases": str(self.leases),
            "omapi_port": PORT,
            "key_name": KEY,
            "key_secret": SECRET,
        }
        loaded: Mapping[str, Any] = ISCSchema().load({**said, **changes})
        return loaded

    def provider(self, book: Book, **changes: object) -> ISCDHCP:
        """The provider, a patient one; whoever calls it has to be inside the server's namespace."""
        made = ISCDHCP(book, {"server": None, **self.settings(**changes)})
        made.seconds = 60.0
        return made
