"""What the double keeps: sections, subnets, addresses, name servers, VLANs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from tests.phpipam.columns import EMPTY
from tests.phpipam.errors import Refused
from tests.phpipam.numbers import dotted, number_of

PERMISSIONS = '{"3":"1","2":"2"}'

TAGS: list[dict[str, Any]] = [
    {"id": 1, "type": "Offline", "showtag": 1, "bgcolor": "#f59c99", "compress": "No"},
    {"id": 2, "type": "Used", "showtag": 0, "bgcolor": "#a9c9a4", "compress": "No"},
    {"id": 3, "type": "Reserved", "showtag": 1, "bgcolor": "#9ac0cd", "compress": "No"},
    {"id": 4, "type": "DHCP", "showtag": 1, "bgcolor": "#c9c9c9", "compress": "Yes"},
]


@dataclass
class Net:
    """A subnet or a folder: ``row`` is what the table has, the rest is what it means."""

    row: dict[str, Any]
    first: int = 0
    last: int = 0
    addresses: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def hosts(self) -> range:
        """What an address of it may be, when it is no folder."""
        whole = self.row["isPool"] or self.last > 2**32 or self.last - self.first < 2
        return range(self.first, self.last + 1) if whole else range(self.first + 1, self.last)


class Store:
    """Tables and their keys. Methods that write are atomic as single statements of the database are, by one lock."""

    def __init__(self) -> None:
        self.sections: dict[int, dict[str, Any]] = {}
        self.subnets: dict[int, Net] = {}
        self.addresses: dict[int, dict[str, Any]] = {}
        self.nameservers: dict[int, dict[str, Any]] = {}
        self.vlans: dict[int, dict[str, Any]] = {}
        self.tags = [tag | {"fgcolor": "#ffffff", "locked": "Yes", "updateTag": 1} for tag in TAGS]
        self.devices = {1}
        self._last_id = 0

    def add_section(self, name: str, description: str, number: int | None = None) -> int:
        """A section, by the next number unless one is given."""
        key = number or max(self.sections, default=0) + 1
        self.sections[key] = {
            "id": key,
            "name": name,
            "description": description,
            "masterSection": 0,
            "permissions": PERMISSIONS,
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
        return key

    def add_subnet(self, cidr: str | None, section: int, number: int | None = None, **columns: Any) -> int:
        """A subnet, or a folder without ``cidr``."""
        key = number or max(self.subnets, default=0) + 1
        network = None if cidr is None else ip_network(cidr)
        row = {
            "id": key,
            "subnet": "0" if network is None else str(int(network.network_address)),
            "mask": "" if network is None else str(network.prefixlen),
            "sectionId": section,
            "description": None,
            "linked_subnet": None,
            "firewallAddressObject": None,
            "vrfId": None,
            "masterSubnetId": 0,
            "allowRequests": 0,
            "vlanId": None,
            "showName": 0,
            "device": 0,
            "permissions": PERMISSIONS,
            "pingSubnet": 0,
            "discoverSubnet": 0,
            "resolveDNS": 0,
            "DNSrecursive": 0,
            "DNSrecords": 0,
            "nameserverId": 0,
            "scanAgent": None,
            "customer_id": None,
            "isFolder": int(network is None),
            "isFull": 0,
            "isPool": 0,
            "tag": 2,
            "threshold": 0,
            "location": None,
            "editDate": None,
            "lastScan": None,
            "lastDiscovery": None,
            "custom_domain": None,
        }
        net = Net(row | columns)
        if network is not None:
            net.first, net.last = int(network.network_address), int(network.broadcast_address)
        self.subnets[key] = net
        return key

    def remove_subnet(self, number: int) -> None:
        """With the addresses in it."""
        for row in list(self.subnets[number].addresses.values()):
            self.remove_address(row["id"])
        del self.subnets[number]

    def children(self, number: int) -> list[Net]:
        """The subnets right below one."""
        return [net for net in self.subnets.values() if net.row["masterSubnetId"] == number]

    def insert_address(self, values: dict[str, Any], number: int | None = None) -> int:
        """A row; raises Refused when the pair (ip, subnet) is there, as the unique key does."""
        net = self.subnets[values["subnetId"]]
        key = number or self._last_id + 1
        self._last_id = max(self._last_id, key)
        row = EMPTY | values | {"id": key}
        if net.addresses.setdefault(row["ip_addr"], row) is not row:
            raise Refused(
                500,
                "Error: SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry "
                f"'{row['ip_addr']}-{row['subnetId']}' for key 'sid_ip_unique'",
            )
        self.addresses[key] = row
        return key

    def update_address(self, number: int, values: dict[str, Any], now: datetime) -> None:
        """Change columns; the time of the change is kept when anything did."""
        row = self.addresses[number]
        if any(row[column] != value for column, value in values.items()):
            row.update(values, editDate=now.strftime("%Y-%m-%d %H:%M:%S"))

    def remove_address(self, number: int) -> None:
        """Delete a row that is there."""
        row = self.addresses.pop(number)
        self.subnets[row["subnetId"]].addresses.pop(row["ip_addr"], None)

    def withdraw_gateway(self, subnet: int, now: datetime) -> None:
        """No address of the subnet is its gateway any more."""
        for row in self.subnets[subnet].addresses.values():
            if row["is_gateway"]:
                self.update_address(row["id"], {"is_gateway": 0}, now)

    def gateway(self, subnet: int) -> dict[str, Any] | None:
        """The address that is the subnet's gateway."""
        return next((row for row in self.subnets[subnet].addresses.values() if row["is_gateway"]), None)

    def at(self, address: int) -> list[dict[str, Any]]:
        """The rows of an address in all subnets, oldest first."""
        found = [net.addresses[address] for net in self.subnets.values() if address in net.addresses]
        return sorted(found, key=lambda row: row["id"])

    def first_free(self, subnet: int) -> int | None:
        """The lowest that is not taken, IPv6's network address too; None for what gives out nothing."""
        net = self.subnets.get(subnet)
        if net is None or net.row["isFolder"] or net.row["isFull"] or self.children(subnet):
            return None
        # range counts in 64 bits only, and an IPv6 subnet is larger.
        number = net.hosts.start
        while number in net.addresses:
            number += 1
        return number if number < net.hosts.stop else None

    def fill(self, subnet: int, many: int, first: str | None = None) -> None:
        """Take ``many`` addresses from the bottom up, or from ``first`` on."""
        net = self.subnets[subnet]
        start = net.hosts.start if first is None else number_of(first)
        for number in range(start, start + many):
            if number not in net.addresses:
                self.insert_address({"subnetId": subnet, "ip_addr": number, "hostname": f"host-{dotted(number)}"})
