"""The state behind the recorded exchanges."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook
from providers.addresses import Range
from providers.model import Caller, DHCPHost, Lease, Options, SubnetSpec, Use

RECORDED = Path(__file__).parents[2] / "recorded" / "foreman"

_SEEDER = Caller("seed")
_GROUPS = (
    ("Customers", "Section for customers"),
    ("CBSD", "Jails"),
    ("IPv6", "Section for IPv6 addresses"),
    ("Lab two", "a space in the name"),
    ("R&D / Büro #1 100%", "special characters"),
    ("2024", "an all-digit name"),
)
_IPAM_SUBNETS = (
    ("10.0.1.0/24", "CBSD", "jails"),
    ("192.168.0.0/16", "CBSD", "big"),
    ("10.20.30.0/29", "CBSD", "small"),
    ("2001:db8:abcd:12::/64", "IPv6", "v6 empty"),
    ("10.0.1.0/24", "Customers", "same network, other section"),
    ("10.99.0.0/30", "CBSD", "full /30"),
    ("10.99.1.0/30", "CBSD", "marked full, empty"),
    ("10.50.0.0/16", "CBSD", "parent"),
    ("10.50.1.0/24", "CBSD", "child"),
    ("10.99.2.0/31", "CBSD", "/31"),
    ("10.99.3.7/32", "CBSD", "/32"),
    ("172.16.5.0/29", "CBSD", "pool"),
    ("10.60.0.0/24", "CBSD", "empty /24"),
    ("2001:db8:abcd:13::/64", "IPv6", "v6 with ::1 and gateway"),
    ("10.62.0.0/24", "Lab two", "in a group with a space"),
)
_IPAM_ADDRESSES = (
    ("10.0.1.0/24", "10.0.1.1"),
    ("10.0.1.0/24", "10.0.1.10"),
    ("10.0.1.0/24", "10.0.1.11"),
    ("10.99.0.0/30", "10.99.0.1"),
    ("10.99.0.0/30", "10.99.0.2"),
    ("2001:db8:abcd:13::/64", "2001:db8:abcd:13::1"),
    ("10.62.0.0/24", "10.62.0.1"),
)


def seed_dhcp(book: AddressBook) -> list[Lease]:
    """Fill ``book`` with the subnets and reservations of seed.json; returns its active leases for the DHCP server."""
    seed = json.loads((RECORDED / "seed.json").read_text())
    for subnet in seed["subnets"]:
        book.add_subnet(_dhcp_subnet(subnet), _SEEDER)
    for found in seed["reservations"]:
        address = IPAddress(found["ip"])
        host = DHCPHost(found["mac"], found["name"], found["name"], found.get("filename"), found.get("nextServer"))
        book.reserve(book.dhcp_subnet(address), address, Use.DHCP, _SEEDER, host=host)
    return [
        Lease(
            address=IPAddress(found["ip"]),
            mac=found["mac"],
            starts=datetime.fromisoformat(found["starts"]),
            ends=None,
            state=found["state"],
            next_state="free",
            hostname=found["client_hostname"],
            uid=r"\001RT\000\273\000\001",
        )
        for found in seed["leases"]
        if found["state"] == "active"
    ]


def seed_ipam(book: AddressBook) -> None:
    """Fill ``book`` with the groups, subnets and addresses that phpIPAM had."""
    for name, description in _GROUPS:
        book.add_group(name, description, _SEEDER)
    for cidr, group, description in _IPAM_SUBNETS:
        book.add_subnet(SubnetSpec(IPNetwork(cidr), group, description), _SEEDER)
    for cidr, address in _IPAM_ADDRESSES:
        book.reserve(book.subnet(IPNetwork(cidr)), IPAddress(address), Use.IPAM, _SEEDER)


def _dhcp_subnet(found: dict[str, Any]) -> SubnetSpec:
    options = found["options"]
    addresses = {
        name: tuple(map(IPAddress, options.get(name, ()))) for name in ("routers", "domain-name-servers", "ntp-servers")
    }
    return SubnetSpec(
        network=IPNetwork(f"{found['network']}/{found['netmask']}"),
        group="Lab",
        dynamic=Range(*map(IPAddress, found["range"])) if "range" in found else None,
        options=Options(
            gateway=next(iter(addresses["routers"]), None),
            dns=addresses["domain-name-servers"],
            ntp=addresses["ntp-servers"],
            domain=options.get("domain-name"),
            mtu=options.get("interface-mtu"),
        ),
    )
