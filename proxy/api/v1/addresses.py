"""``/addresses``: what is taken."""

from __future__ import annotations

from typing import Any

from providers.address_book.amending import UNSET
from providers.address_book.search import Sought
from providers.address_book.serving import host_for, span_between
from providers.errors import NotFound
from providers.model import Asker, Use
from proxy.access import Policy, access
from proxy.api.v1.face import face
from proxy.api.v1.operation import Answer, Loaded, operation
from proxy.api.v1.places import caller, cursor, page, place_after, place_of, subnet_at, subnets_to_search
from proxy.api.v1.schemas.addresses import (
    AddressesQuery,
    Description,
    NextReservationBody,
    ReleasedRow,
    ReleaseQuery,
    ReservationBody,
    ReservationList,
    ReservationRow,
)
from proxy.api.v1.schemas.paging import GroupQuery
from proxy.rows import reservation_row
from proxy.service import current_book


@face.get("/addresses")
@access(Policy.READ, keeps_limits=True)
@operation("addresses", query=AddressesQuery, answer=ReservationList, refusals=(404,))
def addresses(query: Loaded) -> Answer:
    """List and find what is reserved."""
    found = current_book().search(
        _sought(query),
        subnets=subnets_to_search(query),
        after=place_after(query["after"]),
        limit=query["limit"],
    )
    return page([reservation_row(each) for each in found.items], cursor(found.after))


@face.get("/addresses/<ip>")
@access(Policy.READ, keeps_limits=True)
@operation("addresses", query=GroupQuery, answer=ReservationRow, refusals=(404,))
def address(ip: str, query: Loaded) -> Answer:
    """Show who has an address.

    404 when it is not reserved; the text says whether it is held.
    """
    subnet, wanted = place_of(ip, query)
    book = current_book()
    found = book.reservation(subnet, wanted)
    if found is None:
        held = book.hold_at(subnet, wanted)
        raise NotFound(
            f"{wanted} in {subnet.network} is not reserved" + (f"; it is held for {held.key}" if held else "")
        )
    return reservation_row(found)


@face.put("/addresses/<ip>")
@access(Policy.WRITE, keeps_limits=True)
@operation(
    "addresses",
    query=GroupQuery,
    body=ReservationBody,
    body_optional=True,
    answer=ReservationRow,
    status=201,
    refusals=(404, 409),
)
def reserve_address(ip: str, query: Loaded, body: Loaded) -> Answer:
    """Reserve an address.

    Excluded addresses and those outside the pool can be reserved too. A hold on the address, whoever has it, is used
    up. An address that is taken is 409 with its `owner`; only one of another use with the same MAC, and the same DHCP
    host if it has any, is joined.
    """
    subnet, wanted = place_of(ip, query)
    name, mac = body["name"] or None, body["mac"]
    reserved = current_book().reserve(
        subnet,
        wanted,
        Use(body["use"]),
        caller(),
        name=name,
        mac=mac,
        description=body["description"] or None,
        note=body["note"] or None,
        host=host_for(subnet, mac, name),
    )
    return reservation_row(reserved)


@face.post("/subnets/<address>/<prefix>/addresses")
@access(Policy.WRITE, keeps_limits=True)
@operation(
    "addresses",
    query=GroupQuery,
    body=NextReservationBody,
    body_optional=True,
    answer=ReservationRow,
    status=201,
    refusals=(404, 409),
)
def reserve_next_address(address: str, prefix: str, query: Loaded, body: Loaded) -> Answer:
    """Reserve the next free address.

    In one request, without holding it first. With a `key` the request can be sent again: as long as what it got is
    reserved, the same key gets that, as it is by then. When nothing is free the answer is 409, code `exhausted`.
    """
    subnet = subnet_at(address, prefix, query)
    name, mac = body["name"] or None, body["mac"]
    reserved = current_book().allocate(
        subnet,
        Asker(body["key"], mac),
        Use(body["use"]),
        caller(),
        span=span_between(subnet, body["first"], body["last"]),
        name=name,
        mac=mac,
        description=body["description"] or None,
        note=body["note"] or None,
        host=host_for(subnet, mac, name),
        once=True,
    )
    return reservation_row(reserved)


@face.patch("/addresses/<ip>")
@access(Policy.WRITE, keeps_limits=True)
@operation("addresses", query=GroupQuery, body=Description, answer=ReservationRow, refusals=(404, 409))
def amend_address(ip: str, query: Loaded, body: Loaded) -> Answer:
    """Change what is told about an address.

    What is absent stays, null or an empty text takes a value away. Uses and DHCP hosts stay as they are.
    """
    subnet, wanted = place_of(ip, query)
    changes: dict[str, Any] = {key: body.get(key, UNSET) for key in ("name", "mac", "description", "note")}
    return reservation_row(current_book().amend(subnet, wanted, caller(), **changes))


@face.delete("/addresses/<ip>")
@access(Policy.WRITE, keeps_limits=True)
@operation("addresses", query=ReleaseQuery, answer=ReleasedRow, refusals=(404,))
def release_address(ip: str, query: Loaded) -> Answer:
    """Release an address: all its uses and DHCP hosts, or one use.

    It rests for a while before it is offered to others. Releasing what is free is no error: then `released` is empty.
    """
    subnet, wanted = place_of(ip, query)
    use = None if query["use"] is None else Use(query["use"])
    released = current_book().release(subnet, caller(), address=wanted, use=use)
    return {"released": [reservation_row(each) for each in released]}


@face.post("/addresses/<ip>/adopt")
@access(Policy.WRITE, keeps_limits=True)
@operation("addresses", query=GroupQuery, answer=ReservationRow, refusals=(404,))
def adopt_address(ip: str, query: Loaded) -> Answer:
    """Make an address ours that someone else made in the IPAM (use `upstream`).

    What is ours already stays as it is.
    """
    subnet, wanted = place_of(ip, query)
    return reservation_row(current_book().adopt(subnet, wanted, caller()))


def _sought(query: Loaded) -> Sought:
    cluster, slash, name = (query["guest"] or "").rpartition("/")
    return Sought(
        address=query["ip"],
        mac=query["mac"],
        name=query["name"],
        use=None if query["use"] is None else Use(query["use"]),
        cluster=cluster if slash else None,
        guest=name or None,
        node=query["node"],
        note=query["note"],
        text=query["text"],
    )
