"""Reports about guests: how they are sent, and what becomes of those that cannot be delivered now.

A report carries the moment of its event. One that cannot be delivered waits in the spool, and whatever comes later of
the same guest waits behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from hooks.errors import HookError, Misconfigured, NotAllowed, Refused, Unreachable
from hooks.journal import Journal
from hooks.node import cluster_of, node_name
from hooks.service import Call, Service, segment
from hooks.settings import Settings
from hooks.spool import Spool

_NOT_FOUND = 404


class Sent(Enum):
    """What became of a report."""

    ACCEPTED = auto()
    WITHOUT_EFFECT = auto()
    """It came late, or the guest is another node's: no error (rule 16)."""
    UNKNOWN = auto()
    """The service knows no such guest."""
    REFUSED = auto()
    SPOOLED = auto()
    LOST = auto()
    """It could neither be delivered nor kept."""


class Reporter(NamedTuple):
    """Sends what happens to guests of this node; says what went wrong, and never raises."""

    settings: Settings
    journal: Journal
    service: Service
    node: str
    cluster: str
    at: str

    def state(self, guest: str, state: str) -> Sent:
        """A guest that is known has another state."""
        return self._send(guest, Call("PATCH", self._path(guest), None, self._body({"state": state})))

    def whole(self, guest: str, **said: Any) -> Sent:  # noqa: ANN401 - whatever the API takes
        """Everything that is known about a guest; None means unchanged."""
        body = {key: value for key, value in said.items() if value is not None}
        if self.settings.group:
            body["group"] = self.settings.group
        return self._send(guest, Call("PUT", self._path(guest), None, self._body(body)))

    def gone(self, guest: str) -> Sent:
        """A guest is no more, if it is this node's."""
        return self._send(guest, Call("DELETE", self._path(guest), {"node": self.node, "at": self.at}))

    def unclaim(self, guest: str) -> None:
        """This node runs a guest no longer.

        Never kept for later: delivered after the next start it would let another node start the guest too. ``sync``
        gives back what is left.
        """
        try:
            self.service.call(Call("DELETE", f"{self._path(guest)}/claim", {"node": self.node}))
        except (Misconfigured, Unreachable) as error:
            self.journal.warning(f"guest {guest}: its claim is given back by sync: {error}")
        except Refused as error:
            self.journal.info(f"guest {guest}: its claim is not ours to give back: {error}")

    def _send(self, guest: str, call: Call) -> Sent:
        known_as = f"{self.cluster}/{guest}"
        try:
            spool = Spool(self.settings.spool_dir)
            if spool.entries():
                # Imported here: most of the time nothing waits.
                from hooks.flush import flush

                done = flush(self.settings, self.journal, seconds=self.service.seconds_left / 2)
                if done.holds_up(known_as):
                    return self._keep(spool, known_as, call)
        except Misconfigured as error:
            return self._keep_loudly(known_as, call, error)
        except HookError as error:
            self.journal.loud(str(error))
        try:
            answer = self.service.call(call)
        except Unreachable as error:
            return self._keep(Spool(self.settings.spool_dir), known_as, call, error)
        except (Misconfigured, NotAllowed) as error:
            return self._keep_loudly(known_as, call, error)
        except Refused as error:
            if error.status == _NOT_FOUND and call.method != "PUT":
                return Sent.UNKNOWN
            self.journal.loud(f"guest {guest}: {error}")
            return Sent.REFUSED
        return self._understood(guest, answer)

    def _keep_loudly(self, known_as: str, call: Call, why: HookError) -> Sent:
        """Keep what can be told once somebody has mended the settings."""
        self.journal.loud(f"guest {known_as}: {why}")
        return self._keep(Spool(self.settings.spool_dir), known_as, call, why)

    def _understood(self, guest: str, answer: Any) -> Sent:  # noqa: ANN401
        if isinstance(answer, Mapping) and answer.get("accepted") is False:
            self.journal.info(f"guest {guest}: without effect: {answer.get('reason')}")
            return Sent.WITHOUT_EFFECT
        return Sent.ACCEPTED

    def _keep(self, spool: Spool, known_as: str, call: Call, why: HookError | None = None) -> Sent:
        try:
            spool.add(known_as, call)
        except HookError as error:
            self.journal.loud(f"guest {known_as}: a report is lost: {error}")
            return Sent.LOST
        self.journal.warning(f"guest {known_as}: a report waits to be delivered" + (f": {why}" if why else ""))
        return Sent.SPOOLED

    def _path(self, guest: str) -> str:
        return f"/guests/{segment(self.cluster)}/{segment(guest)}"

    def _body(self, said: Mapping[str, Any]) -> dict[str, Any]:
        return {"node": self.node, "at": self.at, **said}


def reporter(settings: Settings, journal: Journal, environment: Mapping[str, str]) -> Reporter:
    """A reporter for what happens at this moment. Raises Misconfigured."""
    node, cluster = node_name(settings, environment), cluster_of(settings, environment)
    return Reporter(settings, journal, Service(settings), node, cluster, moment())


def moment() -> str:
    """Now, as the service reads it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
