"""The controllers ``subnets`` and ``folders``."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from tests.phpipam.addresses import told
from tests.phpipam.errors import Died, Refused
from tests.phpipam.numbers import dotted, is_address, is_numeric, key_of, number_of
from tests.phpipam.service import Answer, Service
from tests.phpipam.store import Net

Row = dict[str, Any]

_CLASSES = {"10": "A", "192": "C"}
_GROUPS = [
    {"group_id": 3, "permission": "1", "name": "Guests", "desc": "default Guest group (viewers)", "members": False},
    {
        "group_id": 2,
        "permission": "2",
        "name": "Operators",
        "desc": "default Operator group",
        "members": [{"username": "leasehold"}],
    },
]


def get(service: Service) -> Answer:
    """Read one, or find some."""
    parameters = service.parameters
    id_, id2 = parameters.text("id"), parameters.text("id2")
    if id_ in {"", "all"}:
        return service.data(service.results.of(_all(service), "subnets"))
    if id2:
        return _below(service, id_, id2)
    if id_ == "custom_fields":
        domain = {"name": "custom_domain", "type": "varchar(64)", "Comment": "DNS domain", "Null": "YES"}
        return service.data({"custom_domain": domain | {"Default": None}})
    if not is_numeric(id_):
        raise Refused(404, "Invalid Id")
    net = _known(service)
    if net is None:
        raise Refused(400, f"Invalid subnet Id ({id_})")
    return service.data(service.results.of(_whole(service, net), "subnets"))


def _below(service: Service, id_: str, id2: str) -> Answer:
    if id_ in {"cidr", "search", "overlapping"}:
        found = _overlapping(service) if id_ == "overlapping" else _by_cidr(service)
        if not found:
            raise Refused(404, "No subnets found")
        return service.data(service.results.of(found, "subnets"))
    if not is_numeric(id_):
        raise Refused(400, f"Subnet Id must be numeric ({id_})")
    net = _known(service)
    if net is None:
        raise Refused(404, f"Invalid subnet Id ({id_})")
    if id2 == "addresses":
        return _addresses(service, net)
    if id2 == "slaves":
        slaves = _first_dotted(service, service.store.children(net.row["id"]))
        if not slaves:
            raise Refused(404, "No slaves")
        return service.data(service.results.of(slaves, "subnets"))
    if id2 == "usage":
        return service.data(usage(service, net))
    if id2 == "first_free":
        return _first_free(service, net)
    raise Refused(400, "Invalid request")


def _addresses(service: Service, net: Net) -> Answer:
    """The whole subnet; PHP runs out of memory from some size on."""
    asked = service.parameters.get("id3")
    if asked is None and len(net.addresses) >= service.whole_read_limit:
        raise Died
    rows = sorted(net.addresses.values(), key=lambda row: row["ip_addr"])
    if asked is not None:
        rows = [row for row in rows if dotted(row["ip_addr"]) == asked]
    if not rows:
        raise Refused(404, "No addresses found")
    return service.data(service.results.of(told(rows, lambda row: row["id"]), "addresses"))


def _first_free(service: Service, net: Net) -> Answer:
    if net.row["isFull"]:
        raise Refused(404, "No free addresses found")
    if service.store.children(net.row["id"]):
        raise Refused(409, "Subnet contains subnets")
    free = service.store.first_free(net.row["id"])
    if free is None:
        raise Refused(404, "No free addresses found")
    return service.data(dotted(free))


def _known(service: Service) -> Net | None:
    return service.store.subnets.get(key_of(service.parameters.get("id")))


def _by_cidr(service: Service) -> list[Row]:
    id2, mask = service.parameters.text("id2"), service.parameters.text("id3")
    if not is_address(id2):
        return []
    nets = service.store.subnets.values()
    return _first_dotted(
        service, [net for net in nets if net.row["subnet"] == str(number_of(id2)) and net.row["mask"] == mask]
    )


def _first_dotted(service: Service, nets: list[Net]) -> list[Row]:
    """Rows of which the first has an ``ip`` beside its network, until that is dotted."""
    found = [dict(net.row) for net in nets]
    for row in found if service.old_search else found[:1]:
        row["ip"] = dotted(number_of(row["subnet"]))
    return found


def _overlapping(service: Service) -> list[Row]:
    try:
        asked = ip_network(f"{service.parameters.text('id2')}/{service.parameters.text('id3')}", strict=False)
    except ValueError:
        return []
    first, last = int(asked.network_address), int(asked.broadcast_address)
    found = [
        net
        for net in service.store.subnets.values()
        if not net.row["isFolder"] and net.first <= last and first <= net.last and (net.last > 2**32) == (last > 2**32)
    ]
    return [dict(net.row) for net in sorted(found, key=lambda net: (-int(net.row["mask"]), net.first))]


def _whole(service: Service, net: Net) -> Row:
    """With name servers, gateway and what a calculator would say."""
    row = net.row | _nameservers(service, net)
    gateway = service.store.gateway(net.row["id"])
    if gateway is not None:
        row |= {"gatewayId": gateway["id"], "gateway": {"ip_addr": dotted(gateway["ip_addr"]), "id": gateway["id"]}}
    return row if net.row["isFolder"] else row | {"calculation": _calculation(net)}


def _nameservers(service: Service, net: Net) -> Row:
    found = service.store.nameservers.get(net.row["nameserverId"])
    return {} if found is None else {"nameservers": dict(found)}


def _all(service: Service) -> list[Row]:
    """Gateways are looked up by the address's own id where its subnet's is meant."""
    gateways = {key: row for key, row in service.store.addresses.items() if row["is_gateway"]}
    found = []
    for net in service.store.subnets.values():
        row = net.row | _nameservers(service, net) | {"permissions": _GROUPS, "location": []}
        gateway = gateways.get(net.row["id"])
        if gateway is not None:
            row |= {"gatewayId": gateway["id"], "gateway": gateway | {"ip_addr": dotted(gateway["ip_addr"])}}
        found.append(row)
    return found


def of_section(service: Service, section: int) -> list[Row]:
    """Folders first, then subnets by their numbers, with usage and the gateway's id."""
    nets = [net for net in service.store.subnets.values() if net.row["sectionId"] == section]
    nets.sort(key=lambda net: (0, net.row["description"], 0) if net.row["isFolder"] else (1, "", net.first))
    found = []
    for net in nets:
        row = dict(net.row)
        if not net.row["isFolder"]:
            gateway = service.store.gateway(net.row["id"])
            row |= ({} if gateway is None else {"gatewayId": gateway["id"]}) | _nameservers(service, net)
            row["usage"] = usage(service, net)
            if service.parameters.text("id3") == "addresses":
                addresses = sorted(net.addresses.values(), key=lambda each: each["ip_addr"])
                row["addresses"] = told(addresses, lambda each: each["id"])
        found.append(row)
    return found


def usage(service: Service, net: Net) -> Row:
    """Rows per tag, and what is left. Of a parent those of its children count, and their ends are reserved."""
    parent = bool(service.store.children(net.row["id"]))
    leaves = [each for each in _leaves(service, net) if not each.row["isFull"]]
    most = net.last - net.first + 1 if parent else net.hosts.stop - net.hosts.start
    counted: Row = {"Used": str(most) if net.row["isFull"] else 0, "Reserved": 0}
    rows = [] if net.row["isFull"] else [row for leaf in leaves for row in leaf.addresses.values()]
    used = most if net.row["isFull"] else len(rows)
    for tag in service.store.tags:
        count = sum(row["state"] == tag["id"] for row in rows)
        if count:
            counted |= {tag["type"]: count, f"{tag['type']}_percent": _percent(count, most)}
    ends = sum(2 for leaf in leaves if parent and leaf.hosts.start != leaf.first)
    if ends:
        counted["Reserved"], used = str(counted["Reserved"] + ends), used + ends
    counted["used"] = str(used) if used else 0
    counted.setdefault("Used_percent", _percent(used if net.row["isFull"] else 0, most))
    counted["Reserved_percent"] = _percent(int(counted["Reserved"]), most)
    return counted | {
        "freehosts": str(most - used),
        "freehosts_percent": _percent(most - used, most),
        "maxhosts": str(most),
    }


def _leaves(service: Service, net: Net) -> list[Net]:
    below = service.store.children(net.row["id"])
    return [leaf for each in below for leaf in _leaves(service, each)] if below else [net]


def _percent(part: int, whole: int) -> float | int:
    share = round(part * 100 / whole, 2)
    return int(share) if share == int(share) else share


def _calculation(net: Net) -> Row:
    hosts, network = net.hosts, dotted(net.first)
    if net.last > 2**32:
        whole = ip_network(f"{network}/{net.row['mask']}")
        nibbles = int(net.row["mask"]) // 4
        return {
            "Type": "IPv6",
            "Host address": "/",
            "Host address (uncompressed)": "/",
            "Subnet prefix": str(whole),
            "Prefix length": net.row["mask"],
            "Subnet Reverse DNS": ".".join(whole.network_address.reverse_pointer.split(".")[-2 - nibbles :]),
            "Min host IP": network,
            "Max host IP": dotted(net.last),
            "Number of hosts": str(hosts.stop - hosts.start),
            "Address type": "NET_IPV6",
        }
    wildcard = net.last - net.first
    # The calculator knows of no pools.
    ends = int(wildcard > 1)
    return {
        "Type": "IPv4",
        "IP address": "/",
        "Network": network,
        "Broadcast": dotted(net.last),
        "Subnet bitmask": net.row["mask"],
        "Subnet netmask": dotted(2**32 - 1 - wildcard),
        "Subnet wildcard": dotted(wildcard),
        "Min host IP": dotted(net.first + ends),
        "Max host IP": dotted(net.last - ends),
        "Number of hosts": str(wildcard + 1 - 2 * ends),
        "Subnet Class": f"private {_CLASSES.get(network.split('.')[0], 'B')}",
    }
