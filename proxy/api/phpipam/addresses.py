"""Addresses: finding them."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response, request

from providers.addresses import parse_address
from providers.errors import InvalidValue
from providers.model import Reservation
from proxy.access import Policy, access
from proxy.api.phpipam.envelope import Refused, found, found_many
from proxy.api.phpipam.face import face
from proxy.api.phpipam.fields import any_mac
from proxy.api.phpipam.filtering import narrowed
from proxy.api.phpipam.lookup import (
    by_address,
    by_beginning,
    by_mac,
    by_name,
    labelled_row,
    place_by_id,
    place_in_subnet,
    reserved,
)
from proxy.api.phpipam.shapes import address_row, tag_rows
from proxy.service import current_book


@face.get("/<app>/addresses/<address_id>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def one_address(app: str, address_id: str) -> Response:
    """One, by its id."""
    if not address_id.isdecimal():
        raise Refused(400, "Invalid Id")
    none = Refused(404, "Invalid Id")
    return found(labelled_row(reserved(place_by_id(address_id, none), none)))


@face.get("/<app>/addresses/<address>/<subnet_id>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def address_in_subnet(app: str, address: str, subnet_id: str) -> Response:
    """One, by itself and the id of its subnet."""
    none = Refused(404, "No addresses found")
    return found(labelled_row(reserved(place_in_subnet(address, subnet_id, none), none)))


@face.get("/<app>/addresses/search/<address>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def search_address(app: str, address: str) -> Response:
    """In all sections."""
    try:
        wanted = parse_address(address)
    except InvalidValue:
        raise Refused(400, "Invalid address") from None
    return _listed(by_address(wanted), "Address not found")


@face.get("/<app>/addresses/search_hostname/<name>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def search_hostname(app: str, name: str) -> Response:
    """With that name as it is written, or in lower case."""
    return _listed(by_name(name), "Hostname not found")


@face.get("/<app>/addresses/search_hostbase/<name>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def search_hostbase(app: str, name: str) -> Response:
    """With a name that begins so, but for case."""
    return _listed(by_beginning(name), "Hostname not found")


@face.get("/<app>/addresses/search_mac/<mac>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def search_mac(app: str, mac: str) -> Response:
    """With that MAC."""
    none = "Host name not found"
    try:
        wanted = any_mac(mac)
    except Refused:
        raise Refused(404, none) from None
    return _listed(by_mac(wanted), none)


@face.get("/<app>/addresses/tags/", strict_slashes=False)
@face.get("/<app>/tools/tags/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def tags(app: str) -> Response:
    """The tags that an address can have."""
    return found(tag_rows())


@face.get("/<app>/addresses/tags/<tag_id>/", strict_slashes=False)
@face.get("/<app>/tools/tags/<tag_id>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def one_tag(app: str, tag_id: str) -> Response:
    """One of them."""
    tag = next((row for row in tag_rows() if str(row["id"]) == tag_id), None)
    if tag is None:
        raise Refused(404, "No objects found")
    return found(tag)


def _listed(reservations: Iterable[Reservation], nothing: str) -> Response:
    labelled = current_book().labelled(reservations)
    rows, filtered = narrowed((address_row(each, label) for each, label in labelled), request)
    return found_many(rows, filtered or nothing)
