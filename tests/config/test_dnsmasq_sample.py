"""config/dnsmasq.conf is a configuration that dnsmasq starts with, and serves the reservations of Leasehold by."""

from __future__ import annotations

from pathlib import Path

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes
from providers.clock import utc_now
from providers.dhcp.dnsmasq.grammar import read
from providers.dhcp.dnsmasq.provider import DnsmasqDHCP
from providers.dhcp.dnsmasq.settings import DnsmasqSchema
from providers.dhcp.dnsmasq.survey import survey
from providers.ipam.local import LocalIPAM
from providers.model import DHCPHost, Use
from tests.dhcp_network import Network, need_program
from tests.providers.desk import CALLER

SAMPLE = Path(__file__).parents[2] / "config" / "dnsmasq.conf"
MAC, BOOTING, OTHER = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3))
FILES = {
    "/var/lib/leasehold-dnsmasq/hosts": "hosts",
    "/var/lib/leasehold-dnsmasq/options": "options",
    "/var/lib/leasehold-dnsmasq/boot.conf": "boot.conf",
    "/var/lib/misc/dnsmasq.leases": "leases",
    "/run/dnsmasq/dnsmasq.pid": "pid",
}


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """The sample, with files of this test and the interface of its network; it runs as root, as tmp_path asks."""
    text = SAMPLE.read_text()
    for path, name in FILES.items():
        assert path in text
        text = text.replace(path, str(tmp_path / name))
    for name in ("hosts", "options", "boot.conf"):
        (tmp_path / name).touch()
    written = tmp_path / "dnsmasq.conf"
    written.write_text(text.replace("interface=eth0", "interface=server0") + "user=root\nno-ping\n")
    return written


@pytest.mark.parametrize("uncommented", [(), ("#conf-file=", "#dhcp-option=")])
def test_dnsmasq_starts_with_it_and_serves_what_was_reserved(tmp_path, configuration, book, uncommented):
    text = configuration.read_text()
    for line in uncommented:
        text = text.replace(line, line.removeprefix("#"))
    configuration.write_text(text)
    settings = {
        "hosts_file": str(tmp_path / "hosts"),
        "options_file": str(tmp_path / "options"),
        "leases": str(tmp_path / "leases"),
        "pid_file": str(tmp_path / "pid"),
        "config": str(configuration),
        "version": "2.91",
    }
    with Network("10.0.1.1/24") as network:
        server = network.server.start(
            [need_program("dnsmasq", "dnsmasq-base"), "--keep-in-foreground", f"--conf-file={configuration}",
             "--log-facility=-"],
            log=tmp_path / "log",
        )  # fmt: skip
        server.wait_for_log("read .*options")
        dhcp = DnsmasqDHCP(book, DnsmasqSchema().load(settings))
        address_book = AddressBook(book, LocalIPAM(book, {}), dhcp, lifetimes=Lifetimes(), clock=utc_now)
        (incoming,) = survey(read(configuration)).incoming.subnets
        subnet = address_book.add_subnet(incoming.spec, CALLER)
        for last, host in (
            (5, DHCPHost(MAC, "web01", "web01.example.com")),
            (6, DHCPHost(BOOTING, "web02", "web02.example.com", "grub.efi", "10.0.1.8")),
        ):
            address_book.reserve(subnet, IPAddress(f"10.0.1.{last}"), Use.DHCP, CALLER, host=host)

        reserved, booting, other = map(network.discover, (MAC, BOOTING, OTHER))

        assert dhcp.health().ok, dhcp.health().detail
    assert (str(reserved.yiaddr), reserved.hostname, reserved.text(15)) == ("10.0.1.5", "web01", "example.com")
    assert (reserved.routers, reserved.dns) == (["10.0.1.1"], ["10.0.1.53"])
    assert (str(booting.yiaddr), booting.boot_file, str(booting.siaddr)) == ("10.0.1.6", "grub.efi", "10.0.1.8")
    assert other.yiaddr in subnet.dynamic
    assert other.boot_file == ("pxelinux.0" if uncommented else "")
