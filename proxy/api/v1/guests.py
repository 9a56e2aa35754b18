"""``/guests``: jails and virtual machines, as their nodes report them."""

from __future__ import annotations

from typing import Any

from providers.address_book.guests import SoughtGuest
from providers.errors import Forbidden, LeaseholdError
from providers.guests import GuestState, Outcome
from proxy.access import Policy, access
from proxy.access.nodes import permit_guest
from proxy.api.v1.errors import error_of
from proxy.api.v1.face import face
from proxy.api.v1.operation import Answer, Loaded, operation
from proxy.api.v1.places import caller, guest_after, guest_cursor, page
from proxy.api.v1.reports import moment_of, permit_guests_addresses, permit_report, report_of, visible
from proxy.api.v1.schemas.guests import (
    GuestList,
    GuestRow,
    GuestsQuery,
    OutcomeList,
    OutcomeRow,
    RemoveGuestQuery,
    RenameBody,
    ReportBody,
    ReportsBody,
    StateBody,
)
from proxy.rows import guest_row, outcome_row
from proxy.service import current_book


@face.get("/guests")
@access(Policy.READ, keeps_limits=True)
@operation("guests", query=GuestsQuery, answer=GuestList)
def guests(query: Loaded) -> Answer:
    """List and find guests."""
    state = query["state"]
    sought = SoughtGuest(
        cluster=query["cluster"],
        node=query["node"],
        state=None if state is None else GuestState(state),
        emulator=query["emulator"],
        text=query["text"],
        address=query["address"],
        mac=query["mac"],
    )
    found, place = current_book().search_guests(sought, after=guest_after(query["after"]), limit=query["limit"])
    return page([guest_row(each) for each in visible(found)], guest_cursor(place))


@face.put("/guests")
@access(Policy.GUEST, keeps_limits=True)
@operation("guests", body=ReportsBody, answer=OutcomeList)
def report_guests(body: Loaded) -> Answer:
    """Report several guests of one node.

    As one report each, and each is decided on its own: `items` has an outcome or an `error` for each, in their order.
    Guests that are not in the list stay as they are.
    """
    cluster, node = body["cluster"], body["node"]
    permit_guest(cluster, node)
    reports = [report_of(cluster, each["name"], node, each) for each in body["guests"]]
    for report in reports:
        permit_report(report)
    found = current_book().report_guests(cluster, node, reports, caller())
    return {"items": [_item(each) for each in found]}


@face.get("/guests/<cluster>/<name>")
@access(Policy.READ, keeps_limits=True)
@operation("guests", answer=GuestRow, refusals=(404,))
def guest(cluster: str, name: str) -> Answer:
    """Show a guest."""
    found = current_book().guest(cluster, name)
    if not visible([found]):
        raise Forbidden(f"The token is limited to other subnets or groups than those of guest {cluster}/{name}")
    return guest_row(found)


@face.put("/guests/<cluster>/<name>")
@access(Policy.GUEST, keeps_limits=True)
@operation("guests", body=ReportBody, answer=OutcomeRow, refusals=(404, 409))
def report_guest(cluster: str, name: str, body: Loaded) -> Answer:
    """Report a guest: that it is there, what it has, where it is.

    Addresses that are new to it are reserved, those that are missing released; an address in no known subnet is
    recorded and not reserved. An address of another guest is 409 with its `owner`, and nothing is changed. A report
    that is late, or comes from a node that does not have the guest, has no effect: `accepted` is false. A node takes a
    guest over by reporting it `starting` or `running`, unless another node has its claim: 409, code `claimed`.
    """
    permit_guest(cluster, body["node"])
    report = report_of(cluster, name, body["node"], body)
    permit_report(report)
    return outcome_row(current_book().report_guest(report, caller()))


@face.patch("/guests/<cluster>/<name>")
@access(Policy.GUEST, keeps_limits=True)
@operation("guests", body=StateBody, answer=OutcomeRow, refusals=(404, 409))
def change_guest(cluster: str, name: str, body: Loaded) -> Answer:
    """Report the state of a guest that is known."""
    permit_guest(cluster, body["node"])
    permit_guests_addresses(cluster, name)
    state = GuestState(body["state"])
    book = current_book()
    return outcome_row(book.change_guest(cluster, name, body["node"], moment_of(body), caller(), state=state))


@face.delete("/guests/<cluster>/<name>")
@access(Policy.GUEST, keeps_limits=True)
@operation("guests", query=RemoveGuestQuery, answer=OutcomeRow)
def remove_guest(cluster: str, name: str, query: Loaded) -> Answer:
    """Forget a guest, and release its addresses and its claim.

    With `node` only while it belongs to that node. A guest that is not there, or is another node's, is no error:
    `accepted` is false.
    """
    permit_guest(cluster, query["node"])
    permit_guests_addresses(cluster, name)
    return outcome_row(current_book().remove_guest(cluster, name, caller(), node=query["node"], at=query["at"]))


@face.post("/guests/<cluster>/<name>/rename")
@access(Policy.GUEST, keeps_limits=True)
@operation("guests", body=RenameBody, answer=OutcomeRow, refusals=(404, 409))
def rename_guest(cluster: str, name: str, body: Loaded) -> Answer:
    """Give a guest another name; addresses, MACs and claim stay with it.

    A request that is repeated is no error; when the guest is gone by then, `accepted` is false.
    """
    permit_guest(cluster, body["node"])
    permit_guests_addresses(cluster, name)
    book = current_book()
    return outcome_row(
        book.rename_guest(cluster, name, body["new_name"], caller(), node=body["node"], at=body["at"])
    )


def _item(found: Outcome | LeaseholdError) -> dict[str, Any]:
    return outcome_row(found) if isinstance(found, Outcome) else error_of(found)
