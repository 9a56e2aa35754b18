"""What the IPAM is told of an address: of a guest's also who the guest is, where it is, and whether it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from providers.book import guests as kept
from providers.book.guests import Kept
from providers.guests import GuestState
from providers.ipam.contract import Record, our_record
from providers.model import Reservation, Use


def record_of(connection: Connection, reservation: Reservation) -> Record:
    """A reservation as a row upstream that is made anew has to have it; of several guests the first one counts."""
    if Use.GUEST in reservation.uses:
        for holder in kept.holders(connection, reservation.subnet.id, reservation.address):
            guest = kept.find(connection, holder.cluster, holder.name)
            if guest is not None:
                return guest_record(reservation, guest)
    return our_record(reservation)


def left_by_a_guest(record: Record) -> Record:
    """``record`` of an address that a guest has left, so that its row upstream tells nothing of that guest any more.

    Whose address is it is said already where another guest has it.
    """
    running = True if record.owner is None else record.online
    said: dict[str, Any] = {key: getattr(record, key) or "" for key in ("owner", "node", "emulator")}
    return replace(record, online=running, **said)


def guest_record(reservation: Reservation, guest: Kept) -> Record:
    """A reservation of ``guest`` as the IPAM is to keep it."""
    if Use.GUEST not in reservation.uses:
        return our_record(reservation)
    return replace(
        our_record(reservation),
        owner=str(guest),
        node=guest.node,
        emulator=guest.emulator,
        online=guest.state is GuestState.RUNNING,
    )
