"""``/groups`` and ``/subnets``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from netaddr import IPNetwork

from providers.address_book import subnet_spec
from providers.addresses import parse_network
from providers.model import Options, Strategy, Subnet, SubnetSpec
from proxy.access import Policy, access, may_see_group, may_use, permit_subnet
from proxy.api.v1.face import face
from proxy.api.v1.operation import Answer, Loaded, operation
from proxy.api.v1.places import bad_cursor, caller, group_of, page, subnet_at
from proxy.api.v1.schemas.paging import GroupQuery
from proxy.api.v1.schemas.subnets import (
    GroupBody,
    GroupList,
    GroupRow,
    OccupancyRow,
    RemoveQuery,
    SubnetBody,
    SubnetChanges,
    SubnetList,
    SubnetRow,
    SubnetsQuery,
)
from proxy.rows import group_row, occupancy_row, subnet_row
from proxy.service import current_book

_OPTIONS = {field.name for field in fields(Options)}
_LONGEST_ID = 9


@face.get("/groups")
@access(Policy.READ, keeps_limits=True)
@operation("groups", answer=GroupList)
def groups() -> Answer:
    """List the groups."""
    book = current_book()
    by_group: dict[int, list[Subnet]] = {}
    for subnet in book.subnets():
        by_group.setdefault(subnet.group.id, []).append(subnet)
    rows = []
    for group in book.groups():
        subnets = by_group.get(group.id, [])
        if may_see_group(group.name, subnets):
            rows.append(group_row(group, sum(map(may_use, subnets))))
    return page(rows, None)


@face.post("/groups")
@access(Policy.ADMIN)
@operation("groups", body=GroupBody, answer=GroupRow, status=201, refusals=(409,))
def add_group(body: Loaded) -> Answer:
    """Make a group.

    A subnet in a new group makes the group as well.
    """
    return group_row(current_book().add_group(body["name"], body["description"], caller()), 0)


@face.get("/subnets")
@access(Policy.READ, keeps_limits=True)
@operation("subnets", query=SubnetsQuery, answer=SubnetList, refusals=(404,))
def subnets(query: Loaded) -> Answer:
    """List subnets, and how full they are."""
    book = current_book()
    if query["ip"] is not None:
        holding = book.subnet_of(query["ip"], group_of(query))
        permit_subnet(holding)
        return page([subnet_row(holding, book.occupancy(holding))], None)
    found = [each for each in book.subnets(group=group_of(query), dhcp=query["dhcp"]) if may_use(each)]
    if query["after"]:
        # The order is that of networks, and among equals that of ids. The subnet itself may be gone meanwhile.
        place = _place(query["after"])
        found = [each for each in found if (each.network, each.id) > place]
    shown = found[: query["limit"]]
    more = len(shown) < len(found)
    return page([subnet_row(each, book.occupancy(each)) for each in shown], _cursor(shown[-1]) if more else None)


@face.post("/subnets")
@access(Policy.ADMIN)
@operation("subnets", body=SubnetBody, answer=SubnetRow, status=201, refusals=(409,))
def add_subnet(body: Loaded) -> Answer:
    """Make a subnet.

    Its network and broadcast address, gateway and name servers are never handed out. What the subnet around it has in
    its range moves into it.
    """
    book = current_book()
    spec = SubnetSpec(network=body["network"], group=body["group"])
    changes = {name: value for name, value in body.items() if name not in {"network", "group"}}
    added = book.add_subnet(_described(spec, changes), caller())
    return subnet_row(added, book.occupancy(added))


@face.get("/subnets/<address>/<prefix>")
@access(Policy.READ, keeps_limits=True)
@operation("subnets", query=GroupQuery, answer=SubnetRow, refusals=(404,))
def show_subnet(address: str, prefix: str, query: Loaded) -> Answer:
    """Show a subnet."""
    found = subnet_at(address, prefix, query)
    return subnet_row(found, current_book().occupancy(found))


@face.patch("/subnets/<address>/<prefix>")
@access(Policy.ADMIN)
@operation("subnets", query=GroupQuery, body=SubnetChanges, answer=SubnetRow, refusals=(404, 409))
def change_subnet(address: str, prefix: str, query: Loaded, body: Loaded) -> Answer:
    """Change a subnet.

    What is absent stays, null takes a value away. Lists are replaced as a whole. Network and group never change. Where
    several groups have the network, the query has to say which is meant.
    """
    book = current_book()
    found = subnet_at(address, prefix, query, sure=True)
    changed = book.change_subnet(found, _described(subnet_spec(found), body), caller())
    return subnet_row(changed, book.occupancy(changed))


@face.delete("/subnets/<address>/<prefix>")
@access(Policy.ADMIN)
@operation("subnets", query=RemoveQuery, answer=OccupancyRow, refusals=(404, 409))
def remove_subnet(address: str, prefix: str, query: Loaded) -> Answer:
    """Remove a subnet.

    The answer counts what was in it. One with anything in it is only removed with `force`. Where several groups have
    the network, the query has to say which is meant.
    """
    found = subnet_at(address, prefix, query, sure=True)
    return occupancy_row(current_book().remove_subnet(found, caller(), force=query["force"]))


@face.get("/subnets/<address>/<prefix>/utilisation")
@access(Policy.READ, keeps_limits=True)
@operation("subnets", query=GroupQuery, answer=OccupancyRow, refusals=(404,))
def utilisation(address: str, prefix: str, query: Loaded) -> Answer:
    """Count what is in a subnet."""
    return occupancy_row(current_book().occupancy(subnet_at(address, prefix, query)))


def _cursor(subnet: Subnet) -> str:
    return f"{subnet.network}:{subnet.id}"


def _place(text: str) -> tuple[IPNetwork, int]:
    """What ``_cursor`` made a text of; raises InvalidValue for anything else."""
    network, _, number = text.rpartition(":")
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_ID):
        raise bad_cursor()
    return parse_network(network), int(number)


def _described(spec: SubnetSpec, changes: Mapping[str, Any]) -> SubnetSpec:
    """``spec`` with what a body says."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()
    }
    if "strategy" in given:
        given["strategy"] = Strategy(given["strategy"])
    options = {name: value for name, value in given.items() if name in _OPTIONS}
    rest = {name: value for name, value in given.items() if name not in _OPTIONS}
    return replace(spec, options=replace(spec.options, **options), **rest)
