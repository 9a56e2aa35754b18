"""Changing what is told about an address that is taken: its name, MAC, description and note."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.texts import refuse_unfit_description, refuse_unfit_name, refuse_unfit_note
from providers.address_book.upstream_rows import UpstreamRows
from providers.addresses import parse_mac
from providers.book import event_log, taken
from providers.errors import Conflict, NotFound
from providers.ipam.contract import amendment, our_record
from providers.model import Caller, Reservation, Subnet, Use


class Unset(Enum):
    """The type of :data:`UNSET`."""

    UNSET = auto()


UNSET: Final = Unset.UNSET
"""What stands for a value that is to stay as it is, where None means that it goes."""

Change = str | None | Unset


class Amendments(UpstreamRows):
    """Changes descriptions; who has an address, and why, stays."""

    def amend(
        self,
        subnet: Subnet,
        address: IPAddress,
        caller: Caller,
        *,
        name: Change = UNSET,
        mac: Change = UNSET,
        description: Change = UNSET,
        note: Change = UNSET,
    ) -> Reservation:
        """Change what is told about a reserved address; returns the reservation as it is then.

        What is not given stays, None or an empty text takes a value away. The uses and the DHCP hosts stay as they
        are, and so does ``changed_at``, which is about the uses.

        Raises NotFound when the address is not reserved, also when others had it and gave it back upstream,
        InvalidValue for a value that cannot be kept, Conflict when a DHCP host has the MAC that is to change or others
        took the address upstream, Unavailable when the IPAM fails: then the book is as before.
        """
        asked = {"name": name, "mac": mac, "description": description, "note": note}
        changes = _checked({key: value for key, value in asked.items() if not isinstance(value, Unset)})
        before, after = self.book.write(lambda c: self._amend(c, subnet, address, changes, caller))
        if before != after:
            try:
                self._amend_upstream(before, after)
            except BaseException:
                self.book.write(lambda c: self._restore(c, before, after, caller))
                raise
        return after

    def _amend_upstream(self, before: Reservation, after: Reservation) -> None:
        try:
            self.ipam.amend(after.subnet, amendment(our_record(before), our_record(after)))
        except NotFound as error:
            if set(before.uses) == {Use.UPSTREAM}:
                # It was the row of others, so nobody has the address any more (rule 12).
                self.book.write(self._ending(after.subnet, [after.address], None))
                raise NotFound(
                    f"{after.address} in {after.subnet.network} is not reserved: whoever had it upstream gave it back"
                ) from error
            self._create_upstream(after.subnet, after)

    def _amend(
        self, connection: Connection, subnet: Subnet, address: IPAddress, changes: dict[str, str | None], caller: Caller
    ) -> tuple[Reservation, Reservation]:
        """The reservation before and after."""
        inner, _ = self._enter_inner(connection, subnet, address)
        before = taken.reservation(connection, inner, address)
        if before is None:
            raise NotFound(f"{address} in {inner.network} is not reserved")
        new = {key: value for key, value in changes.items() if getattr(before, key) != value}
        if not new:
            return before, before
        if "mac" in new:
            _refuse_served_mac(before)
        taken.describe(connection, inner, address, **new)
        after = taken.reservation(connection, inner, address)
        if after is None:
            raise AssertionError(f"{address} was written just now")
        event_log.record(connection, self.clock(), caller, "address.amend", inner, address, **_shown(new))
        return before, after

    def _restore(self, connection: Connection, before: Reservation, after: Reservation, caller: Caller) -> None:
        """Take back what was changed, as far as nobody changed it again since."""
        inner, _ = self._enter_inner(connection, before.subnet, before.address)
        there = taken.reservation(connection, inner, before.address)
        if there is None or there.created_at != before.created_at:
            return
        keys = ("name", "mac", "description", "note")
        changed = [key for key in keys if getattr(before, key) != getattr(after, key)]
        old = {key: getattr(before, key) for key in changed if getattr(there, key) == getattr(after, key)}
        if old:
            taken.describe(connection, inner, before.address, **old)
            event_log.record(connection, self.clock(), caller, "address.undo", inner, before.address)


def _checked(changes: dict[str, str | None]) -> dict[str, str | None]:
    """The changes as they are to be written: nothing for an empty text, one spelling of a MAC."""
    checked = {key: value or None for key, value in changes.items()}
    if name := checked.get("name"):
        refuse_unfit_name("name", name)
    if description := checked.get("description"):
        refuse_unfit_description(description)
    if note := checked.get("note"):
        refuse_unfit_note(note)
    if mac := checked.get("mac"):
        checked["mac"] = parse_mac(mac)
    return checked


def _refuse_served_mac(there: Reservation) -> None:
    for host in there.hosts:
        if host.mac == there.mac:
            raise Conflict(
                f"{there.address} is served to MAC {host.mac} as {host.name}: end its use dhcp first, then reserve it "
                "for the other MAC"
            )


def _shown(changes: dict[str, str | None]) -> dict[str, str]:
    """For the event log, where what is None is left out: what was taken away is an empty text."""
    return {key: value or "" for key, value in changes.items()}
