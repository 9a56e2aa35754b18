"""Whose an address is that a guest is to have: other guests, or one whose name is not known."""

from __future__ import annotations

from providers.address_book.guest_hosts import Seat
from providers.book.guests import Kept
from providers.errors import Conflict
from providers.model import Reservation


def refuse_holders(seat: Seat) -> None:
    """Raise Conflict when other guests have the address, unless all of them share it."""
    if not seat.others or (seat.row.shared and all(each.shared for each in seat.others)):
        return
    owner = next((each for each in seat.others if not each.shared), seat.others[0])
    more = "" if not (seat.row.shared or owner.shared) else "; it can be had by both only if both mark it as shared"
    raise Conflict(
        f"{seat.row.address} in {seat.subnet} belongs to guest {owner.name} of cluster {owner.cluster}, on node "
        f"{owner.node}{more}",
        owner=_known(seat.there) | {"cluster": owner.cluster, "guest": owner.name, "node": owner.node},
    )


def _known(there: Reservation | None) -> dict[str, object]:
    """Who has an address, for programs."""
    if there is None:
        return {}
    return {"address": str(there.address), "name": there.name, "mac": there.mac, "uses": sorted(there.uses)}


def refuse_foreign_guest(there: Reservation, guest: Kept, mac: str | None) -> None:
    """Raise Conflict unless an address that was reserved for some guest, without saying which, may be this one's."""
    anybody = there.name is None and there.mac is None
    same_mac = mac is not None and there.mac == mac
    if anybody or same_mac or there.name in (guest.name, guest.hostname):
        return
    who = " ".join(part for part in (there.name, f"({there.mac})" if there.mac else None) if part)
    raise Conflict(
        f"{there.address} in {there.subnet} is reserved for the guest {who}: release it there, or choose another",
        owner=_known(there),
    )
