"""Guests and claims of a running service."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from netaddr import IPAddress

from providers.guests import Claim, Guest, GuestState, Outcome
from providers.model import Caller, Subnet
from proxy.remote.reading import claim_from, guest_from
from proxy.remote.service import RemoteService, Row


class RemoteGuests:
    """What :class:`AddressBook` offers about guests and claims, as far as commands call it.

    A ``caller`` is passed over everywhere: the service knows who asks.
    """

    def __init__(self, service: RemoteService) -> None:
        self.service = service

    def guest(self, cluster: str, name: str) -> Guest:
        """A guest; raises GuestNotFound."""
        return self._guest(self.service.get("guests", cluster, name))

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
        after: tuple[str, str] | None = None,
        limit: int = 100,
    ) -> list[Guest]:
        """The next ``limit`` guests that fit, by cluster and name."""
        rows = self.service.pages(
            "guests",
            most=limit,
            after=None if after is None else "/".join(after),
            cluster=cluster,
            node=node,
            state=state,
            emulator=emulator,
            text=text,
            address=address,
            mac=mac,
        )
        return [self._guest(row) for row in rows]

    def remove_guest(
        self, cluster: str, name: str, caller: Caller, *, node: str | None = None, at: datetime | None = None
    ) -> Outcome:
        """Forget a guest and release what it has."""
        asked = {"node": node, "at": None if at is None else at.isoformat()}
        row = self.service.send("DELETE", ("guests", cluster, name), asked)
        return Outcome(row["accepted"], None if row["guest"] is None else self._guest(row["guest"]), row["reason"])

    def claims(
        self,
        *,
        cluster: str | None = None,
        node: str | None = None,
        text: str | None = None,
        after: tuple[str, str] | None = None,
        limit: int = 1000,
    ) -> list[Claim]:
        """The next ``limit`` claims that fit and have not expired, by cluster and name."""
        place = None if after is None else "/".join(after)
        rows = self.service.pages("claims", most=limit, after=place, cluster=cluster, node=node, text=text)
        return [claim_from(row) for row in rows]

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
        """Let one node alone run the guest; raises Claimed."""
        body = {"node": node, "force": force}
        for key, value in (("lifetime", lifetime), ("renewal_interval", renewal_interval)):
            if value is not None:
                body[key] = int(value.total_seconds())
        return claim_from(self.service.send("POST", ("guests", cluster, name, "claim"), {}, body))

    def release_claim(
        self, cluster: str, name: str, node: str | None, caller: Caller, *, since: datetime | None = None
    ) -> Claim | None:
        """End a claim; None when there was none. Raises Claimed when it is not that of ``node`` and ``since``."""
        asked = {"node": node, "since": None if since is None else since.isoformat()}
        row = self.service.send("DELETE", ("guests", cluster, name, "claim"), asked)
        return None if row["released"] is None else claim_from(row["released"])

    def _guest(self, row: Row) -> Guest:
        """With the subnets of its addresses as they were learned."""
        found = guest_from(row)
        places = [
            replace(each, subnet=None if each.subnet is None else self._learned_already(each.subnet))
            for each in found.addresses
        ]
        return replace(found, addresses=tuple(places))

    def _learned_already(self, subnet: Subnet) -> Subnet:
        """The subnet as it was learned, if it was: see RemoteAddressBook."""
        raise NotImplementedError
