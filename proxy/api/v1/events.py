"""``/events``: who changed what, when."""

from __future__ import annotations

from providers.errors import InvalidValue
from proxy.access import Policy, access, permit_subnet
from proxy.access.limits import may_see_place
from proxy.api.v1.face import face
from proxy.api.v1.operation import Answer, Loaded, operation
from proxy.api.v1.places import bad_cursor, group_of, page
from proxy.api.v1.schemas.events import EventList, EventsQuery
from proxy.rows import event_row
from proxy.service import current_book

_LONGEST_ID = 18


@face.get("/events")
@access(Policy.READ, keeps_limits=True)
@operation("events", query=EventsQuery, answer=EventList, refusals=(404,))
def events(query: Loaded) -> Answer:
    """List who changed what, the newest first."""
    if query["group"] and query["subnet"] is None:
        raise InvalidValue("group says which subnet is meant: give subnet as well")
    book = current_book()
    subnet = None
    if query["subnet"] is not None:
        subnet = book.subnet(query["subnet"], group_of(query))
        permit_subnet(subnet)
    found = book.events(
        limit=query["limit"],
        subnet=subnet,
        address=query["address"],
        action=query["action"],
        before=_before(query["after"]),
    )
    seen = [event_row(each) for each in found if may_see_place(each.subnet, each.group)]
    return page(seen, str(found[-1].id) if len(found) == query["limit"] else None)


def _before(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise bad_cursor()
    return int(text)
