"""The External IPAM face, as Foreman's ``ProxyAPI::ExternalIPAM`` calls it; errors are ``{"error": text}``."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_plus

from flask import Blueprint, Response, request
from netaddr import IPAddress, IPNetwork

from providers.addresses import parse_address, parse_network
from providers.errors import Exhausted, GroupNotFound, InvalidValue, LeaseholdError, SubnetNotFound
from providers.model import Asker, Caller, Group, Subnet, Use
from proxy.access import Policy, access, may_see_group, may_use, only_group, permit_group, permit_subnet
from proxy.api.answer import empty_answer, json_answer
from proxy.api.form import Parameters, query_parameters
from proxy.errors import as_object
from proxy.service import current_book, current_caller, current_service

face = Blueprint("ipam", __name__, url_prefix="/ipam")

_MAC = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
_LONGEST_GROUP = 255


@face.get("/groups")
@access(Policy.READ, keeps_limits=True)
def groups() -> Response:
    """All groups."""
    book = current_book()
    subnets = book.subnets()
    seen = (group for group in book.groups() if may_see_group(group.name, _of_group(subnets, group)))
    return json_answer([_group_record(group) for group in seen])


@face.get("/groups/<group>")
@access(Policy.READ, keeps_limits=True)
def one_group(group: str) -> Response:
    """One group, by name or id."""
    return json_answer(_group_record(_group(group)))


@face.get("/groups/<group>/subnets")
@access(Policy.READ, keeps_limits=True)
def group_subnets(group: str) -> Response:
    """The subnets of a group; 404 when it has none."""
    found = [subnet for subnet in current_book().subnets(group=_group(group).name) if may_use(subnet)]
    if not found:
        raise SubnetNotFound("Subnet not found in External IPAM")
    return json_answer([_subnet_record(subnet) for subnet in found])


@face.get("/subnet/<address>/<prefix>")
@access(Policy.READ, keeps_limits=True)
def one_subnet(address: str, prefix: str) -> Response:
    """One subnet."""
    network = parse_network(f"{address}/{prefix}")
    return json_answer(_subnet_record(_subnet(network, query_parameters(request))))


@face.get("/subnet/<address>/<prefix>/next_ip")
@access(Policy.WRITE, head=Policy.READ, keeps_limits=True)
def next_ip(address: str, prefix: str) -> Response:
    """An address that is held for the caller from now on. HEAD answers alike and holds nothing."""
    query = query_parameters(request)
    asker = Asker(mac=_mac(query.text("mac")))
    network = parse_network(f"{address}/{prefix}")
    subnet = _subnet(network, query)
    if request.method == "HEAD":
        return json_answer({"data": None})
    try:
        free = current_book().suggest(subnet, asker, _caller(), use=Use.IPAM)
    except Exhausted:
        return json_answer({"error": "No free addresses found"})
    return json_answer({"data": str(free)})


@face.get("/subnet/<address>/<prefix>/<ip>")
@access(Policy.READ, keeps_limits=True)
def ip_exists(address: str, prefix: str, ip: str) -> Response:
    """Whether the address is taken, in the form that the settings ask for."""
    subnet, wanted = _address(address, prefix, ip)
    taken = current_book().exists(subnet, wanted)
    bare = current_service().settings.externalipam.ip_exists_form == "bare"
    return json_answer(taken if bare else {"result": taken})


@face.post("/subnet/<address>/<prefix>/<ip>")
@access(Policy.WRITE, keeps_limits=True)
def add_ip(address: str, prefix: str, ip: str) -> Response:
    """Take an address."""
    subnet, wanted = _address(address, prefix, ip)
    current_book().reserve(subnet, wanted, Use.IPAM, _caller())
    return empty_answer(201)


@face.delete("/subnet/<address>/<prefix>/<ip>")
@access(Policy.WRITE, keeps_limits=True)
def delete_ip(address: str, prefix: str, ip: str) -> Response:
    """Give an address back; it is no error when it is not taken."""
    subnet, unwanted = _address(address, prefix, ip)
    current_book().release(subnet, _caller(), address=unwanted, use=Use.IPAM)
    return empty_answer(204)


@face.errorhandler(LeaseholdError)
def _failed(error: LeaseholdError) -> Response:
    return as_object(error)


def _caller() -> Caller:
    return current_caller("ipam")


def _address(address: str, prefix: str, ip: str) -> tuple[Subnet, IPAddress]:
    network, wanted = parse_network(f"{address}/{prefix}"), parse_address(ip)
    if wanted not in network:
        raise InvalidValue(f"IP {wanted} is not in {network}")
    return _subnet(network, query_parameters(request)), wanted


def _subnet(network: IPNetwork, query: Parameters) -> Subnet:
    group = query.text("group") or only_group()
    _check_group_name(group)
    try:
        subnet = current_book().subnet(network, group)
    except GroupNotFound as error:
        raise _no_group() from error
    except SubnetNotFound as error:
        raise SubnetNotFound("Subnet not found in External IPAM") from error
    permit_subnet(subnet)
    return subnet


def _group(segment: str) -> Group:
    """The group that a path names; its segment comes encoded (see :mod:`proxy.paths`), a blank may be a ``+``."""
    name = unquote_plus(segment)
    _check_group_name(name)
    book = current_book()
    try:
        group = book.group(name)
    except GroupNotFound as error:
        raise _no_group() from error
    permit_group(group.name, _of_group(book.subnets(), group))
    return group


def _of_group(subnets: list[Subnet], group: Group) -> list[Subnet]:
    return [subnet for subnet in subnets if subnet.group.id == group.id]


def _check_group_name(name: str) -> None:
    """A name that no group can have is not looked for: not every database takes every character."""
    if len(name) > _LONGEST_GROUP or not name.isprintable():
        raise _no_group()


def _no_group() -> GroupNotFound:
    return GroupNotFound("Group not found in External IPAM")


def _mac(text: str | None) -> str | None:
    """The MAC of the query: 6 octets of two digits, or none. The IPAM plugin is stricter here than ``/dhcp``."""
    if not text:
        return None
    if _MAC.fullmatch(text):
        return text.lower()
    raise InvalidValue("Mac address is invalid")


def _group_record(group: Group) -> dict[str, Any]:
    return {"id": group.id, "name": group.name, "description": group.description}


def _subnet_record(subnet: Subnet) -> dict[str, Any]:
    return {
        "id": subnet.id,
        "subnet": str(subnet.network.network),
        "mask": str(subnet.network.prefixlen),
        "description": subnet.description,
    }
