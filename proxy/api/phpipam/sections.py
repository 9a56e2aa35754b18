"""Sections, which are the groups of the book."""

from __future__ import annotations

from flask import Response, request

from providers.errors import GroupNotFound
from providers.model import Group, Subnet
from proxy.access import Policy, access, may_see_group, may_use, permit_group
from proxy.api.phpipam.envelope import Refused, found, found_many
from proxy.api.phpipam.face import face
from proxy.api.phpipam.filtering import narrowed
from proxy.api.phpipam.shapes import section_row, used_subnet
from proxy.service import current_book


@face.get("/<app>/sections/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def sections(app: str) -> Response:
    """All of them, by name."""
    book = current_book()
    subnets = book.subnets()
    seen = [group for group in book.groups() if may_see_group(group.name, _of(group, subnets))]
    rows, nothing = narrowed(map(section_row, seen), request)
    return found_many(rows, nothing or "No sections available")


@face.get("/<app>/sections/<section>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def one_section(app: str, section: str) -> Response:
    """One, by id or name."""
    return found(section_row(_section(section)))


@face.get("/<app>/sections/<section>/subnets/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def section_subnets(app: str, section: str) -> Response:
    """The subnets of a section, each with how full it is."""
    book = current_book()
    try:
        group = _section(section)
    except Refused as error:
        raise Refused(error.status, "No subnets found") from error
    mine = [subnet for subnet in book.subnets(group=group.name) if may_use(subnet)]
    around = book.around(mine)
    used = (used_subnet(subnet, around.get(subnet.id), book.occupancy(subnet)) for subnet in mine)
    rows, nothing = narrowed(used, request)
    return found_many(rows, nothing or "No subnets found")


def _section(wanted: str) -> Group:
    """By id when it is a number, as phpIPAM does it; other than there, a number that is no id may be a name."""
    book = current_book()
    group = next((each for each in book.groups() if str(each.id) == wanted), None)
    if group is None:
        try:
            group = book.group(wanted)
        except GroupNotFound:
            raise Refused(404, "Section does not exist" if wanted.isdecimal() else "Not Found") from None
    permit_group(group.name, _of(group, book.subnets()))
    return group


def _of(group: Group, subnets: list[Subnet]) -> list[Subnet]:
    return [subnet for subnet in subnets if subnet.group == group]
