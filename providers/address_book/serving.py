"""What a caller's few words mean: the range between two addresses, and the DHCP host of a MAC."""

from __future__ import annotations

from netaddr import IPAddress

from providers.address_book.allocatable import host_range
from providers.addresses import Range
from providers.errors import InvalidValue
from providers.model import DHCPHost, Subnet


def span_between(subnet: Subnet, first: IPAddress | None, last: IPAddress | None) -> Range | None:
    """The range from ``first`` to ``last``, clipped to the host addresses of ``subnet``; None when neither is given.

    Raises InvalidValue when nothing is left, or when both are given and one is not in the subnet or they are the wrong
    way round.
    """
    if first is None and last is None:
        return None
    network, hosts = subnet.network, host_range(subnet.network)
    for end in (first, last):
        if end is not None and end.version != network.version:
            raise InvalidValue(f"{end} is not of the family of subnet {network}")
    if first is not None and last is not None:
        if first not in network or last not in network:
            raise InvalidValue(f"Range {first}-{last} does not belong to subnet {network}")
        if first > last:
            raise InvalidValue(f"Range {first}-{last} ends before it begins: exchange from and to")
    start = hosts.first if first is None else max(first, hosts.first)
    end = hosts.last if last is None else min(last, hosts.last)
    if start > end:
        raise InvalidValue(f"The asked range has no host address of subnet {network}")
    return Range(start, end)


def host_for(subnet: Subnet, mac: str | None, name: str | None) -> DHCPHost | None:
    """The DHCP host that an address in ``subnet`` gets when it is reserved by hand for ``mac``.

    None without a MAC, or in a subnet that is not on ``/dhcp``. Raises InvalidValue when there is no name for it.
    """
    if not mac or not subnet.dhcp:
        return None
    if not name:
        where = f"{subnet.network} ({subnet.group.name})"
        raise InvalidValue(f"A MAC in {where} gets a DHCP host, and that needs a name (--name)")
    return DHCPHost(mac=mac, name=name, hostname=name)
