"""Addresses: taking, describing and giving back."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, request
from netaddr import IPAddress

from providers.address_book.allocatable import usable
from providers.addresses import parse_address
from providers.errors import Conflict, InvalidValue, NotFound
from providers.model import Reservation, Subnet, Use
from proxy.access import Policy, access
from proxy.api.form import query_parameters
from proxy.api.phpipam.envelope import Refused, created, done, found
from proxy.api.phpipam.face import face
from proxy.api.phpipam.fields import sent
from proxy.api.phpipam.identifiers import address_id
from proxy.api.phpipam.lookup import place_by_id, place_in_subnet, reserved, subnet_by_id
from proxy.api.phpipam.taking import caller, offered, take_next
from proxy.service import current_book

_FULL = "No free addresses found"
_ABSENT = "Address does not exist"
_FIXED = {"ip": "IP address cannot be changed", "subnetId": "Subnet cannot be changed"}


@face.get("/<app>/addresses/first_free/", strict_slashes=False)
@face.get("/<app>/addresses/first_free/<subnet_id>/", strict_slashes=False)
@access(Policy.WRITE, head=Policy.READ, keeps_limits=True)
def first_free(app: str, subnet_id: str | None = None) -> Response:
    """An address that is held for the caller from now on. HEAD answers alike and holds nothing."""
    wanted = subnet_id or query_parameters(request).text("subnetId") or ""
    subnet = subnet_by_id(wanted, Refused(404, _FULL))
    return found("" if request.method == "HEAD" else str(offered(subnet)))


@face.post("/<app>/addresses/first_free/", strict_slashes=False)
@face.post("/<app>/addresses/first_free/<subnet_id>/", strict_slashes=False)
@access(Policy.WRITE, keeps_limits=True)
def take_first_free(app: str, subnet_id: str | None = None) -> Response:
    """Reserve the next free address; an address in the body is passed over."""
    keys = sent(request)
    in_body = keys.values.get("subnetId")
    if subnet_id and in_body and in_body != subnet_id:
        raise Refused(400, "Invalid request key id2")
    described, labelled = keys.described(), keys.labelled()
    subnet = subnet_by_id(subnet_id or in_body or "", Refused(400, "Invalid subnet identifier"))
    taken = take_next(subnet, described)
    current_book().label(taken.subnet, taken.address, caller(), **labelled)
    return _created(app, taken, data=str(taken.address))


@face.post("/<app>/addresses/", strict_slashes=False)
@access(Policy.WRITE, keeps_limits=True)
def take_address(app: str) -> Response:
    """Reserve the address that the body names."""
    keys = sent(request)
    number = keys.values.get("subnetId", "")
    if not number.isdecimal():
        raise Refused(400, "SubnetId must be numeric")
    subnet = subnet_by_id(number, Refused(404, "Invalid subnet Id"))
    described, labelled = keys.described(), keys.labelled()
    address = _wanted(subnet, keys.values.get("ip", ""))
    try:
        taken = current_book().reserve(subnet, address, Use.GUEST, caller(), **described)
    except Conflict as error:
        raise Refused(409, "IP address already exists") from error
    current_book().label(taken.subnet, taken.address, caller(), **labelled)
    return _created(app, taken)


@face.route("/<app>/addresses/<address_id>/", methods=["PATCH", "PUT"], strict_slashes=False)
@access(Policy.WRITE, keeps_limits=True)
def describe_address(app: str, address_id: str) -> Response:
    """Change what is said of an address; a key that is not sent leaves its value alone, the tag too."""
    keys = sent(request)
    for key, message in _FIXED.items():
        if key in keys.values:
            raise Refused(400, message)
    described, labelled = keys.described(), keys.labelled()
    absent = Refused(404, _ABSENT)
    there = reserved(place_by_id(address_id, absent), absent)
    try:
        current_book().amend(there.subnet, there.address, caller(), **described)
        current_book().label(there.subnet, there.address, caller(), **labelled)
    except NotFound:
        raise absent from None
    return done("Address updated")


@face.delete("/<app>/addresses/<address_id>/", strict_slashes=False)
@access(Policy.WRITE, keeps_limits=True)
def delete_address(app: str, address_id: str) -> Response:
    """Give an address back, by its id."""
    absent = Refused(404, _ABSENT)
    return _given_back(reserved(place_by_id(address_id, absent), absent))


@face.delete("/<app>/addresses/<address>/<subnet_id>/", strict_slashes=False)
@access(Policy.WRITE, keeps_limits=True)
def delete_address_in_subnet(app: str, address: str, subnet_id: str) -> Response:
    """Give an address back, by itself or its id, and the id of its subnet."""
    absent = Refused(404, "No addresses found")
    return _given_back(reserved(place_in_subnet(address, subnet_id, absent), absent))


def _wanted(subnet: Subnet, text: str) -> IPAddress:
    """Raises Refused in phpIPAM's words, which show an address that cannot be read as 0.0.0.0."""
    try:
        address = parse_address(text)
    except InvalidValue:
        raise _no_address("0.0.0.0", subnet) from None  # noqa: S104 - shown, not bound
    if not usable(subnet, address):
        raise _no_address(str(address), subnet)
    return address


def _no_address(shown: str, subnet: Subnet) -> Refused:
    return Refused(500, f"{shown} is not a valid address for subnet {subnet.network}")


def _created(app: str, taken: Reservation, *, data: str | None = None) -> Response:
    number = str(address_id(taken.subnet, taken.address))
    # As it was written in the path: decoded, a line break in it would be one in the headers.
    return created(number, f"/phpipam/api/{quote(app, safe='')}/addresses/{number}/", data=data)


def _given_back(there: Reservation) -> Response:
    """End the use ``guest``. Raises Conflict when the address was taken by other means alone, or by a known guest.

    What nodes report through ``/api/v1`` is released there: a copy that stayed behind on another node and is destroyed
    must not take the address from the guest that runs.
    """
    if Use.GUEST not in there.uses:
        uses = ", ".join(sorted(there.uses))
        raise Conflict(f"{there.address} is taken for {uses}, not through this interface: release it there")
    for guest in current_book().guests(address=there.address):
        if any(each.address == there.address and each.subnet == there.subnet for each in guest.addresses):
            raise Conflict(f"{there.address} belongs to guest {guest} on node {guest.node}: remove that to release it")
    current_book().release(there.subnet, caller(), address=there.address, use=Use.GUEST)
    return done("Address deleted")
