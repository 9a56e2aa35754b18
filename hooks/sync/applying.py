"""Telling the service what a plan says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hooks.errors import HookError, InternalError, NotAllowed, Refused
from hooks.journal import Journal
from hooks.node import cluster_of, node_name
from hooks.service import Call, Service, segment
from hooks.settings import Settings
from hooks.sync.plan import Plan

_MOST_AT_ONCE = 100
_LARGEST_BODY = 48 * 1024
"""Below the 64 KiB that the service takes."""


def known_guests(service: Service, settings: Settings) -> Iterator[dict[str, Any]]:
    """What the service knows of this node. Raises Refused, Unreachable."""
    return service.items("/guests", {"cluster": cluster_of(settings), "node": node_name(settings)})


class Applying(NamedTuple):
    """Sends a plan; ``at`` is when the node was looked at."""

    service: Service
    settings: Settings
    journal: Journal
    at: str

    def apply(self, planned: Plan) -> int:
        """Rename, release, yield, report, in that order, so that an address is free before its next owner is reported.

        Returns how many were refused or forbidden, or failed in the service, each of them told loudly. Raises
        Unreachable, and NotAllowed when nothing at all is allowed.
        """
        refused = sum(self._rename(old, new) for old, new in planned.renames)
        refused += sum(self._release(name) for name in planned.removals)
        for reports in (planned.yields, planned.reports):
            for portion in _portions(reports):
                refused += self._report(portion)
        return refused

    def _rename(self, old: str, new: str) -> int:
        body = {"new_name": new, "node": node_name(self.settings), "at": self.at}
        return self._told(old, Call("POST", f"{self._path(old)}/rename", None, body), f"renamed to {new}")

    def _release(self, name: str) -> int:
        query = {"node": node_name(self.settings), "at": self.at}
        return self._told(name, Call("DELETE", self._path(name), query), "released: it is not here any more")

    def _report(self, portion: list[Mapping[str, Any]]) -> int:
        try:
            items = self.service.call(Call("PUT", "/guests", None, self._body(portion)))["items"]
        except (Refused, InternalError) as error:
            _raise_for_all(error)
            if len(portion) > 1:
                # One of them has what the service cannot take, or fails on: the others are not to suffer for it.
                return sum(self._report([each]) for each in portion)
            self.journal.loud(f"guest {portion[0]['name']}: {error}")
            return 1
        refused = 0
        for told, answer in zip(portion, items, strict=False):
            if answer.get("error") is not None:
                self.journal.loud(f"guest {told['name']}: {answer['error']['message']}")
                refused += 1
            else:
                self._outcome(told["name"], answer, "confirmed")
        return refused

    def _body(self, portion: list[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "cluster": cluster_of(self.settings),
            "node": node_name(self.settings),
            "guests": [{**each, "at": self.at} for each in portion],
        }

    def _told(self, name: str, call: Call, what: str) -> int:
        try:
            answer = self.service.call(call)
        except (Refused, InternalError) as error:
            _raise_for_all(error)
            self.journal.loud(f"guest {name}: {error}")
            return 1
        self._outcome(name, answer, what)
        return 0

    def _outcome(self, name: str, answer: Mapping[str, Any], what: str) -> None:
        self.journal.info(f"guest {name}: {what if answer['accepted'] else 'without effect: ' + str(answer['reason'])}")

    def _path(self, name: str) -> str:
        return f"/guests/{segment(cluster_of(self.settings))}/{segment(name)}"


def _raise_for_all(error: HookError) -> None:
    if isinstance(error, NotAllowed) and not error.for_this_alone:
        raise error


def _portions(reports: tuple[dict[str, Any], ...]) -> Iterator[list[Mapping[str, Any]]]:
    """Reports in lists that the service takes."""
    portion: list[Mapping[str, Any]] = []
    size = 0
    for each in reports:
        length = len(json.dumps(each)) + 64
        if portion and (size + length > _LARGEST_BODY or len(portion) == _MOST_AT_ONCE):
            yield portion
            portion, size = [], 0
        portion.append(each)
        size += length
    if portion:
        yield portion
