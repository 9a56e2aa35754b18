"""dhcpd with the sample configuration, clients on a network, and reservations through POST /dhcp.

The settings are files as the Ruby smart proxy has them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from netaddr import IPAddress, IPNetwork

from providers.book import schema_version
from providers.book.database import Book
from providers.model import SubnetSpec
from proxy.app import create_app
from proxy.assembly import open_address_book
from proxy.settings import load
from tests.dhcp_network import Network
from tests.dhcp_network.message import NAK
from tests.dhcp_network.on_the_wire import CALLER, MAC, NET, OTHER, POOL, STRANGER, OnTheWire, post
from tests.providers.dhcp.isc.dhcpd_server import SECRET, Dhcpd

SAMPLE = Path(__file__).parents[2] / "config" / "dhcpd.conf"
DECLARED = "52:54:00:00:00:10"
DHCP_YML = """\
---
# Can be true, false, or http/https to enable just one of the protocols
:enabled: true
:use_provider: dhcp_isc
:server: 127.0.0.1
"""
DHCP_ISC_YML = """\
---
#
# Configuration file for ISC dhcp provider
#

:config: {configuration}
:leases: {leases}

:omapi_port: '7911'
:key_name: omapi_key
:key_secret: {secret}
"""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """A link on which dhcpd is 10.0.1.1; the tests are on its side, as the service would be."""
    with Network("10.0.1.1/24") as made, made.server.entered():
        yield made


@pytest.fixture
def dhcpd(network: Network, tmp_path: Path) -> Iterator[Dhcpd]:
    """dhcpd with the sample, but for its secret; the host that the sample shows is there."""
    directory = tmp_path / "dhcpd"
    directory.mkdir()
    text = SAMPLE.read_text()
    # The Ruby smart proxy's files know no algorithm, so it is the one that they mean.
    for stock, own in {'"WRITE YOUR OWN"': SECRET, "hmac-sha256": "hmac-md5", "# host": "host"}.items():
        assert stock in text
        text = text.replace(stock, own)
    server = Dhcpd(network, directory, f"ping-check false;\n{text}")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def open_proxy(
    dhcpd: Dhcpd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], FlaskClient]]:
    """The service as it is after a start."""
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "settings.d"
    directory.mkdir()
    (directory / "dhcp.yml").write_text(DHCP_YML)
    (directory / "dhcp_isc.yml").write_text(
        DHCP_ISC_YML.format(configuration=dhcpd.configuration, leases=dhcpd.leases, secret=SECRET)
    )
    (tmp_path / "settings.yml").write_text(":state_dir: .\n")
    books = []

    def opened() -> FlaskClient:
        settings = load(tmp_path / "settings.yml", environ={})
        assert settings.warnings == ()
        if not books:
            made = Book(settings.database)
            schema_version.upgrade(made)
            made.close()
        books.append(open_address_book(settings))
        if not books[-1].subnets():
            books[-1].add_subnet(SubnetSpec(IPNetwork("10.0.1.0/24"), "Lab", dynamic=POOL), CALLER)
        return create_app(books[-1], settings).test_client()

    yield opened
    for book in books:
        book.close()


@pytest.fixture
def proxy(open_proxy: Callable[[], FlaskClient]) -> FlaskClient:
    """The service."""
    return open_proxy()


class TestDhcpd(OnTheWire):
    """With the sample configuration."""


def test_a_change_of_the_boot_file_is_a_delete_and_a_post(network, proxy):
    post(proxy, MAC, "web1")
    assert proxy.delete(f"{NET}/ip/10.0.1.20").status_code == 200
    post(proxy, MAC, "web1", filename="pxelinux.0")

    assert network.discover(MAC).boot_file == "pxelinux.0"


def test_each_mac_of_a_bond_gets_the_address_until_it_is_deleted(network, proxy):
    bond = {"hostname": "db", "related_macs[]": [MAC, OTHER]}
    post(proxy, MAC, "db-01", **bond)
    post(proxy, OTHER, "db-02", **bond)
    assert [str(network.discover(mac).yiaddr) for mac in (MAC, OTHER)] == ["10.0.1.20", "10.0.1.20"]

    assert proxy.delete(f"{NET}/mac/{MAC}").status_code == 200
    assert IPAddress(str(network.discover(MAC).yiaddr)) in POOL
    assert str(network.discover(OTHER).yiaddr) == "10.0.1.20"


def test_after_a_restart_of_both_everything_is_so_still(network, dhcpd, open_proxy):
    post(open_proxy(), MAC, "web1")
    dhcpd.restart()
    again = open_proxy()

    offer = network.discover(MAC)
    assert (str(offer.yiaddr), str(offer.siaddr), offer.boot_file) == ("10.0.1.20", "10.0.1.5", "grub2/grubx64.efi")
    assert again.get(f"{NET}/mac/{MAC}").json["ip"] == "10.0.1.20"
    assert again.delete(f"{NET}/mac/{MAC}").status_code == 200
    dhcpd.restart()
    assert IPAddress(str(network.discover(MAC).yiaddr)) in POOL
    assert dhcpd.complaints() == []


def test_what_dhcpd_leased_is_listed_and_not_suggested(network, open_proxy):
    leased = network.raw_client().lease(STRANGER).yiaddr
    proxy = open_proxy()

    (listed,) = proxy.get(NET).json["leases"]
    assert (listed["ip"], listed["mac"], listed["type"], listed["state"]) == (str(leased), STRANGER, "lease", "active")
    assert proxy.get(f"{NET}/mac/{STRANGER}").json["ip"] == str(leased)
    span = f"from={leased}&to={leased + 1}"
    assert proxy.get(f"{NET}/unused_ip?mac={MAC}&{span}").json["ip"] == str(leased + 1)
    assert proxy.get(f"{NET}/unused_ip?mac={STRANGER}&{span}").json["ip"] == str(leased)


def test_a_lease_is_seen_while_the_service_runs_and_after_dhcpd_wrote_its_file_anew(network, dhcpd, proxy):
    assert proxy.get(NET).json["leases"] == []
    leased = str(network.raw_client().lease(STRANGER).yiaddr)

    assert listed_soon(proxy) == [leased]
    dhcpd.restart()
    other = str(network.raw_client().lease(OTHER).yiaddr)
    assert listed_soon(proxy, 2) == sorted([leased, other], key=IPAddress)


def listed_soon(proxy: FlaskClient, number: int = 1) -> list[str]:
    deadline = time.monotonic() + 60
    while len(found := proxy.get(NET).json["leases"]) < number and time.monotonic() < deadline:
        time.sleep(0.05)
    return [each["ip"] for each in found]


def test_a_machine_that_has_a_lease_gets_its_reservation_when_it_asks_again(network, proxy):
    client = network.raw_client()
    lease = client.lease(MAC)
    assert proxy.delete(f"{NET}/mac/{MAC}").status_code == 200
    post(proxy, MAC, "web1")

    assert client.request(MAC, lease.yiaddr).kind == NAK
    assert str(client.lease(MAC).yiaddr) == "10.0.1.20"


def test_a_host_of_dhcpd_conf_is_served_and_its_address_nobody_elses(network, proxy):
    assert proxy.get(f"{NET}/unused_ip?mac={MAC}&from=10.0.1.10&to=10.0.1.11").json["ip"] == "10.0.1.11"
    refused = proxy.post(NET, data={"name": "web1", "mac": MAC, "ip": "10.0.1.10"})
    assert refused.status_code == 409
    assert "declares the host printer" in refused.text

    assert str(network.discover(DECLARED).yiaddr) == "10.0.1.10"


def test_a_next_server_that_is_a_name_is_told_as_its_address(network, proxy):
    post(proxy, MAC, "web1", nextServer="localhost")

    assert str(network.discover(MAC).siaddr) == "127.0.0.1"
    assert proxy.get(f"{NET}/mac/{MAC}").json["nextServer"] == "localhost"


def test_dhcpd_that_is_stopped_is_told_and_nothing_stays(network, dhcpd, proxy):
    dhcpd.stop()
    began = time.monotonic()
    refused = proxy.post(NET, data={"name": "web1", "mac": MAC, "ip": "10.0.1.20"})

    assert (refused.status_code, time.monotonic() - began < 30) == (503, True)
    assert "dhcpd at 127.0.0.1:7911 cannot be reached" in refused.text
    assert proxy.get(f"{NET}/mac/{MAC}").status_code == 404
    dhcpd.start()
    assert IPAddress(str(network.discover(MAC).yiaddr)) in POOL
