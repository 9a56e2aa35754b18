"""The sections, subnets and addresses that every recorded group of exchanges starts from."""

from __future__ import annotations

from typing import Any

from tests.phpipam.numbers import number_of
from tests.phpipam.store import Store

_SECTIONS = [
    (6, "2024", "an all-digit name"),
    (2, "CBSD", "Jails"),
    (3, "IPv6", "Section for IPv6 addresses"),
    (4, "Lab two", "a space in the name"),
    (1, "Customers", "Section for customers"),
    (5, "R&D / Büro #1 100%", "special characters"),
]
_JAILS: dict[str, Any] = {"vlanId": 1, "nameserverId": 1, "custom_domain": "jails.example.test"}
_SUBNETS: list[tuple[str | None, int, str, dict[str, Any]]] = [
    ("10.0.1.0/24", 2, "jails", _JAILS),
    ("192.168.0.0/16", 2, "big", {}),
    ("10.20.30.0/29", 2, "small", {}),
    ("2001:db8:abcd:12::/64", 3, "v6 empty", {"nameserverId": 2}),
    ("10.0.1.0/24", 1, "same network, other section", {}),
    (None, 1, "My folder", {}),
    ("10.99.0.0/30", 2, "full /30", {}),
    ("10.99.1.0/30", 2, "marked full, empty", {"isFull": 1}),
    ("10.50.0.0/16", 2, "parent", {}),
    ("10.50.1.0/24", 2, "child", {"masterSubnetId": 9}),
    ("10.99.2.0/31", 2, "/31", {}),
    ("10.99.3.7/32", 2, "/32", {}),
    ("172.16.5.0/29", 2, "pool", {"isPool": 1}),
    ("10.60.0.0/24", 2, "empty /24", {}),
    ("2001:db8:abcd:13::/64", 3, "v6 with ::1 and gateway", {"nameserverId": 2}),
    ("10.61.0.0/24", 6, "in folder-like section", {"nameserverId": 3}),
]
_JAIL = {"owner": "alice", "note": "first jail", "custom_node": "node1", "custom_ttl": 3600, "custom_managed": 1}
_ADDRESSES: list[tuple[int, str, str | None, str | None, str | None, dict[str, Any]]] = [
    (1, "10.0.1.1", "gw.jails.example.test", "02:00:00:00:00:01", "Gateway", {"is_gateway": 1}),
    (1, "10.0.1.10", "jail1.example.test", "02:00:00:00:00:10", "node1", _JAIL),
    (1, "10.0.1.11", "jail2.example.test", "02:00:00:00:00:11", None, {"state": 3}),
    (1, "10.0.1.12", None, None, "dhcp pool", {"state": 4}),
    (5, "10.0.1.10", "cust1.example.test", "02:00:00:00:00:10", "same IP, other section", {}),
    (7, "10.99.0.1", "full1.example.test", None, "a", {}),
    (7, "10.99.0.2", "full2.example.test", None, "b", {}),
    (15, "2001:db8:abcd:13::1", "gw6.example.test", None, "v6 gateway", {"is_gateway": 1}),
    (6, "203.0.113.9", "folder1.example.test", None, "address kept in a folder", {}),
    (1, "10.0.1.13", "jail1.example.test", "02:00:00:00:00:13", None, {}),
]
_NAMESERVERS = [
    (1, "CBSD NS", "10.0.1.53;10.0.1.54", "two name servers", "1;2"),
    (2, "v6 NS", "2001:db8:abcd:12::53", "", "3"),
    (3, "no address", "", "", None),
]


def fill_in(store: Store) -> None:
    """Put them into an empty store, under the recorded ids."""
    for number, name, description in _SECTIONS:
        store.add_section(name, description, number)
    for cidr, section, description, columns in _SUBNETS:
        store.add_subnet(cidr, section, description=description, **columns)
    for subnet, address, hostname, mac, text, columns in _ADDRESSES:
        values = {"subnetId": subnet, "ip_addr": number_of(address), "hostname": hostname, "mac": mac}
        store.insert_address(values | {"description": text} | columns)
    for number, name, addresses, described, permissions in _NAMESERVERS:
        row = {"id": number, "name": name, "namesrv1": addresses, "description": described}
        store.nameservers[number] = row | {"permissions": permissions, "editDate": None}
    vlan = {"vlanId": 1, "domainId": 1, "name": "jails", "number": 42, "description": ""}
    store.vlans[1] = vlan | {"editDate": None, "customer_id": None}
