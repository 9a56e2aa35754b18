"""With boot_file the name of the boot file stands in the header, whatever a boot ROM asks for."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from providers.book.tables import dhcp_hosts
from providers.dhcp.dnsmasq.boot_sets import BootSet, boot_text
from tests.dhcp_network.message import BOOT_FILE
from tests.dhcp_network.raw_client import BOOT_ASKED
from tests.providers.desk import CALLER, description
from tests.providers.dhcp.dnsmasq.site import DnsmasqSite

MAC, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"
BOOT = {"filename": "pxe 'linux', too.0", "nextServer": "10.0.1.9"}


@pytest.fixture
def site(tmp_path):
    """A dnsmasq that reads the third file as well."""
    boot_file = tmp_path / "boot.conf"
    boot_file.touch()
    with DnsmasqSite(tmp_path, more=f"conf-file={boot_file}", boot_file=str(boot_file), version="2.91") as running:
        yield running


@pytest.fixture
def proxy(proxies):
    """The proxy with a book that has the subnet."""
    started = proxies()
    started.book.add_subnet(description("10.0.1.0/28"), CALLER)
    return started


def test_a_rom_that_asks_for_option_67_and_reads_the_header_finds_it(site, proxy):
    assert proxy.post(MAC, "10.0.1.3", **BOOT) == 200, proxy.answer
    client = site.network.raw_client()

    plain, asking = client.discover(MAC), client.discover(MAC, parameters=BOOT_ASKED)

    assert (plain.boot_file, str(plain.siaddr)) == (BOOT["filename"], "10.0.1.9")
    assert (asking.boot_file, asking.text(BOOT_FILE)) == (BOOT["filename"], BOOT["filename"])


def test_it_is_restarted_for_a_new_pair_only(site, proxy):
    proxy.post(MAC, "10.0.1.3", **BOOT)
    before = site.restarts

    assert proxy.post(OTHER, "10.0.1.4", **BOOT) == 200
    assert site.restarts == before

    proxy.delete(OTHER)
    assert proxy.post(OTHER, "10.0.1.4", filename="other.0", nextServer="10.0.1.9") == 200
    assert site.restarts == before + 1

    assert proxy.delete(OTHER) == 200
    assert site.restarts == before + 1


def test_a_host_without_boot_file_gets_none(site, proxy):
    proxy.post(MAC, "10.0.1.3", **BOOT)
    proxy.post(OTHER, "10.0.1.4")

    assert site.network.discover(OTHER).boot_file == ""


def test_a_boot_server_alone_needs_no_line():
    assert boot_text([BootSet(None, "10.0.1.9")]) == "dhcp-no-override\n"


def test_a_host_in_the_book_that_cannot_be_served_keeps_nobody_away(site, proxy, book):
    """It came into the book before dnsmasq was asked."""
    proxy.post(MAC, "10.0.1.3", **BOOT)
    with book.engine.begin() as connection:
        connection.execute(update(dhcp_hosts).values(hostname="ignore"))

    assert proxy.post(OTHER, "10.0.1.4") == 200

    assert site.offered(OTHER) == "10.0.1.4"
    assert MAC not in site.hosts_file.read_text()
