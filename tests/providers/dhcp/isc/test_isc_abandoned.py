"""An address that dhcpd gave out and a client found in use is nobody's, and not free."""

from __future__ import annotations

from tests.providers.desk import mac

FIRST, SECOND = "10.77.0.100", "10.77.0.101"


def test_it_is_not_suggested(desk, subnet, dhcpd):
    client = dhcpd.network.raw_client()
    granted = client.lease(mac(9))
    assert str(granted.yiaddr) == FIRST
    client.decline(mac(9), granted)
    assert dhcpd.network.discover(mac(8)) is not None  # dhcpd has done with what came before that.
    assert "binding state abandoned;" in dhcpd.leases.read_text()

    assert desk.ask(subnet, 1, span=f"{FIRST}-{SECOND}") == SECOND
    dhcpd.restart()
    assert desk.ask(subnet, 1, span=f"{FIRST}-{SECOND}") == SECOND
