"""Two namespaces joined by links: a DHCP server's side and the clients' side."""

from __future__ import annotations

import os
import secrets
import subprocess
import types
from pathlib import Path

import pytest

from tests.dhcp_network.message import Message
from tests.dhcp_network.namespaces import Namespace, need_program
from tests.dhcp_network.raw_client import RawClient
from tests.dhcp_network.real_clients import Told, dhclient, udhcpc

SERVER_ADDRESS = "10.77.0.1/24"


class Network:
    """A context in which ``server`` and ``client`` are namespaces of their own.

    There is one link for each of ``addresses``: its ends are ``server0`` with that address and ``client0`` without
    one, then ``server1`` and ``client1``, and so on. At the end of the context, however it ends, everything that was
    started inside is ended and both namespaces are gone.
    """

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses or (SERVER_ADDRESS,)
        unique = f"lh-{os.getpid()}-{secrets.token_hex(3)}"
        self.server = Namespace(f"{unique}-server")
        self.client = Namespace(f"{unique}-client")
        self._raw_clients: dict[str, RawClient] = {}

    def __enter__(self) -> Network:
        self._ip = need_program("ip", "iproute2")
        if os.geteuid() != 0:
            pytest.skip("a network namespace needs root")
        try:
            self._build()
        except subprocess.CalledProcessError as error:
            self._remove()
            pytest.skip(f"no network namespace can be made here: {error.stderr.strip()}")
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._remove()

    def raw_client(self, link: int = 0) -> RawClient:
        """The client that builds its messages itself, on link ``link``."""
        interface = f"client{link}"
        if interface not in self._raw_clients:
            self._raw_clients[interface] = self.client.call(lambda: RawClient(interface))
        return self._raw_clients[interface]

    def discover(self, mac: str, *, seconds: float = 60) -> Message | None:
        """The first OFFER that ``mac`` gets for a DISCOVER on the first link, None when none comes."""
        return self.raw_client().discover(mac, seconds=seconds)

    def udhcpc(self, mac: str, directory: Path, *, seconds: int = 60) -> Told | None:
        """What BusyBox's udhcpc on the first link tells its script for ``mac``; None when it gets nothing."""
        return udhcpc(self.client, "client0", mac, directory, seconds)

    def dhclient(self, mac: str, directory: Path, *, seconds: int = 60) -> Told | None:
        """What ISC's dhclient on the first link tells its script for ``mac``; None when it gets nothing."""
        return dhclient(self.client, "client0", mac, directory, seconds)

    def _build(self) -> None:
        for namespace in (self.server, self.client):
            self._do("netns", "add", namespace.name)
            self._do("-n", namespace.name, "link", "set", "lo", "up")
        for number, address in enumerate(self.addresses):
            ends = (f"server{number}", f"client{number}")
            self._do(
                "-n", self.server.name, "link", "add", ends[0], "type", "veth",
                "peer", "name", ends[1], "netns", self.client.name,
            )  # fmt: skip
            self._do("-n", self.server.name, "address", "add", address, "dev", ends[0])
            self._do("-n", self.server.name, "link", "set", ends[0], "up")
            self._do("-n", self.client.name, "link", "set", ends[1], "up")

    def _do(self, *arguments: str) -> None:
        subprocess.run([self._ip, *arguments], check=True, capture_output=True, text=True, timeout=60)

    def _remove(self) -> None:
        for client in self._raw_clients.values():
            client.close()
        for namespace in (self.client, self.server):
            namespace.stop_all()
            subprocess.run([self._ip, "netns", "delete", namespace.name], capture_output=True, timeout=60, check=False)
