"""Subnets inside others, and subnets that leave /dhcp, while dnsmasq serves their hosts."""

from __future__ import annotations

from dataclasses import replace

from netaddr import IPAddress

from providers.address_book import subnet_spec
from tests.providers.desk import CALLER, description, mac
from tests.providers.dhcp.dnsmasq.site import FIRST_FREE

NET, INNER = "10.0.2.0", "10.0.2.64"


def test_hosts_that_went_into_an_inner_subnet_stay_and_can_be_deleted(site, proxy):
    assert proxy.post(mac(1), "10.0.2.67", network=NET) == 200, proxy.answer
    proxy.book.add_subnet(description(f"{INNER}/28"), CALLER)

    assert list(proxy.book.differences()) == []
    assert site.offered(mac(1)) == "10.0.2.67"
    assert proxy.delete(mac(1), network=INNER) == 200, proxy.answer
    assert site.offered(mac(1)).startswith(FIRST_FREE)


def test_a_subnet_that_leaves_dhcp_and_comes_back(site, proxy):
    subnet = proxy.book.dhcp_subnet(IPAddress("10.0.2.1"))
    assert proxy.post(mac(1), "10.0.2.67", network=NET) == 200, proxy.answer

    left = proxy.book.change_subnet(subnet, replace(subnet_spec(subnet), dhcp=False), CALLER)
    assert proxy.book.sync(CALLER, most_percent=20) == []
    assert site.offered(mac(1)).startswith(FIRST_FREE)

    proxy.book.change_subnet(left, replace(subnet_spec(left), dhcp=True), CALLER)
    assert site.offered(mac(1)) == "10.0.2.67"
