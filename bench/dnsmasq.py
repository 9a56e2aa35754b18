"""Publishing to a dnsmasq in a network of its own; needs root, iproute2 and dnsmasq."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.publishing import measured
from bench.report import Row
from tests.providers.dhcp.dnsmasq.site import DnsmasqSite

_RANGE = "dhcp-range=10.128.0.0,static,255.255.0.0,1h"


def publishing(directory: Path, in_a_row: int, by_sync: int) -> Iterator[Row]:
    """Without boot files dnsmasq is sent SIGHUP; with them one before 2.91 is restarted."""
    for name, form in (
        ("dnsmasq, no boot files", {}),
        ("dnsmasq, boot files", {"filename": "pxelinux.0", "nextServer": "10.128.0.9"}),
    ):
        place = directory / name.replace(" ", "-")
        place.mkdir(parents=True)
        with DnsmasqSite(place, more=_RANGE) as site:
            settings = {"DHCP_USE_PROVIDER": "dhcp_dnsmasq"} | {
                f"DHCP_DNSMASQ_{key}": str(value)
                for key, value in site.settings.items()
                if value is not None and key != "config"
            }
            how = " by restarts" if form and site.treats_as_old else " by SIGHUP"
            yield from measured(name + how, place, settings, in_a_row=in_a_row, by_sync=by_sync, **form)
