"""dhcpd knows a host by its MAC and address and by no subnet; subnets of the book lie inside others."""

from __future__ import annotations

from contextlib import suppress

from providers.errors import Conflict
from tests.providers.desk import CALLER, mac

INNER = "10.77.0.64/28"


def test_a_sync_leaves_the_hosts_of_an_inner_subnet_alone(desk, subnet, dhcpd):
    desk.serve(desk.add(INNER), "10.77.0.67", 1)
    desk.serve(subnet, "10.77.0.80", 2)

    assert desk.address_book.sync(CALLER, most_percent=20) == []
    assert str(dhcpd.network.discover(mac(1)).yiaddr) == "10.77.0.67"


def test_hosts_that_went_into_an_inner_subnet_stay_and_can_be_deleted(desk, subnet, dhcpd):
    desk.serve(subnet, "10.77.0.67", 1)
    inner = desk.add(INNER)

    assert desk.address_book.sync(CALLER, most_percent=20) == []
    assert str(dhcpd.network.discover(mac(1)).yiaddr) == "10.77.0.67"
    desk.release(inner, number=1)
    assert str(dhcpd.network.discover(mac(1)).yiaddr) != "10.77.0.67"


def test_an_inner_subnet_of_a_group_that_is_not_on_dhcp_has_none_of_them(desk, subnet, dhcpd):
    desk.add(INNER, group="Elsewhere", dhcp=False)
    desk.serve(subnet, "10.77.0.67", 1)

    assert desk.address_book.sync(CALLER, most_percent=20) == []
    assert str(dhcpd.network.discover(mac(1)).yiaddr) == "10.77.0.67"


def test_a_mac_of_an_inner_subnet_is_not_taken_for_an_old_host_of_the_one_around(desk, subnet, dhcpd):
    desk.serve(desk.add(INNER), "10.77.0.67", 1)

    with suppress(Conflict):
        desk.serve(subnet, "10.77.0.80", 1, name="again")

    assert str(dhcpd.network.discover(mac(1)).yiaddr) == "10.77.0.67"
