"""``iocage alloc NAME``: an address for a jail that is about to be created, as ``ip4_addr`` takes it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hooks.errors import BadInput, Refused
from hooks.iocage.jail import refuse_no_name
from hooks.journal import Journal
from hooks.node import cluster_of
from hooks.service import Call, Service
from hooks.settings import Settings
from hooks.told import told_address, told_prefix

_USED_UP = "exhausted"


def allocate(arguments: Sequence[str], settings: Settings, journal: Journal) -> str:
    """Hold an address and return ``IFACE|ADDR/PREFIX``; the same name is told the same address.

    Raises BadInput without a subnet, Refused when nothing is free, Unreachable.
    """
    parser = argparse.ArgumentParser(
        prog="leasehold-hook iocage alloc",
        description='An address for iocage create ... ip4_addr="$(leasehold-hook iocage alloc NAME)".',
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--interface", default=settings.iocage_interface, help="vnet0 for a jail with vnet=1")
    parser.add_argument("--subnet", help="instead of those of the settings")
    parser.add_argument("-6", "--ipv6", action="store_true", help="of the IPv6 subnets of the settings, for ip6_addr")
    given = parser.parse_args(arguments)
    refuse_no_name(given.name)
    subnets = [given.subnet] if given.subnet else [each for each in settings.subnets if (":" in each) == given.ipv6]
    if not subnets:
        version = "IPv6" if given.ipv6 else "IPv4"
        raise BadInput(f"iocage: no {version} subnet to take an address from: give --subnet, or set subnets")
    service = Service(settings)
    query = {"group": settings.group} if settings.group else None
    body = {"key": f"{cluster_of(settings)}/{given.name}", "use": "guest", "minutes": settings.hold_minutes}
    for subnet in subnets:
        try:
            held = service.call(Call("POST", f"/subnets/{subnet}/next", query, body))
        except Refused as error:
            if error.code == _USED_UP:
                continue
            raise
        address, prefix = told_address(held, version=6 if ":" in subnet else 4), told_prefix(held, "subnet")
        journal.info(f"{address} is held for {given.name}")
        return f"{given.interface}|{address}/{prefix}"
    raise Refused(f"no address is free in {', '.join(subnets)}", 409, _USED_UP)
