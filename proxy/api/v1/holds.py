"""``/holds`` and ``/subnets/.../next``: addresses that are promised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from netaddr import IPAddress

from providers.address_book.search import SoughtHold
from providers.address_book.serving import span_between
from providers.address_book.suggestions import refuse_other_key
from providers.errors import InvalidValue, NotFound
from providers.model import Asker, Hold, Subnet, Use
from proxy.access import Policy, access, permit_subnet
from proxy.access.nodes import permit_hold, permit_key
from proxy.api.v1.face import face
from proxy.api.v1.operation import Answer, Loaded, operation
from proxy.api.v1.places import (
    caller,
    cursor,
    group_of,
    page,
    place_after,
    place_of,
    subnet_at,
    subnets_to_search,
)
from proxy.api.v1.schemas.addresses import ExtendBody, HoldBody, HoldList, HoldQuery, HoldRow, HoldsQuery, Wanted
from proxy.api.v1.schemas.paging import GroupQuery
from proxy.rows import hold_row
from proxy.service import current_book


@face.post("/subnets/<address>/<prefix>/next")
@access(Policy.HOLD, keeps_limits=True)
@operation(
    "holds", query=GroupQuery, body=Wanted, body_optional=True, answer=HoldRow, refusals=(404, 409)
)
def next_address(address: str, prefix: str, query: Loaded, body: Loaded) -> Answer:
    """Hold the next free address.

    Nobody else is offered it until the hold expires. The same key or MAC gets the same address again, and its hold is
    extended; without either every call takes another address. A MAC that has an address reserved there gets that one,
    and `expires_at` is null. When nothing is free the answer is 409, code `exhausted`.
    """
    subnet = subnet_at(address, prefix, query)
    (row,) = _held(subnet, body, [Asker(body["key"], body["mac"])])
    return row


@face.get("/holds")
@access(Policy.READ, keeps_limits=True)
@operation("holds", query=HoldsQuery, answer=HoldList, refusals=(404,))
def holds(query: Loaded) -> Answer:
    """List the holds that have not expired."""
    found = current_book().search_holds(
        SoughtHold(query["ip"], query["key"], query["mac"]),
        subnets=subnets_to_search(query),
        after=place_after(query["after"]),
        limit=query["limit"],
    )
    return page([hold_row(each) for each in found.items], cursor(found.after))


@face.post("/holds")
@access(Policy.HOLD, keeps_limits=True)
@operation("holds", body=HoldBody, answer=HoldList, status=201, refusals=(404, 409))
def take_holds(body: Loaded) -> Answer:
    """Hold one address or several in a subnet.

    As `next`, but for several: all or none. Asking again with the same key gives the same addresses.
    """
    subnet = current_book().subnet(body["subnet"], group_of(body))
    permit_subnet(subnet)
    key, mac, count = body["key"], body["mac"], body["count"]
    if count > 1 and mac is not None and key is None:
        raise InvalidValue("One MAC has one hold in a subnet: leave out mac or count, or give a key")
    keys = [None if key is None else key if number == 1 else f"{key}#{number}" for number in range(1, count + 1)]
    return page(_held(subnet, body, [Asker(each, mac) for each in keys]), None)


@face.patch("/holds/<ip>")
@access(Policy.HOLD, keeps_limits=True)
@operation("holds", query=HoldQuery, body=ExtendBody, answer=HoldRow, refusals=(404,))
def extend_hold(ip: str, query: Loaded, body: Loaded) -> Answer:
    """Let a hold live on."""
    held, ttl = _held_there(ip, query), timedelta(minutes=body["minutes"])
    return hold_row(current_book().extend_hold(held.subnet, held.address, ttl, caller(), key=held.key))


@face.delete("/holds/<ip>")
@access(Policy.HOLD, keeps_limits=True)
@operation("holds", query=HoldQuery, answer=HoldRow, refusals=(404,))
def release_hold(ip: str, query: Loaded) -> Answer:
    """End a hold; the address is free at once.

    404 when it is not held, which is as good. Say the `key` to be sure that it is not somebody else's by now.
    """
    held = _held_there(ip, query)
    return hold_row(current_book().release_hold(held.subnet, held.address, caller(), key=held.key))


def _held(subnet: Subnet, body: Loaded, askers: Sequence[Asker]) -> list[dict[str, Any]]:
    for asker in askers:
        permit_key(asker.key, asker.mac)
    found = current_book().hold(
        subnet,
        askers,
        caller(),
        span=span_between(subnet, body["first"], body["last"]),
        use=Use(body["use"]),
        ttl=None if body["minutes"] is None else timedelta(minutes=body["minutes"]),
    )
    return [_row(subnet, address, hold, asker) for (address, hold), asker in zip(found, askers, strict=True)]


def _row(subnet: Subnet, address: IPAddress, hold: Hold | None, asker: Asker) -> dict[str, Any]:
    if hold is not None:
        return hold_row(hold)
    return {
        "address": str(address),
        "subnet": str(subnet.network),
        "group": subnet.group.name,
        "key": f"key:{asker.key}" if asker.key is not None else f"mac:{asker.mac}",
        "mac": asker.mac,
        "taken_at": None,
        "expires_at": None,
    }


def _held_there(ip: str, query: Loaded) -> Hold:
    """The hold that the query means, and that the token may extend or end."""
    subnet, address = place_of(ip, query)
    held = current_book().hold_at(subnet, address)
    if held is None:
        raise NotFound(f"{address} in {subnet.network} is not held")
    refuse_other_key(held, query["key"])
    permit_hold(held.key)
    return held
