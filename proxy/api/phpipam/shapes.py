"""Sections, subnets, addresses and tags with the keys that phpIPAM 1.8.2 has for them, in its order.

What the book does not know is as it is in a fresh phpIPAM. Numbers are numbers, ``mask`` is text, as recorded.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from netaddr import IPAddress, IPNetwork

from providers.address_book.allocatable import host_range
from providers.address_book.labelling import Label
from providers.model import Group, Occupancy, Reservation, Subnet, Use
from proxy.api.phpipam.identifiers import address_id

_IPV4 = 4
_USED, _DHCP = 2, 4
_NEVER = "1970-01-01 00:00:01"
_TAG_NAMES = (
    ("Offline", 1, "#f59c99", "No"),
    ("Used", 0, "#a9c9a4", "No"),
    ("Reserved", 1, "#9ac0cd", "No"),
    ("DHCP", 1, "#c9c9c9", "Yes"),
)

Row = dict[str, Any]


def section_row(group: Group) -> Row:
    """A group."""
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description or None,
        "masterSection": 0,
        "permissions": None,
        "strictMode": "1",
        "subnetOrdering": None,
        "order": None,
        "editDate": None,
        "showSubnet": 1,
        "showVLAN": 0,
        "showVRF": 0,
        "showSupernetOnly": 0,
        "DNS": None,
    }


def subnet_row(subnet: Subnet, around: Subnet | None) -> Row:
    """A subnet as lists have it; ``around`` is the one that it lies in, if it does."""
    return {
        "id": subnet.id,
        "subnet": str(subnet.network.network),
        "mask": str(subnet.network.prefixlen),
        "sectionId": subnet.group.id,
        "description": subnet.description or None,
        "linked_subnet": None,
        "firewallAddressObject": None,
        "vrfId": None,
        "masterSubnetId": 0 if around is None else around.id,
        "allowRequests": 0,
        "vlanId": None,
        "showName": 0,
        "device": 0,
        "permissions": None,
        "pingSubnet": 0,
        "discoverSubnet": 0,
        "resolveDNS": 0,
        "DNSrecursive": 0,
        "DNSrecords": 0,
        "nameserverId": subnet.id if subnet.options.dns else 0,
        "scanAgent": None,
        "customer_id": None,
        "isFolder": 0,
        "isFull": 0,
        "isPool": 0,
        "tag": _USED,
        "threshold": 0,
        "location": None,
        "editDate": None,
        "lastScan": None,
        "lastDiscovery": None,
    }


def described_subnet(subnet: Subnet, around: Subnet | None) -> Row:
    """A subnet with name servers and gateway, if it has any."""
    row = subnet_row(subnet, around) | _name_servers(subnet) | _gateway_id(subnet)
    if subnet.options.gateway is not None:
        row["gateway"] = {"ip_addr": str(subnet.options.gateway), "id": row["gatewayId"]}
    return row


def whole_subnet(subnet: Subnet, around: Subnet | None) -> Row:
    """A subnet asked for by its id: also with what follows from its network."""
    return described_subnet(subnet, around) | {"calculation": _calculation(subnet.network)}


def used_subnet(subnet: Subnet, around: Subnet | None, there: Occupancy) -> Row:
    """A subnet among those of a section: also with how full it is."""
    row = subnet_row(subnet, around) | _gateway_id(subnet) | _name_servers(subnet)
    return row | {"usage": usage_row(subnet, there)}


def address_row(reservation: Reservation, label: Label) -> Row:
    """A reservation; without a tag of its own it has that of its uses."""
    of_uses = _DHCP if set(reservation.uses) == {Use.DHCP} else _USED
    changed = reservation.changed_at if reservation.changed_at != reservation.created_at else None
    return {
        "id": address_id(reservation.subnet, reservation.address),
        "subnetId": reservation.subnet.id,
        "ip": str(reservation.address),
        "is_gateway": 0,
        "description": reservation.description,
        "hostname": reservation.name,
        "mac": reservation.mac,
        "owner": label.owner,
        "tag": label.tag or of_uses,
        "deviceId": None,
        "location": None,
        "port": None,
        "note": reservation.note,
        "lastSeen": _NEVER,
        "excludePing": 0,
        "PTRignore": 0,
        "PTR": 0,
        "firewallAddressObject": None,
        "editDate": changed and local_time(changed),
        "customer_id": None,
    }


def usage_row(subnet: Subnet, there: Occupancy) -> Row:
    """How full a subnet is; ``used`` are the reserved ones, ``freehosts`` what nobody has or is promised."""
    hosts = host_range(subnet.network)
    most = int(hosts.last) - int(hosts.first) + 1
    free = max(0, most - there.reserved - there.held - there.resting)
    return {
        "Used": there.reserved,
        "Reserved": 0,
        "Used_percent": _percent(there.reserved, most),
        "Reserved_percent": 0,
        "used": str(there.reserved),
        "freehosts": str(free),
        "freehosts_percent": _percent(free, most),
        "maxhosts": str(most),
    }


def tag_rows() -> list[Row]:
    """The four tags of a fresh phpIPAM."""
    return [
        {
            "id": number,
            "type": name,
            "showtag": shown,
            "bgcolor": colour,
            "fgcolor": "#ffffff",
            "compress": compress,
            "locked": "Yes",
            "updateTag": 1,
        }
        for number, (name, shown, colour, compress) in enumerate(_TAG_NAMES, start=1)
    ]


def local_time(moment: datetime) -> str:
    """``2026-01-31 09:30:00``, the time of day where the service runs, as phpIPAM writes its own."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _name_servers(subnet: Subnet) -> Row:
    if not subnet.options.dns:
        return {}
    named = {"id": subnet.id, "name": f"{subnet.network}", "namesrv1": ";".join(map(str, subnet.options.dns))}
    return {"nameservers": {**named, "description": "", "permissions": None, "editDate": None}}


def _gateway_id(subnet: Subnet) -> Row:
    gateway = subnet.options.gateway
    if gateway is None:
        return {}
    return {"gatewayId": address_id(subnet, gateway) if gateway in subnet.network else 0}


def _calculation(network: IPNetwork) -> Row:
    hosts = host_range(network)
    bounds = {"Min host IP": str(hosts.first), "Max host IP": str(hosts.last)}
    number = {"Number of hosts": str(int(hosts.last) - int(hosts.first) + 1)}
    if network.version == _IPV4:
        return {
            "Type": "IPv4",
            "IP address": "/",
            "Network": str(network.network),
            "Broadcast": str(IPAddress(network.last, _IPV4)),
            "Subnet bitmask": str(network.prefixlen),
            "Subnet netmask": str(network.netmask),
            "Subnet wildcard": str(network.hostmask),
            **bounds,
            **number,
        }
    prefix = {"Subnet prefix": str(network), "Prefix length": str(network.prefixlen)}
    return {"Type": "IPv6", "Host address": "/", "Host address (uncompressed)": "/", **prefix, **bounds, **number}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0
