"""A bond of more MACs than one line of dnsmasq's hosts file holds."""

from __future__ import annotations

from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Use
from tests.providers.desk import CALLER, host, mac


def test_more_macs_than_a_line_holds_are_refused(site, proxy, book):
    untold = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    subnet, macs = untold.dhcp_subnet(IPAddress("10.0.2.1")), [mac(number) for number in range(1, 38)]
    for number in range(1, 37):
        untold.reserve(subnet, IPAddress("10.0.2.5"), Use.DHCP, CALLER, host=host(number), related_macs=macs)

    assert proxy.post(mac(37), "10.0.2.5", network="10.0.2.0", **{"related_macs[]": macs}) == 400
    assert "is not served: dnsmasq takes 36 MACs of one address" in proxy.answer
    assert mac(37) not in proxy.reserved("10.0.2.0")
    assert site.offered(mac(36)) == "10.0.2.5"
