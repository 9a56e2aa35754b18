"""What a Kea has to show on a network, whichever it is and however it is told.

A test inherits ``KeaOnTheWire`` and has the fixtures ``network``, on which Kea is 10.0.1.1, and ``kea``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.kea.provider import KeaDHCP
from providers.ipam.local import LocalIPAM
from providers.model import SubnetSpec
from proxy.app import create_app
from proxy.settings import load
from tests.dhcp_network.on_the_wire import CALLER, MAC, NET, OTHER, POOL, STRANGER, OnTheWire, post
from tests.providers.dhcp.kea.running_kea import Kea


class KeaOnTheWire(OnTheWire):
    """Inherit this."""

    @pytest.fixture
    def settings(self) -> dict[str, str]:
        """Settings of the provider beside those that every test needs."""
        return {}

    @pytest.fixture
    def open_proxy(
        self, kea: Kea, book: Book, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[], FlaskClient]:
        """The service as it is after a start."""
        monkeypatch.chdir(tmp_path)

        def opened() -> FlaskClient:
            dhcp = KeaDHCP(book, {**kea.settings, **settings})
            address_book = AddressBook(book, LocalIPAM(book, {}), dhcp, lifetimes=Lifetimes(), clock=utc_now)
            if not address_book.subnets():
                address_book.add_subnet(SubnetSpec(IPNetwork("10.0.1.0/24"), "Lab", dynamic=POOL), CALLER)
            return create_app(address_book, load(environ={})).test_client()

        return opened

    @pytest.fixture
    def proxy(self, open_proxy: Callable[[], FlaskClient]) -> FlaskClient:
        """The service."""
        return open_proxy()

    def test_both_of_a_bond_get_the_address(self, network, proxy):
        post(proxy, MAC, "web1")
        post(proxy, OTHER, "web1-eth1", **{"related_macs[]": MAC})

        assert [str(network.discover(mac).yiaddr) for mac in (MAC, OTHER)] == ["10.0.1.20", "10.0.1.20"]

    def test_after_a_restart_of_both_everything_is_so_still(self, network, kea, open_proxy):
        post(open_proxy(), MAC, "web1")

        kea.stop()
        kea.start(network.server.command())
        again = open_proxy()

        assert str(network.discover(MAC).yiaddr) == "10.0.1.20"
        assert again.get(f"{NET}/mac/{MAC}").json["ip"] == "10.0.1.20"
        assert again.delete(f"{NET}/mac/{MAC}").status_code == 200
        assert IPAddress(str(network.discover(MAC).yiaddr)) in POOL

    def test_what_kea_leased_is_listed_and_not_suggested(self, network, kea, open_proxy):
        leased = str(network.raw_client().lease(STRANGER).yiaddr)
        proxy = open_proxy()

        (listed,) = proxy.get(NET).json["leases"]
        assert (listed["ip"], listed["mac"], listed["type"]) == (leased, STRANGER, "lease")
        assert proxy.get(f"{NET}/mac/{STRANGER}").json["ip"] == leased
        span = f"from={leased}&to={IPAddress(leased) + 1}"
        assert proxy.get(f"{NET}/unused_ip?mac={MAC}&{span}").json["ip"] == str(IPAddress(leased) + 1)
        assert proxy.get(f"{NET}/unused_ip?mac={STRANGER}&{span}").json["ip"] == leased

    def test_the_lease_of_a_reserved_host_is_listed_once(self, network, proxy):
        post(proxy, MAC, "web1")
        assert str(network.raw_client().lease(MAC).yiaddr) == "10.0.1.20"

        listed = proxy.get(NET).json

        assert [each["ip"] for each in listed["reservations"]] == ["10.0.1.20"]
        assert listed["leases"] == []
