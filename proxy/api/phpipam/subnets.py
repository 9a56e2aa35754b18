"""Subnets: by id, by network, what is in them, and which address comes next."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request
from netaddr import AddrFormatError, IPNetwork

from providers.addresses import parse_network
from providers.errors import InvalidValue
from providers.model import Subnet
from proxy.access import Policy, access, may_use
from proxy.api.phpipam.envelope import Refused, found, found_many
from proxy.api.phpipam.face import face
from proxy.api.phpipam.filtering import narrowed
from proxy.api.phpipam.lookup import labelled_row, place_in_subnet, reserved, subnet_by_id
from proxy.api.phpipam.shapes import address_row, described_subnet, subnet_row, usage_row, whole_subnet
from proxy.api.phpipam.taking import offered
from proxy.service import current_book

_NONE = "No subnets found"


@face.get("/<app>/subnets/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def subnets(app: str) -> Response:
    """All of them."""
    seen = _seen()
    around = current_book().around(seen)
    rows, nothing = narrowed((described_subnet(subnet, around.get(subnet.id)) for subnet in seen), request)
    return found_many(rows, nothing or _NONE)


@face.get("/<app>/subnets/cidr/<address>/<mask>/", strict_slashes=False)
@face.get("/<app>/subnets/search/<address>/<mask>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def subnets_by_network(app: str, address: str, mask: str) -> Response:
    """Those with exactly that network, in all sections."""
    try:
        network = parse_network(f"{address}/{mask}")
    except InvalidValue:
        raise Refused(404, _NONE) from None
    return _listed(lambda subnet: subnet.network == network)


@face.get("/<app>/subnets/overlapping/<address>/<mask>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def overlapping_subnets(app: str, address: str, mask: str) -> Response:
    """Those that share an address with that network, in all sections."""
    try:
        network = IPNetwork(f"{address}/{mask}").cidr
    except (AddrFormatError, ValueError):
        raise Refused(404, _NONE) from None
    return _listed(lambda subnet: _overlap(subnet.network, network))


@face.get("/<app>/subnets/<subnet_id>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def one_subnet(app: str, subnet_id: str) -> Response:
    """One, with gateway and name servers."""
    unknown = Refused(400, f"Invalid subnet Id ({subnet_id})") if _numeric(subnet_id) else Refused(404, "Invalid Id")
    subnet = subnet_by_id(subnet_id, unknown)
    return found(whole_subnet(subnet, current_book().around([subnet]).get(subnet.id)))


@face.get("/<app>/subnets/<subnet_id>/usage/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def subnet_usage(app: str, subnet_id: str) -> Response:
    """How full it is."""
    subnet = _subnet(subnet_id)
    return found(usage_row(subnet, current_book().occupancy(subnet)))


@face.get("/<app>/subnets/<subnet_id>/first_free/", strict_slashes=False)
@access(Policy.WRITE, head=Policy.READ, keeps_limits=True)
def first_free_of_subnet(app: str, subnet_id: str) -> Response:
    """An address that is held for the caller from now on. HEAD answers alike and holds nothing."""
    subnet = _subnet(subnet_id)
    return found("" if request.method == "HEAD" else str(offered(subnet)))


@face.get("/<app>/subnets/<subnet_id>/addresses/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def subnet_addresses(app: str, subnet_id: str) -> Response:
    """What is reserved in it, not in the subnets inside it."""
    subnet = _subnet(subnet_id)
    book = current_book()
    mine = (each for each in book.reservations(subnet) if each.subnet.id == subnet.id)
    rows, nothing = narrowed((address_row(each, label) for each, label in book.labelled(mine)), request)
    return found_many(rows, nothing or "No addresses found")


@face.get("/<app>/subnets/<subnet_id>/addresses/<address>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def subnet_address(app: str, subnet_id: str, address: str) -> Response:
    """The same for one address: a list of one."""
    none = Refused(404, "No addresses found")
    return found([labelled_row(reserved(place_in_subnet(address, subnet_id, none), none))])


def _subnet(subnet_id: str) -> Subnet:
    if not _numeric(subnet_id):
        raise Refused(400, f"Subnet Id must be numeric ({subnet_id[:100]})")
    return subnet_by_id(subnet_id, Refused(404, f"Invalid subnet Id ({subnet_id[:100]})"))


def _listed(wanted: Callable[[Subnet], bool]) -> Response:
    chosen = [subnet for subnet in _seen() if wanted(subnet)]
    around = current_book().around(chosen)
    rows, nothing = narrowed((subnet_row(subnet, around.get(subnet.id)) for subnet in chosen), request)
    return found_many(rows, nothing or _NONE)


def _seen() -> list[Subnet]:
    """Those that this caller may see; at once, because a list is made when the request is over."""
    return [subnet for subnet in current_book().subnets() if may_use(subnet)]


def _numeric(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _overlap(one: IPNetwork, other: IPNetwork) -> bool:
    return one.version == other.version and (one in other or other in one)
