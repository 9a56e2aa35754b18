"""Guests: what nodes report about them, and what is known of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.claims import refuse_foreign_claim
from providers.address_book.guest_addresses import Located, wish_of
from providers.address_book.guest_finishing import GuestFinishing
from providers.address_book.guest_ownership import STARTS, objection
from providers.address_book.guest_values import fit_report
from providers.address_book.guest_written import Written
from providers.book import claims, event_log, guest_finding
from providers.book import guests as kept
from providers.book.guest_finding import SoughtGuest
from providers.book.guests import Kept, Place
from providers.errors import Conflict, GuestNotFound, InvalidValue, LeaseholdError, NotFound
from providers.guests import Guest, GuestReport, GuestState, Outcome
from providers.model import Caller

__all__ = ["Guests", "SoughtGuest"]

log = logging.getLogger(__name__)

MOST_AT_ONCE = 1000
_LOOKED_AT = 20_000
"""How many guests a page may look at that no index finds, so that it ends in time."""
_DESCRIBED = ("emulator", "hostname", "state", "note", "nics")


class Guests(GuestFinishing):
    """Takes in what nodes report about their guests, and looks them up."""

    def report_guest(self, report: GuestReport, caller: Caller) -> Outcome:
        """Write what a node says about a guest; all of it or nothing.

        An address that is new to the guest is reserved, one that is missing is released; a report that is late, or
        comes from a node that does not own the guest, is not accepted and no error (rule 16). A moment that lies ahead
        is taken as now.

        Raises Conflict naming the guest (or the use) that has an address, Claimed when another node holds the claim of
        a guest that is to start here, InvalidValue for a value that cannot be kept, Unavailable when the IPAM or the
        DHCP server fails: then everything is as before.
        """
        return self._take_in(report, caller)

    def report_guests(
        self, cluster: str, node: str, reports: Sequence[GuestReport], caller: Caller
    ) -> list[Outcome | Conflict | InvalidValue | NotFound]:
        """Write what a node says about several guests, each on its own; what became of each, in their order.

        Raises InvalidValue when one is of another cluster or node, Unavailable as ``report_guest``: what came before
        stays, and the same call can be repeated.
        """
        for report in reports:
            if (report.cluster, report.node) != (cluster, node):
                raise InvalidValue(
                    f"Guest {report.name[:100]} is reported for node {report.node[:100]} of cluster "
                    f"{report.cluster[:100]}, in a list for node {node[:100]} of cluster {cluster[:100]}"
                )
        became: list[Outcome | Conflict | InvalidValue | NotFound] = []
        for report in reports:
            try:
                became.append(self._take_in(report, caller))
            except (Conflict, InvalidValue, NotFound) as error:
                became.append(error)
        return became

    def change_guest(
        self, cluster: str, name: str, node: str, at: datetime, caller: Caller, *, state: GuestState
    ) -> Outcome:
        """Write the state of a guest. Raises GuestNotFound, Claimed."""
        return self._take_in(GuestReport(cluster, name, node, at, state=state), caller, known=True)

    def guest(self, cluster: str, name: str) -> Guest:
        """The guest of that name. Raises GuestNotFound."""
        with self.book.read() as connection:
            found = kept.find(connection, cluster, name)
            if found is None:
                raise _unknown(cluster, name)
            return self._shown(connection, found)

    def guests(
        self,
        *,
        cluster: str | None = None,
        node: str | None = None,
        state: GuestState | None = None,
        emulator: str | None = None,
        text: str | None = None,
        address: IPAddress | None = None,
        mac: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> list[Guest]:
        """The first ``limit`` guests above ``after`` (cluster, name) that fit everything given, by cluster and name.

        At most 1000. ``text`` is looked for in name, hostname and note, without regard to case.
        """
        sought = SoughtGuest(cluster, node, state, emulator, text, address, mac)
        limit = max(1, min(limit, MOST_AT_ONCE))
        found: list[Guest] = []
        while True:
            part, after = self.search_guests(sought, after=after, limit=limit - len(found))
            found += part
            if after is None or len(found) == limit:
                return found

    def search_guests(
        self, sought: SoughtGuest, *, after: Place | None = None, limit: int = 100
    ) -> tuple[list[Guest], Place | None]:
        """The next page of guests that fit, and after which the one after that begins; None at the end.

        A page may have less than ``limit``, even nothing, although there is more: looking for a text that hardly any
        guest has ends after a bounded number of guests, and goes on with the next page.
        """
        with self.book.read() as connection:
            found, place = guest_finding.page(connection, sought, after, max(1, min(limit, MOST_AT_ONCE)), _LOOKED_AT)
            return self._shown_all(connection, found, self._directories.current(connection)), place

    def _take_in(self, report: GuestReport, caller: Caller, *, known: bool = False) -> Outcome:
        """``known``: only when the guest is."""
        report = fit_report(report, self.clock())
        located = None if report.addresses is None else self._locate(report.addresses, report.group)

        def work(connection: Connection) -> Written | Outcome:
            return self._write(connection, report, located, caller, known=known)

        tried: set[str] = set()
        while True:
            try:
                written = self.book.write(work)
                if isinstance(written, Outcome):
                    return written
                self._tell_all(written, caller)
                break
            except Conflict as error:
                if not self._joins_upstream(report, located or (), error, tried, caller):
                    self._note_conflict(report, error, caller)
                    raise
        self._end_telling(written, caller)
        with self.book.read() as connection:
            found = kept.find(connection, report.cluster, report.name)
            return Outcome(accepted=True, guest=None if found is None else self._shown(connection, found))

    def _joins_upstream(
        self, report: GuestReport, located: Sequence[Located], error: Conflict, tried: set[str], caller: Caller
    ) -> bool:
        """Whether the guest may have the address after all: the row of others is gone, or has its MAC (rule 12)."""
        address = str((error.owner or {}).get("address"))
        each = next((each for each in located if str(each.wanted.address) == address), None)
        if not self.ipam.capabilities.remote or each is None or each.subnet is None or address in tried:
            return False
        tried.add(address)
        with self.book.read() as connection:
            before = kept.find(connection, report.cluster, report.name)
        wish = wish_of(_updated(before, report, self.clock()), each.wanted)
        return self._may_after_all(each.subnet, wish, caller)

    def _write(
        self,
        connection: Connection,
        report: GuestReport,
        located: Sequence[Located] | None,
        caller: Caller,
        *,
        known: bool,
    ) -> Written | Outcome:
        now = self.clock()
        before = kept.find_to_change(connection, report.cluster, report.name)
        if before is None and known:
            raise _unknown(report.cluster, report.name)
        past = None if before is not None else kept.past(connection, report.cluster, report.name)
        reason = objection(before, past, report.node, report.at, report.state)
        if reason is not None:
            self._note_guest(connection, "guest.ignored", report, caller, state=report.state, reason=reason)
            return Outcome(False, None if before is None else self._shown(connection, before), reason)
        if report.state in STARTS:
            # Locked, so that a claim cannot be renewed between this look and the end of the start.
            refuse_foreign_claim(claims.find_to_change(connection, report.cluster, report.name), report.node, now)
        guest = _updated(before, report, now)
        if before is None:
            guest = kept.put(connection, guest, over=None)
        placed = self._place(connection, before, guest, located, caller)
        guest = replace(guest, addresses=placed.rows)
        if before is not None and _differs(before, guest):
            guest = replace(guest, changed_at=now)
        written = self._marked(Written(before, guest, placed))
        kept.put(connection, written.guest, over=replace(guest, addresses=()) if before is None else before)
        self._note_change(connection, before, guest, report, caller)
        return written

    def _note_change(
        self, connection: Connection, before: Kept | None, guest: Kept, report: GuestReport, caller: Caller
    ) -> None:
        """An event for what changed; that a guest is as it was is none."""
        addresses = [str(row.address) for row in guest.addresses if not row.leaving]
        if before is None:
            detail = {"state": guest.state, "hostname": guest.hostname, "emulator": guest.emulator}
            self._note_guest(connection, "guest.add", report, caller, **detail, addresses=addresses)
            return
        changed: dict[str, object] = {
            key: getattr(guest, key) for key in _DESCRIBED if getattr(guest, key) != getattr(before, key)
        }
        if "nics" in changed:
            changed["nics"] = [nic.mac for nic in guest.nics]
        if addresses != [str(row.address) for row in before.addresses if not row.leaving]:
            changed["addresses"] = addresses
        if before.node != guest.node:
            self._note_guest(connection, "guest.move", report, caller, moved_from=before.node, **changed)
        elif changed:
            self._note_guest(connection, "guest.change", report, caller, **changed)

    def _note_guest(
        self, connection: Connection, action: str, report: GuestReport, caller: Caller, **detail: object
    ) -> None:
        who = {"cluster": report.cluster, "guest": report.name, "node": report.node}
        happened = {"happened_at": report.at.isoformat()}
        event_log.record(connection, self.clock(), caller, action, None, **who, **happened, **detail)

    def _note_conflict(self, report: GuestReport, error: Conflict, caller: Caller) -> None:
        """Leave a trace of a report that was refused: the node may have nobody who looks."""
        try:
            self.book.write(
                lambda connection: self._note_guest(connection, "guest.conflict", report, caller, reason=str(error))
            )
        except LeaseholdError as failure:
            log.warning("Guest %s/%s: %s; no event: %s", report.cluster, report.name, error, failure)


def _updated(before: Kept | None, report: GuestReport, now: datetime) -> Kept:
    """The guest as a report that counts has it, but for its addresses."""
    if before is None:
        return Kept(
            id=0,
            revision=1,
            cluster=report.cluster,
            name=report.name,
            node=report.node,
            emulator=report.emulator,
            hostname=report.hostname,
            state=report.state or GuestState.CREATED,
            note=report.note,
            event_at=report.at,
            created_at=now,
            changed_at=now,
            nics=report.nics or (),
        )
    given = {key: value for key in _DESCRIBED if (value := getattr(report, key)) is not None}
    shown: dict[str, Any] = given | {"revision": before.revision + 1, "node": report.node, "event_at": report.at}
    return replace(before, **shown)


def _differs(before: Kept, after: Kept) -> bool:
    passing = ("revision", "event_at", "changed_at", "telling_since", "ending_at")
    return replace(before, **{key: getattr(after, key) for key in passing}) != after


def _unknown(cluster: str, name: str) -> GuestNotFound:
    return GuestNotFound(f"No guest {name[:100]} in cluster {cluster[:100]}")
