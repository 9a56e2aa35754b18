"""Removing and renaming guests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from providers.address_book.claims import expired, refuse_foreign_claim
from providers.address_book.guest_ownership import removal_objection
from providers.address_book.guest_telling import GuestTelling
from providers.address_book.guest_values import refuse_unfit_guest_name
from providers.address_book.guest_written import Ended, Written
from providers.book import claims, event_log
from providers.book import guests as kept
from providers.book.directory import Directory
from providers.book.guests import Kept, Past
from providers.errors import Conflict, GuestNotFound
from providers.guests import Claim, Guest, GuestAddress, Outcome
from providers.model import Caller

_REMEMBERED = timedelta(days=30)
"""How long a late report about a guest that is gone is known to be late."""


class GuestEnds(GuestTelling):
    """Lets go of guests, and of their names."""

    def remove_guest(
        self, cluster: str, name: str, caller: Caller, *, node: str | None = None, at: datetime | None = None
    ) -> Outcome:
        """Forget a guest and release its addresses and its claim.

        With ``node`` only while it belongs to that node and no other node holds its claim, with ``at`` unless something
        newer is known: otherwise it is not accepted and no error. Neither is a guest that is not there. What is
        reported later about the time before is not accepted.

        Raises Unavailable when the IPAM or the DHCP server fails: then everything is as before.
        """
        started = self.book.write(lambda connection: self._start_removal(connection, cluster, name, caller, node, at))
        if isinstance(started, Outcome):
            return started
        written, shown, happened = started
        self._tell_all(written, caller)
        self._finish_removal(written, happened, node, caller)
        return Outcome(accepted=True, guest=shown)

    def rename_guest(
        self,
        cluster: str,
        name: str,
        new_name: str,
        caller: Caller,
        *,
        node: str | None = None,
        at: datetime | None = None,
    ) -> Outcome:
        """Give a guest another name; addresses, MACs and claim stay with it.

        Repeated, it is no error while the former name is remembered, also when the guest is gone by then.

        As in ``remove_guest``, ``node`` and ``at`` say for whom and when.

        Raises Conflict when the other name is taken, Claimed when another node holds the claim of either name,
        GuestNotFound when neither is known, Unavailable as ``remove_guest``.
        """
        refuse_unfit_guest_name(cluster, new_name)
        written = self.book.write(
            lambda connection: self._rename(connection, cluster, name, new_name, caller, node, at)
        )
        if isinstance(written, Outcome):
            return written
        self._tell_all(written, caller)
        self._end_telling(written, caller)
        with self.book.read() as connection:
            found = kept.find(connection, cluster, new_name)
            return Outcome(accepted=True, guest=None if found is None else self._shown(connection, found))

    def _finish_removal(self, written: Written, happened: datetime, node: str | None, caller: Caller) -> None:
        """Release what everybody was told is given back, and forget the guest."""

        def work(connection: Connection) -> list[Ended]:
            ended = self._finish(connection, written, caller)
            self._end(connection, written.guest, happened, node, caller)
            return ended

        self._put_right(self.book.write(work))
        self._tell_the_others(written)

    def _start_removal(
        self,
        connection: Connection,
        cluster: str,
        name: str,
        caller: Caller,
        node: str | None,
        at: datetime | None,
    ) -> Outcome | tuple[Written, Guest, datetime]:
        """Mark all addresses as leaving; a guest without any is removed at once, and where nobody has to be told."""
        now = self.clock()
        before = kept.find_to_change(connection, cluster, name)
        if before is None:
            return Outcome(accepted=False, guest=None, reason="there is no such guest")
        shown = self._shown(connection, before)
        happened = max(now, before.event_at) if at is None else min(at, now)
        reason = removal_objection(before, node, happened)
        if reason is None and node is not None and shown.claim is not None and shown.claim.node != node:
            reason = f"node {shown.claim.node} holds the claim of the guest"
        if reason is not None:
            self._note_end(connection, "guest.ignored", before, caller, node, happened, wanted="remove", reason=reason)
            return Outcome(accepted=False, guest=shown, reason=reason)
        guest = replace(before, revision=before.revision + 1)
        placed = self._place(connection, before, guest, [], caller)
        written = self._marked(Written(before, replace(guest, addresses=placed.rows), placed), happened)
        kept.put(connection, written.guest, over=before)
        if (placed.partings or placed.handed) and self._tells():
            return written, shown, happened
        self._finish(connection, written, caller)
        self._end(connection, written.guest, happened, node, caller)
        return Outcome(accepted=True, guest=shown)

    def _end(
        self, connection: Connection, guest: Kept, happened: datetime, node: str | None, caller: Caller
    ) -> None:
        """Forget a guest whose addresses are released, unless a report about it came in since."""
        there = kept.find_to_change(connection, guest.cluster, guest.name)
        if there is None or (there.id, there.revision) != (guest.id, guest.revision):
            return
        now = self.clock()
        kept.remove(connection, there)
        claim = claims.find_to_change(connection, there.cluster, there.name)
        # What another node claimed since is for a guest that it makes anew.
        if claim is not None and (claim.node == there.node or claim.since <= happened or expired(claim, now)):
            claims.remove(connection, there.cluster, there.name)
        gone = Past(max(happened, there.event_at), None)
        kept.end(connection, there.cluster, there.name, gone, now, now - _REMEMBERED)
        self._note_end(connection, "guest.remove", there, caller, node, happened)

    def _rename(
        self,
        connection: Connection,
        cluster: str,
        name: str,
        new_name: str,
        caller: Caller,
        node: str | None,
        at: datetime | None,
    ) -> Outcome | Written:
        now = self.clock()
        before = kept.find_to_change(connection, cluster, name)
        there = kept.find_to_change(connection, cluster, new_name)
        if before is None:
            past = kept.past(connection, cluster, name)
            if past is None or past.renamed_to != new_name:
                raise GuestNotFound(f"No guest {name[:100]} in cluster {cluster[:100]}")
            if there is None:
                return Outcome(False, None, f"the guest was renamed to {new_name} before, and is gone since")
            return Outcome(accepted=True, guest=self._shown(connection, there))
        happened = max(now, before.event_at) if at is None else min(at, now)
        reason = removal_objection(before, node, happened)
        if reason is not None:
            self._note_end(connection, "guest.ignored", before, caller, node, happened, wanted="rename", reason=reason)
            return Outcome(accepted=False, guest=self._shown(connection, before), reason=reason)
        if there is not None and there.id == before.id:
            return Outcome(accepted=True, guest=self._shown(connection, before))
        if there is not None:
            raise Conflict(
                f"Guest {name} of cluster {cluster} cannot be called {new_name}: node {there.node} has a guest of that "
                "name; choose another"
            )
        held = [claims.find_to_change(connection, cluster, each) for each in (name, new_name)]
        for claim in held:
            refuse_foreign_claim(claim, node or before.node, now)
        old, new = held
        if old is not None and new is not None:
            claims.remove(connection, cluster, name if expired(old, now) else new_name)
        claims.rename(connection, cluster, name, new_name)
        guest = replace(before, name=new_name, revision=before.revision + 1, event_at=happened, changed_at=now)
        placed = self._place(connection, before, guest, None, caller)
        written = self._marked(Written(before, replace(guest, addresses=placed.rows), placed))
        kept.put(connection, written.guest, over=before)
        former = kept.past(connection, cluster, name)
        kept.end(connection, cluster, name, Past(happened, new_name), now, now - _REMEMBERED)
        self._note_end(connection, "guest.rename", before, caller, node, happened, new_name=new_name)

        def undo(undoing: Connection) -> None:
            kept.revive(undoing, cluster, name)
            if former is not None:
                kept.end(undoing, cluster, name, former, now, now - _REMEMBERED)
            for each, claim in zip((name, new_name), held, strict=True):
                claims.remove(undoing, cluster, each)
                if claim is not None:
                    claims.put(undoing, claim, over=None)

        return replace(written, undo=undo)

    def _shown(self, connection: Connection, found: Kept) -> Guest:
        return self._shown_all(connection, [found], self._directories.within(connection))[0]

    def _shown_all(self, connection: Connection, found: Sequence[Kept], directory: Directory) -> list[Guest]:
        now = self.clock()
        held = claims.of(connection, [(each.cluster, each.name) for each in found])
        return [_guest(each, held.get((each.cluster, each.name)), directory, now) for each in found]

    def _note_end(
        self,
        connection: Connection,
        action: str,
        guest: Kept,
        caller: Caller,
        node: str | None,
        happened: datetime,
        **detail: str,
    ) -> None:
        who = {"cluster": guest.cluster, "guest": guest.name, "node": node or guest.node}
        when = {"happened_at": happened.isoformat()}
        event_log.record(connection, self.clock(), caller, action, None, **who, **when, **detail)


def _guest(found: Kept, claim: Claim | None, directory: Directory, now: datetime) -> Guest:
    addresses = [
        GuestAddress(row.address, directory.by_id.get(row.subnet_id or 0), row.nic, row.shared)
        for row in found.addresses
        if not row.leaving
    ]
    return Guest(
        cluster=found.cluster,
        name=found.name,
        node=found.node,
        emulator=found.emulator,
        hostname=found.hostname,
        state=found.state,
        note=found.note,
        addresses=tuple(addresses),
        nics=found.nics,
        event_at=found.event_at,
        created_at=found.created_at,
        changed_at=found.changed_at,
        claim=None if claim is None or expired(claim, now) else claim,
    )
