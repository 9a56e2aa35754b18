"""The subnets that a request means, and whether its token reaches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netaddr import IPAddress

from providers.address_book.search import Place
from providers.addresses import parse_address, parse_network
from providers.errors import InvalidValue
from providers.model import Caller, Subnet
from providers.tokens import Token
from proxy.access import current_identity, may_use, only_group, permit_subnet
from proxy.access.limits import limited
from proxy.service import current_book, current_caller

_Rows = Sequence[Mapping[str, Any]]


def caller() -> Caller:
    """Whoever sent this request, for the event log."""
    return current_caller("api")


def group_of(given: Mapping[str, Any]) -> str:
    """The group that a query or body names, else the only one of the token, else any (empty)."""
    named: str = given["group"]
    return named or only_group()


def subnet_at(address: str, prefix: str, given: Mapping[str, Any], *, sure: bool = False) -> Subnet:
    """The subnet of a path. ``sure``: the request changes it, so that it is not guessed among several groups.

    Raises InvalidValue, NotFound, Forbidden.
    """
    network = parse_network(f"{address}/{prefix}")
    book = current_book()
    find = book.only_subnet if sure else book.subnet
    found = find(network, group_of(given))
    permit_subnet(found)
    return found


def place_of(ip: str, given: Mapping[str, Any]) -> tuple[Subnet, IPAddress]:
    """The most specific subnet that holds the address of a path, and the address. Raises as :func:`subnet_at`."""
    address = parse_address(ip)
    found = current_book().subnet_of(address, group_of(given))
    permit_subnet(found)
    return found, address


def subnets_to_search(given: Mapping[str, Any]) -> list[Subnet] | None:
    """Where a list is to look: in the subnet that the query names and those inside it, or in a group, or everywhere.

    Without what the token does not reach; None is really everywhere.
    """
    book, group = current_book(), group_of(given)
    if given["subnet"] is not None:
        chosen = book.subnet(given["subnet"], group)
        permit_subnet(chosen)
        found = [chosen, *book.inside(chosen)]
    elif group:
        found = book.subnets(group=group)
    elif current_token_is_limited():
        found = book.subnets()
    else:
        return None
    return [subnet for subnet in found if may_use(subnet)]


def current_token_is_limited() -> bool:
    """Whether this request shows a token that reaches only some subnets or groups."""
    token: Token | None = current_identity().token
    return token is not None and limited(token)


def cursor(place: Place | None) -> str | None:
    """A place as ``next`` says it."""
    return None if place is None else f"{place[0]}:{place[1]}"


def place_after(text: str) -> Place | None:
    """What :func:`cursor` made of a place; raises InvalidValue for anything else."""
    if not text:
        return None
    number, colon, address = text.partition(":")
    if not (colon and number.isascii() and number.isdigit() and len(number) < 10):
        raise bad_cursor()
    return int(number), parse_address(address)


def bad_cursor() -> InvalidValue:
    """For an ``after`` that no page gave."""
    return InvalidValue("after is to be what next was in the page before")


def guest_cursor(place: tuple[str, str] | None) -> str | None:
    """Cluster and name of a guest as ``next`` says them."""
    return None if place is None else "/".join(place)


def guest_after(text: str) -> tuple[str, str] | None:
    """What :func:`guest_cursor` made of a guest; raises InvalidValue for anything else."""
    if not text:
        return None
    cluster, slash, name = text.partition("/")
    if not slash:
        raise bad_cursor()
    return cluster, name


def page(rows: _Rows, after: str | None) -> dict[str, Any]:
    """A page as it is sent."""
    return {"items": list(rows), "next": after}
