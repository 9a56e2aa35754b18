"""Subnets, reservations and leases as ``/dhcp`` shows them: keys and their order as recorded from the smart proxy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from providers.model import DHCPHost, Lease, Options, Subnet
from proxy.api.answer import to_json

UNSHOWN_OPTIONS = frozenset({"ztp_vendor", "ztp_firmware"})
"""Options of a host that only a DHCP provider has a use for."""

_NEVER = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
"""What dhcpd writes for a lease without end: the last second of a signed 32-bit clock."""

_HARDWARE = "ethernet"
"""Also for InfiniBand: the smart proxy tells dhcpd so, whatever the length of the address."""

_CHUNK = 64 * 1024


def subnet_record(subnet: Subnet) -> dict[str, Any]:
    """A subnet in the list of subnets."""
    network = subnet.network
    return {
        "network": str(network.network),
        "netmask": str(network.netmask),
        "options": dict(_subnet_options(subnet, subnet.options)),
    }


def subnet_name(subnet: Subnet) -> str:
    """``192.168.10.0/255.255.255.0``."""
    return f"{subnet.network.network}/{subnet.network.netmask}"


def reservation_record(host: DHCPHost, subnet: str) -> dict[str, Any]:
    """A reservation; ``subnet`` comes from :func:`subnet_name`. What is not set is absent."""
    record: dict[str, Any] = {
        "name": host.name,
        "ip": str(host.address),
        "mac": host.mac,
        "subnet": subnet,
        "type": "reservation",
        "deleteable": True,
        "hostname": host.hostname,
        "hardware_type": _HARDWARE,
    }
    if host.filename:
        record["filename"] = host.filename
    if host.next_server:
        record["nextServer"] = host.next_server
    if host.options:
        record |= {name: value for name, value in host.options.items() if name not in UNSHOWN_OPTIONS}
    return record


def lease_record(lease: Lease, subnet: str) -> dict[str, Any]:
    """A lease; ``subnet`` comes from :func:`subnet_name`. Client name and id stand in quotes, as dhcpd writes them."""
    record = {
        "name": f"lease-{lease.mac.replace(':', '')}",
        "ip": str(lease.address),
        "mac": lease.mac,
        "subnet": subnet,
        "starts": _moment(lease.starts),
        "ends": _moment(lease.ends or _NEVER),
        "state": lease.state,
        "type": "lease",
    }
    if lease.next_state:
        record["next_state"] = lease.next_state
    record["hardware_type"] = _HARDWARE
    if lease.uid:
        record["uid"] = f'"{lease.uid}"'
    if lease.hostname:
        record["client_hostname"] = f'"{lease.hostname}"'
    return record


def written(subnet: Subnet, hosts: Iterable[DHCPHost], leases: Iterable[Lease]) -> Iterator[bytes]:
    """``{"reservations": [...], "leases": [...]}`` as JSON in pieces of some 64 KiB, never all of it at once."""
    place = subnet_name(subnet)
    buffer: list[str] = []
    size = 0
    for piece in _pieces(hosts, leases, place):
        buffer.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield "".join(buffer).encode(errors="replace")
            buffer.clear()
            size = 0
    yield "".join(buffer).encode(errors="replace")


def _pieces(hosts: Iterable[DHCPHost], leases: Iterable[Lease], place: str) -> Iterator[str]:
    between = ""
    yield '{"reservations":['
    for host in hosts:
        yield between + to_json(reservation_record(host, place))
        between = ","
    between = ""
    yield '],"leases":['
    for lease in leases:
        yield between + to_json(lease_record(lease, place))
        between = ","
    yield "]}"


def _subnet_options(subnet: Subnet, options: Options) -> Iterator[tuple[str, Any]]:
    if options.gateway is not None:
        yield "routers", [str(options.gateway)]
    if options.domain:
        yield "domain_name", [[options.domain]]
    if options.dns:
        yield "domain_name_servers", [str(server) for server in options.dns]
    if options.ntp:
        yield "ntp_servers", [[str(server) for server in options.ntp]]
    if options.mtu is not None:
        yield "interface_mtu", options.mtu
    if subnet.dynamic is not None:
        yield "range", [str(subnet.dynamic.first), str(subnet.dynamic.last)]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
