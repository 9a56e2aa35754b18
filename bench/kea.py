"""Publishing to a Kea by files; needs kea-dhcp4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.publishing import NETWORK, measured
from bench.report import Row
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory


def publishing(directory: Path, in_a_row: int, by_sync: int) -> Iterator[Row]:
    """A Kea without interfaces: what counts is how it takes reservations."""
    with kea_directory() as place:
        kea = Kea(place)
        kea.add_subnet(1, NETWORK)
        kea.start()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            settings = {
                "DHCP_USE_PROVIDER": "dhcp_kea",
                "DHCP_KEA_CONTROL": str(kea.socket),
                "DHCP_KEA_INCLUDE_DIRECTORY": str(kea.includes),
                "DHCP_KEA_TIMEOUT": "60",
            }
            form = {"filename": "pxelinux.0", "nextServer": "10.128.0.9"}
            yield from measured("Kea 2.2, files", directory, settings, in_a_row=in_a_row, by_sync=by_sync, **form)
        finally:
            kea.stop()
