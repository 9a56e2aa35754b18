"""What every DHCP server of ours has to show on a network: a reservation of POST /dhcp, until DELETE.

A server's own test inherits ``OnTheWire`` and has the fixtures ``network``, on which the server is 10.0.1.1, and
``proxy``, the service in front of it. The server's sample configuration gives the rest out of POOL.
"""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from netaddr import IPAddress

from providers.addresses import Range
from providers.model import Caller

NET = "/dhcp/10.0.1.0"
MAC, OTHER, STRANGER = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:99"
POOL = Range(IPAddress("10.0.1.200"), IPAddress("10.0.1.250"))
CALLER = Caller("test")
BOOT = {"filename": "grub2/grubx64.efi", "nextServer": "10.0.1.5"}


def post(proxy: FlaskClient, mac: str, name: str, ip: str = "10.0.1.20", **more: object) -> None:
    """Reserve as Foreman does."""
    form = {"name": name, "hostname": name, "mac": mac, "ip": ip, "network": "10.0.1.0", **BOOT, **more}
    answer = proxy.post(NET, data=form)
    assert answer.status_code == 200, answer.text


class OnTheWire:
    """Inherit this."""

    def test_what_is_posted_is_on_the_wire_and_gone_after_delete(self, network, proxy):
        post(proxy, MAC, "web1.example.com")

        offer = network.discover(MAC)
        assert (str(offer.yiaddr), str(offer.siaddr), offer.boot_file) == ("10.0.1.20", "10.0.1.5", "grub2/grubx64.efi")
        assert (offer.hostname, offer.routers, offer.dns) == ("web1.example.com", ["10.0.1.1"], ["10.0.1.2"])

        assert proxy.delete(f"{NET}/mac/{MAC}").status_code == 200
        assert IPAddress(str(network.discover(MAC).yiaddr)) in POOL

    @pytest.mark.parametrize("client", ["udhcpc", "dhclient"])
    def test_real_clients_are_told_everything(self, network, proxy, client, tmp_path):
        post(proxy, MAC, "web1.example.com")

        told = getattr(network, client)(MAC, tmp_path)

        assert (told.address, told.next_server, told.boot_file) == ("10.0.1.20", "10.0.1.5", "grub2/grubx64.efi")
        assert (told.hostname, told.routers, told.dns) == ("web1.example.com", ["10.0.1.1"], ["10.0.1.2"])
