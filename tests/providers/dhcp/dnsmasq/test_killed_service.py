"""A real service is killed while it publishes: what was acknowledged is served, and the rest is brought in order."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.clock import utc_now
from providers.dhcp.dnsmasq.provider import DnsmasqDHCP
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from tests.ports import free_port
from tests.providers.desk import CALLER, description
from tests.providers.dhcp.dnsmasq.site import DnsmasqSite

LEASEHOLD = str(Path(sys.executable).with_name("leasehold"))
CLIENTS, EACH, ENOUGH = 6, 30, 25

pytestmark = pytest.mark.race


class Service:
    """``leasehold serve`` with two workers, in front of that dnsmasq."""

    def __init__(self, site: DnsmasqSite, book_url: str) -> None:
        self.port = free_port()
        self.log_file = site.directory / "service.log"
        told = {f"LEASEHOLD_DHCP_DNSMASQ_{key.upper()}": str(value) for key, value in site.settings.items() if value}
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith("LEASEHOLD_")} | {
            "LEASEHOLD_STATE_DIR": str(site.directory),
            "LEASEHOLD_DATABASE": book_url,
            "LEASEHOLD_HTTP_PORT": str(self.port),
            "LEASEHOLD_WORKERS": "2",
            "LEASEHOLD_DHCP_USE_PROVIDER": "dhcp_dnsmasq",
            **told,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [LEASEHOLD, "serve"], env=self.environ, cwd=self.log_file.parent,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self.listens():
            assert self.process.poll() is None, self.log_file.read_text()
            assert time.monotonic() < deadline, self.log_file.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(60)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def post(self, mac: str, ip: str) -> int:
        name = f"h{mac.replace(':', '')[-4:]}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            form = {"mac": mac, "ip": ip, "name": name, "hostname": name}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/dhcp/10.0.2.0", urlencode(form), headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def sync(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [LEASEHOLD, "sync"], env=self.environ, cwd=self.log_file.parent, capture_output=True, text=True, timeout=120
        )


def test_what_was_acknowledged_is_served(tmp_path, book):
    AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now).add_subnet(
        description("10.0.2.0/24"), CALLER
    )
    wanted = [(f"52:54:00:00:03:{number:02x}", f"10.0.2.{10 + number}") for number in range(CLIENTS * EACH)]
    acknowledged: dict[str, str] = {}
    enough = threading.Event()
    with DnsmasqSite(tmp_path) as site:
        service = Service(site, str(book.url))

        def reserve(share: list[tuple[str, str]]) -> None:
            for mac, ip in share:
                try:
                    if service.post(mac, ip) == 200:
                        acknowledged[mac] = ip
                except (OSError, http.client.HTTPException):
                    return
                if len(acknowledged) >= ENOUGH:
                    enough.set()

        clients = [threading.Thread(target=reserve, args=(wanted[n::CLIENTS],)) for n in range(CLIENTS)]
        try:
            service.start()
            for client in clients:
                client.start()
            assert enough.wait(120), service.log_file.read_text()
            service.kill()
            for client in clients:
                client.join(120)

            done = service.sync()
            assert done.returncode == 0, done.stderr
        finally:
            service.kill()

        dhcp = DnsmasqDHCP(book, site.settings)
        address_book = AddressBook(book, LocalIPAM(book, {}), dhcp, lifetimes=Lifetimes(), clock=utc_now)
        (subnet,) = address_book.subnets()
        in_book = {host.mac: str(host.address) for host in address_book.hosts(subnet)}
        assert acknowledged.items() <= in_book.items()
        assert {host.mac: str(host.address) for host in dhcp.served(subnet)} == in_book
        assert {mac: site.offered(mac) for mac in in_book} == in_book
        assert list(address_book.differences()) == []
