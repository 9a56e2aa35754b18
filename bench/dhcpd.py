"""Publishing to an ISC dhcpd in a network of its own; needs root, iproute2 and isc-dhcp-server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.publishing import measured
from bench.report import Row
from tests.dhcp_network import Network
from tests.providers.dhcp.isc.dhcpd_server import HEAD, Dhcpd

_CONFIGURATION = f"{HEAD}subnet 10.128.0.0 netmask 255.255.0.0 {{ option routers 10.128.0.1; }}\n"


def publishing(directory: Path, in_a_row: int, by_sync: int) -> Iterator[Row]:
    """By OMAPI, all hosts with boot file and next server; the first dhcpd keeps what it was told in a row."""
    place = directory / "dhcpd"
    place.mkdir(parents=True)
    # The service is on dhcpd's side of the network, as it would be on dhcpd's machine.
    with Network("10.128.0.1/16") as network, network.server.entered():
        dhcpd = Dhcpd(network, place, _CONFIGURATION)
        dhcpd.start()
        settings = {"DHCP_USE_PROVIDER": "dhcp_isc"} | {
            f"DHCP_ISC_{key}": str(value) for key, value in dhcpd.settings().items()
        }
        try:
            yield from measured(
                "ISC dhcpd by OMAPI",
                place,
                settings,
                in_a_row=in_a_row,
                by_sync=by_sync,
                filename="pxelinux.0",
                nextServer="10.128.0.9",
            )
        finally:
            dhcpd.stop()
