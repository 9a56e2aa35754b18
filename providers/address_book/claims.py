"""Claims: which node may run a guest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from providers.address_book.foundation import Foundation
from providers.address_book.guest_ownership import STARTS
from providers.address_book.guest_values import refuse_unfit_guest_name, refuse_unfit_node
from providers.book import claims as kept
from providers.book import event_log, guests
from providers.book.guests import Kept
from providers.clock import shown_moment
from providers.errors import Claimed, Conflict, InvalidValue, NotFound
from providers.guests import Claim
from providers.model import Caller

RENEWALS_PER_LIFETIME = 3
"""So many times its holder has to be able to renew a claim before it ends: one lost request must not end it."""

MOST_AT_ONCE = 1000
LONGEST_LIFETIME = timedelta(days=366)


class Claims(Foundation):
    """Gives the right to run a guest to one node at a time."""

    def claim(
        self,
        cluster: str,
        name: str,
        node: str,
        caller: Caller,
        *,
        lifetime: timedelta | None = None,
        renewal_interval: timedelta | None = None,
        force: bool = False,
    ) -> Claim:
        """Let ``node`` alone run the guest; the guest need not be known yet. Ours already is success, and renews it.

        With ``lifetime`` the claim ends when it was not renewed for that long; ``renewal_interval`` is how often the
        node means to renew it. Without, it lasts until it is released, or taken over by ``force``. The lifetime that
        was given last counts.

        Raises Claimed (naming the holder) while another node holds it, InvalidValue for a lifetime below three times
        the renewal interval.
        """
        refuse_unfit_guest_name(cluster, name)
        refuse_unfit_node(node)
        _refuse_unfit_lifetime(lifetime, renewal_interval)

        def work(connection: Connection) -> Claim:
            now = self.clock()
            there = kept.find_to_change(connection, cluster, name)
            until = None if lifetime is None else now + lifetime
            if there is not None and there.node == node and not expired(there, now):
                renewed = replace(there, renewed_at=now, expires_at=until)
                kept.put(connection, renewed, over=there)
                return renewed
            refuse_foreign_claim(there, node, now, force=force)
            taken_over = there is not None and there.node != node and not expired(there, now)
            from_whom = there.node if there is not None and taken_over else None
            made = Claim(cluster, name, node, now, now, until, from_whom)
            kept.put(connection, made, over=there)
            if there is not None and expired(there, now):
                self._note_claim(connection, "claim.expire", there, now, caller)
            action = "claim.force" if taken_over else "claim.take"
            self._note_claim(connection, action, made, now, caller, forced_from=from_whom)
            return made

        return self.book.write(work)

    def renew_claim(
        self, cluster: str, name: str, node: str, caller: Caller, *, since: datetime | None = None
    ) -> Claim:
        """Let the claim of ``node`` last for its lifetime from now on.

        Also one that ended, unless somebody took it since or another node runs the guest by now. With ``since`` only
        the claim that began then, to the second.

        Raises Claimed while another node holds it or when another claim is meant, Conflict when it ended and the guest
        runs elsewhere, NotFound when nobody holds it.
        """

        def work(connection: Connection) -> Claim:
            now = self.clock()
            there = kept.find_to_change(connection, cluster, name)
            refuse_foreign_claim(there, node, now)
            if there is None or there.node != node:
                raise NotFound(f"Nobody holds a claim of guest {name} in cluster {cluster}: claim it first")
            _refuse_other_claim(there, since)
            if expired(there, now):
                _refuse_running_elsewhere(guests.find(connection, cluster, name), node)
            until = None if there.expires_at is None else now + (there.expires_at - there.renewed_at)
            renewed = replace(there, renewed_at=now, expires_at=until)
            kept.put(connection, renewed, over=there)
            return renewed

        return self.book.write(work)

    def release_claim(
        self,
        cluster: str,
        name: str,
        node: str | None,
        caller: Caller,
        *,
        since: datetime | None = None,
        idle: timedelta | None = None,
    ) -> Claim | None:
        """End the claim of ``node``, or of whoever holds it when ``node`` is None; None when nobody holds it.

        With ``since`` only the claim that began then, to the second: a release that arrives late ends no newer one.
        With ``idle`` only one that was neither taken nor renewed for that long: the guest may be about to start.

        Raises Claimed while another node holds it, when another claim is meant, or when it is not idle.
        """

        def work(connection: Connection) -> Claim | None:
            now = self.clock()
            there = kept.find_to_change(connection, cluster, name)
            if there is None:
                return None
            if node is not None:
                refuse_foreign_claim(there, node, now)
            ended = expired(there, now)
            if not ended:
                _refuse_other_claim(there, since)
                _refuse_claim_in_use(there, idle, now)
            kept.remove(connection, cluster, name)
            self._note_claim(connection, "claim.expire" if ended else "claim.release", there, now, caller)
            return None if ended else there

        return self.book.write(work)

    def claims(
        self,
        *,
        cluster: str | None = None,
        node: str | None = None,
        text: str | None = None,
        after: tuple[str, str] | None = None,
        limit: int = MOST_AT_ONCE,
    ) -> list[Claim]:
        """The first ``limit`` claims above ``after`` (cluster, name) that live and fit, by cluster and name.

        At most 1000. ``text`` is looked for in the name, without regard to case.
        """
        limit = max(1, min(limit, MOST_AT_ONCE))
        with self.book.read(snapshot=False) as connection:
            return kept.live(
                connection, self.clock(), cluster=cluster, node=node, text=text, after=after, limit=limit
            )

    def _note_claim(
        self, connection: Connection, action: str, claim: Claim, now: datetime, caller: Caller, **more: str | None
    ) -> None:
        shown = {"cluster": claim.cluster, "guest": claim.name, "node": claim.node} | more
        event_log.record(connection, now, caller, action, None, **shown)


def expired(claim: Claim, now: datetime) -> bool:
    """Whether anybody may have the claim."""
    return claim.expires_at is not None and claim.expires_at <= now


def refuse_foreign_claim(there: Claim | None, node: str, now: datetime, *, force: bool = False) -> None:
    """Raise Claimed when ``there`` is a living claim of another node than ``node``, unless by ``force``."""
    if there is None or there.node == node or force or expired(there, now):
        return
    until = "" if there.expires_at is None else f", until {shown_moment(there.expires_at)}"
    raise Claimed(
        f"Guest {there.name} in cluster {there.cluster} is claimed by node {there.node} since "
        f"{shown_moment(there.since)}{until}: stop it there and release the claim, or take it by force when that node "
        "is certainly down",
        claim=there,
    )


def _refuse_other_claim(there: Claim, since: datetime | None) -> None:
    """Raise Claimed unless ``there`` began at ``since``; claims are told to the second, so that is what counts."""
    if since is None or _to_the_second(there.since) == _to_the_second(since):
        return
    raise Claimed(
        f"Guest {there.name} in cluster {there.cluster} is claimed by node {there.node} since "
        f"{shown_moment(there.since)}, not since {shown_moment(since)}: that claim has ended",
        claim=there,
    )


def _refuse_claim_in_use(there: Claim, idle: timedelta | None, now: datetime) -> None:
    """Raise Claimed when ``there`` was taken or renewed less than ``idle`` before ``now``."""
    if idle is None or now - there.renewed_at >= idle:
        return
    raise Claimed(
        f"The claim of node {there.node} on guest {there.name} in cluster {there.cluster} was renewed at "
        f"{shown_moment(there.renewed_at)}, less than {idle.total_seconds():g} s ago: it is in use",
        claim=there,
    )


def _refuse_running_elsewhere(guest: Kept | None, node: str) -> None:
    """Raise Conflict when another node than ``node`` has started the guest, and not stopped it."""
    if guest is None or guest.node == node or guest.state not in STARTS:
        return
    raise Conflict(
        f"The claim of guest {guest.name} in cluster {guest.cluster} has ended, and node {guest.node} runs the guest "
        f"({guest.state}): stop it there, or take the claim by force when that node is certainly down",
        owner={"cluster": guest.cluster, "guest": guest.name, "node": guest.node},
    )


def _to_the_second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _refuse_unfit_lifetime(lifetime: timedelta | None, renewal_interval: timedelta | None) -> None:
    for what, given in (("lifetime", lifetime), ("renewal interval", renewal_interval)):
        if given is not None and not timedelta(0) < given <= LONGEST_LIFETIME:
            raise InvalidValue(f"Invalid {what}: it is above 0 and at most {LONGEST_LIFETIME.days} days")
    if lifetime is None or renewal_interval is None or lifetime >= RENEWALS_PER_LIFETIME * renewal_interval:
        return
    raise InvalidValue(
        f"A lifetime of {lifetime.total_seconds():g} s is below three times the renewal interval of "
        f"{renewal_interval.total_seconds():g} s: one lost request would end the claim of a guest that runs"
    )
