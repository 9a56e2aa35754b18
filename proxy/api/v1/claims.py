"""``/claims`` and ``/guests/.../claim``: which node may run a guest."""

from __future__ import annotations

from datetime import timedelta

from proxy.access import Policy, access
from proxy.access.nodes import permit_guest
from proxy.api.v1.face import face
from proxy.api.v1.operation import Answer, Loaded, operation
from proxy.api.v1.places import caller, guest_after, guest_cursor, page
from proxy.api.v1.reports import may_see_guest, permit_guests_addresses
from proxy.api.v1.schemas.guests import (
    ClaimBody,
    ClaimList,
    ClaimRow,
    ClaimsQuery,
    ReleaseClaimQuery,
    ReleasedClaimRow,
    RenewBody,
)
from proxy.rows import claim_row
from proxy.service import current_book


@face.get("/claims")
@access(Policy.READ, keeps_limits=True)
@operation("claims", query=ClaimsQuery, answer=ClaimList)
def claims(query: Loaded) -> Answer:
    """List and find the claims that have not expired."""
    found = current_book().claims(
        cluster=query["cluster"],
        node=query["node"],
        text=query["text"],
        after=guest_after(query["after"]),
        limit=query["limit"],
    )
    seen = [claim_row(each) for each in found if may_see_guest(each.cluster, each.name)]
    full = len(found) == query["limit"]
    return page(seen, guest_cursor((found[-1].cluster, found[-1].name) if full else None))


@face.post("/guests/<cluster>/<name>/claim")
@access(Policy.GUEST, keeps_limits=True)
@operation("claims", body=ClaimBody, answer=ClaimRow, refusals=(409,))
def take_claim(cluster: str, name: str, body: Loaded) -> Answer:
    """Let one node alone run the guest.

    The guest need not be known yet. A claim that the node has already is renewed. While another node has it the answer
    is 409, code `claimed`, with that claim as `holder`.
    """
    permit_guest(cluster, body["node"])
    permit_guests_addresses(cluster, name)
    taken = current_book().claim(
        cluster,
        name,
        body["node"],
        caller(),
        lifetime=_seconds(body["lifetime"]),
        renewal_interval=_seconds(body["renewal_interval"]),
        force=body["force"],
    )
    return claim_row(taken)


@face.patch("/guests/<cluster>/<name>/claim")
@access(Policy.GUEST, keeps_limits=True)
@operation("claims", body=RenewBody, answer=ClaimRow, refusals=(404, 409))
def renew_claim(cluster: str, name: str, body: Loaded) -> Answer:
    """Let a claim last for its lifetime from now on.

    Also one that has ended, unless another node has it by now (409, code `claimed`) or runs the guest (409). With
    `since` only the claim that began then: another one is 409, code `claimed`, with that one as `holder`.
    """
    permit_guest(cluster, body["node"])
    permit_guests_addresses(cluster, name)
    return claim_row(current_book().renew_claim(cluster, name, body["node"], caller(), since=body["since"]))


@face.delete("/guests/<cluster>/<name>/claim")
@access(Policy.GUEST, keeps_limits=True)
@operation("claims", query=ReleaseClaimQuery, answer=ReleasedClaimRow, refusals=(409,))
def release_claim(cluster: str, name: str, query: Loaded) -> Answer:
    """End a claim.

    With `node` only its own: that of another node is 409. With `since` only the one that began then, so that a request
    that arrives late ends no newer claim; with `idle` only one that was neither taken nor renewed for so many seconds.
    When there is none `released` is null.
    """
    permit_guest(cluster, query["node"])
    permit_guests_addresses(cluster, name)
    ended = current_book().release_claim(
        cluster, name, query["node"], caller(), since=query["since"], idle=_seconds(query["idle"])
    )
    return {"released": None if ended is None else claim_row(ended)}


def _seconds(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)
