"""The DHCP face, as Foreman's ``ProxyAPI::DHCP`` calls it."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from netaddr import IPAddress

from providers.address_book.serving import span_between
from providers.addresses import parse_address, parse_mac
from providers.errors import Exhausted, InvalidValue, NotFound, SubnetNotFound
from providers.model import Asker, Caller, Subnet, Use
from proxy.access import Policy, access, may_use, permit_subnet
from proxy.api.answer import empty_answer, json_answer, streamed_answer
from proxy.api.form import Parameters, all_parameters, query_parameters
from proxy.api.method import meant_method
from proxy.api.posted_host import posted_host, related_macs
from proxy.api.records import lease_record, reservation_record, subnet_name, subnet_record, written
from proxy.service import current_book, current_caller, current_service

face = Blueprint("dhcp", __name__, url_prefix="/dhcp")


@face.get("")
@face.get("/")
@access(Policy.READ, keeps_limits=True)
def subnets() -> Response:
    """The subnets, with the options that Foreman imports."""
    served = (subnet for subnet in current_book().subnets(dhcp=True) if _is_served(subnet) and may_use(subnet))
    return json_answer([subnet_record(subnet) for subnet in served])


@face.get("/<network>")
@access(Policy.READ, keeps_limits=True)
def records(network: str) -> Response:
    """All reservations and leases of a subnet."""
    subnet = _subnet(network)
    book = current_book()
    return streamed_answer(written(subnet, book.hosts(subnet), book.leases(subnet)))


@face.get("/<network>/unused_ip")
@access(Policy.WRITE, head=Policy.READ, keeps_limits=True)
def unused_ip(network: str) -> Response:
    """An address that is held for the caller from now on; null when there is none.

    HEAD answers alike and holds nothing.
    """
    asked = parse_address(network, version=4)
    query = query_parameters(request)
    first, last = _end(query, "from"), _end(query, "to")
    mac = query.text("mac")
    asker = Asker(mac=None if mac is None else parse_mac(mac))
    subnet = _subnet_of(asked)
    span = span_between(subnet, first, last)
    if request.method == "HEAD":
        return json_answer({"ip": None})
    try:
        address = current_book().suggest(subnet, asker, _caller(), span=span, use=Use.DHCP)
    except Exhausted as full:
        return json_answer({"ip": None, "message": str(full)})
    return json_answer({"ip": str(address)})


@face.get("/<network>/ip/<ip>")
@access(Policy.READ, keeps_limits=True)
def by_address(network: str, ip: str) -> Response:
    """All reservations on an address; the lease only if there is none."""
    asked, address = parse_address(network, version=4), parse_address(ip, version=4)
    subnet, book = _subnet_of(asked), current_book()
    place = subnet_name(subnet)
    hosts = book.hosts_at(subnet, address)
    if hosts:
        return json_answer([reservation_record(host, place) for host in hosts])
    lease = book.lease_at(subnet, address)
    if lease is None:
        raise NotFound(f"No DHCP records for IP {network}/{ip} found")
    return json_answer([lease_record(lease, place)])


@face.get("/<network>/mac/<mac>")
@access(Policy.READ, keeps_limits=True)
def by_mac(network: str, mac: str) -> Response:
    """The reservation of a MAC, or else its lease. Octets of one digit find nothing, as recorded."""
    asked, wanted = parse_address(network, version=4), parse_mac(mac)
    subnet, book = _subnet_of(asked), current_book()
    place = subnet_name(subnet)
    if wanted == mac.lower():
        host = book.host_of(subnet, wanted)
        if host is not None:
            return json_answer(reservation_record(host, place))
        lease = book.lease_of(subnet, wanted)
        if lease is not None:
            return json_answer(lease_record(lease, place))
    raise NotFound(f"No DHCP record for MAC {network}/{mac.lower()} found")


@face.post("/<network>")
@access(Policy.WRITE, keeps_limits=True)
def reserve(network: str) -> Response:
    """Reserve an address for a MAC. The network of the path counts, one in the form does not."""
    asked = parse_address(network, version=4)
    form = all_parameters(request)
    if meant_method(request, form) != "POST":
        abort(404)
    host = posted_host(form)
    subnet = _subnet_to_write(asked)
    address = parse_address(form.text("ip") or "", version=4)
    current_book().reserve(subnet, address, Use.DHCP, _caller(), host=host, related_macs=related_macs(form))
    return empty_answer()


@face.delete("/<network>/ip/<ip>")
@access(Policy.WRITE, keeps_limits=True)
def release_address(network: str, ip: str) -> Response:
    """Remove all reservations on an address; it is no error when there are none, or no such subnet.

    A lease stays, and is no error either: see ``release_mac``.
    """
    asked, address = parse_address(network, version=4), parse_address(ip, version=4)
    book = current_book()
    try:
        subnet = _subnet_of(asked)
    except SubnetNotFound:
        return empty_answer()
    if address in subnet.network:
        book.release(subnet, _caller(), address=address, use=Use.DHCP)
    return empty_answer()


@face.delete("/<network>/mac/<mac>")
@access(Policy.WRITE, keeps_limits=True)
def release_mac(network: str, mac: str) -> Response:
    """Remove the reservation of a MAC; it is no error when there is none, or no such subnet.

    A lease stays: only the DHCP server ends it. The smart proxy answers 400 to that, and then Foreman cannot change
    the address of a machine that got one before Foreman knew it: it deletes what is there before it creates.
    """
    asked, unwanted = parse_address(network, version=4), parse_mac(mac)
    book = current_book()
    try:
        subnet = _subnet_of(asked)
    except SubnetNotFound:
        return empty_answer()
    book.release(subnet, _caller(), mac=unwanted, use=Use.DHCP)
    return empty_answer()


@face.post("/<network>/ip/<ip>")
@access(Policy.WRITE, keeps_limits=True)
def override_address(network: str, ip: str) -> Response:
    """A POST that means DELETE or GET."""
    method = meant_method(request, all_parameters(request))
    if method == "DELETE":
        return release_address(network, ip)
    return by_address(network, ip) if method == "GET" else abort(404)


@face.post("/<network>/mac/<mac>")
@access(Policy.WRITE, keeps_limits=True)
def override_mac(network: str, mac: str) -> Response:
    """A POST that means DELETE or GET."""
    method = meant_method(request, all_parameters(request))
    if method == "DELETE":
        return release_mac(network, mac)
    return by_mac(network, mac) if method == "GET" else abort(404)


def _caller() -> Caller:
    return current_caller("dhcp")


def _subnet(network: str) -> Subnet:
    return _subnet_of(parse_address(network, version=4))


def _subnet_of(asked: IPAddress) -> Subnet:
    """The subnet that holds the address in the path; Foreman writes its network address there."""
    try:
        subnet = current_book().dhcp_subnet(asked)
    except SubnetNotFound:
        subnet = None
    if subnet is None or not _is_served(subnet):
        raise SubnetNotFound(f"Subnet {asked} could not be found")
    permit_subnet(subnet)
    return subnet


def _subnet_to_write(asked: IPAddress) -> Subnet:
    """As :func:`_subnet_of`, but a missing one is the caller's mistake: the smart proxy answers 400 to a POST."""
    try:
        return _subnet_of(asked)
    except SubnetNotFound as error:
        raise InvalidValue(f"No Subnet detected for: {asked}") from error


def _is_served(subnet: Subnet) -> bool:
    only = current_service().settings.dhcp.subnets
    return not only or subnet.network in only


def _end(query: Parameters, name: str) -> IPAddress | None:
    text = query.text(name)
    return None if text is None else parse_address(text, version=4)
