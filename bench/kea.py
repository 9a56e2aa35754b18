"""Publishing to a Kea; needs kea-dhcp4.

By files to the distribution's; in each way to a newer one where LEASEHOLD_TEST_KEA_ROOT names one, as for the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.publishing import NETWORK, measured
from bench.report import Row
from tests.providers.dhcp.kea.named_kea import PASSWORD, USER, NamedKea, kea_database, named_root
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory

_FORM = {"filename": "pxelinux.0", "nextServer": "10.128.0.9"}
_OWN = "files"
_NAMED = ("files", "host_cmds and memory", "host_cmds and PostgreSQL", "host_cmds and PostgreSQL over HTTP")


def publishing(directory: Path, in_a_row: int, by_sync: int) -> Iterator[Row]:
    """A Kea without interfaces: what counts is how it takes reservations."""
    yield from in_one_way(directory / "own", _OWN, in_a_row, by_sync, named=False)
    for number, way in enumerate(_NAMED if named_root() is not None else ()):
        yield from in_one_way(directory / f"named-{number}", way, in_a_row, by_sync, named=True)


def in_one_way(directory: Path, way: str, in_a_row: int, by_sync: int, *, named: bool) -> Iterator[Row]:
    """The rows for one Kea that is told in one way."""
    directory.mkdir(parents=True)
    with ExitStack() as stack:
        place = stack.enter_context(kea_directory())
        if named:
            database = stack.enter_context(kea_database()) if "PostgreSQL" in way else None
            kea: Kea = NamedKea(place, host_commands=way != "files", database=database, over_http="HTTP" in way)
        else:
            kea = Kea(place)
        kea.add_subnet(77, NETWORK)
        kea.start()
        stack.callback(kea.stop)
        settings = {
            "DHCP_USE_PROVIDER": "dhcp_kea",
            "DHCP_KEA_CONTROL": str(kea.settings["control"]),
            "DHCP_KEA_INCLUDE_DIRECTORY": str(kea.includes),
            "DHCP_KEA_TIMEOUT": "60",
        }
        if "HTTP" in way:
            settings |= {"DHCP_KEA_USER": USER, "DHCP_KEA_PASSWORD": PASSWORD}
        name = f"Kea {kea.version()}, {way}"
        yield from measured(name, directory, settings, in_a_row=in_a_row, by_sync=by_sync, **_FORM)
