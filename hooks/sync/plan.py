"""What has to be told to the service so that it knows what this node has: nothing here talks to anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hooks.sync.guest import Found, Present

RUNNING, STOPPED = "running", "stopped"
_ALWAYS = {"name", "emulator", "state", "group"}
Known = Mapping[str, Any]
"""A guest as the service lists it."""


class Plan(NamedTuple):
    """``reports`` are bodies for the list of a node, each with its ``name``; ``renames`` are old and new names.

    ``yields`` are bodies too, to be reported before: guests without the addresses that others of this node have now.
    """

    reports: tuple[dict[str, Any], ...]
    renames: tuple[tuple[str, str], ...]
    removals: tuple[str, ...]
    yields: tuple[dict[str, Any], ...] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.reports or self.renames or self.removals)

    def lines(self) -> list[str]:
        """The plan for people."""
        return [
            *(f"rename  {old} to {new}" for old, new in self.renames),
            *(f"yield   {each['name']}: {_listed(each)}, until others have what it had" for each in self.yields),
            *(f"report  {each['name']}: {_told(each)}" for each in self.reports),
            *(f"release {name}: it is not on this node any more" for name in self.removals),
        ]


def plan(found: Found, known: Iterable[Known], group: str = "") -> Plan:
    """Compare what is on this node with what the service knows of it.

    A guest that came under another name with an address of one that is gone was renamed. A guest that the service has
    under a tool that was not asked is left alone, and so is one that is here and cannot be read.
    """
    of_service = {each["name"]: each for each in known if each["emulator"] in found.emulators}
    here = {each.name: each for each in found.guests}
    gone = [each for name, each in of_service.items() if name not in here and name not in found.unread]
    renames = _renames([each for name, each in here.items() if name not in of_service], gone)
    old_names = {new: old for old, new in renames}
    reports, yields = [], []
    for name, guest in here.items():
        there = of_service.get(old_names.get(name, name))
        body = report(guest, group)
        news = body if there is None else _news(there, body)
        if news is not None:
            reports.append(news)
    for body in reports:
        rest = _without_what_others_have(body, of_service.get(old_names.get(body["name"], body["name"])), reports)
        if rest is not None:
            yields.append(rest)
    removals = sorted({each["name"] for each in gone} - {old for old, _ in renames})
    return Plan(tuple(reports), tuple(renames), tuple(removals), tuple(yields))


def report(guest: Present, group: str = "") -> dict[str, Any]:
    """A guest as ``/api/v1`` takes it in a list; what is not known is left out."""
    body: dict[str, Any] = {
        "name": guest.name,
        "emulator": guest.emulator,
        "state": RUNNING if guest.runs else STOPPED,
        "hostname": guest.hostname,
        "addresses": None if guest.addresses is None else [each.as_reported() for each in guest.addresses],
        "nics": None if guest.nics is None else list(guest.nics),
        "note": guest.note,
    }
    return {key: value for key, value in body.items() if value is not None} | ({"group": group} if group else {})


def _renames(new: list[Present], gone: list[Known]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    left = {each["name"]: each for each in gone}
    for guest in new:
        matches = [name for name, each in left.items() if _is_same(guest, each)]
        if len(matches) == 1:
            found.append((matches[0], guest.name))
            del left[matches[0]]
    return found


def _is_same(guest: Present, gone: Known) -> bool:
    """Whether a guest has an address of its own that the other one had; a clone has it too, but other MACs."""
    if guest.emulator != gone["emulator"]:
        return False
    macs = {each["mac"] for each in guest.nics or ()} - {None}
    macs_gone = {each["mac"] for each in gone["nics"]} - {None}
    if macs and macs_gone and not macs & macs_gone:
        return False
    mine = {each.text for each in guest.addresses or () if not each.shared}
    return bool(mine & {each["address"] for each in gone["addresses"]})


def _news(there: Known, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of a report, what the service does not know; None when it knows everything.

    What it knows is left out and stays as it is: a hook may have told more, such as which card has which address.
    """
    same = {
        "emulator": there["emulator"] == body["emulator"],
        # A guest may be created or starting for the service and not run yet: that is no difference worth a report.
        "state": (there["state"] == RUNNING) == (body["state"] == RUNNING),
        "hostname": there["hostname"] == body.get("hostname"),
        "addresses": _shown(there["addresses"]) == _shown(body.get("addresses", ())) and _are_kept(there),
        "note": there["note"] == body.get("note"),
        "nics": [each["mac"] for each in body.get("nics", ())] == [each["mac"] for each in there["nics"]],
    }
    if all(is_same for key, is_same in same.items() if key in body):
        return None
    return {key: value for key, value in body.items() if key in _ALWAYS or not same.get(key)}


def _without_what_others_have(
    body: Mapping[str, Any], there: Known | None, reports: Iterable[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Of a report, that the guest gave up addresses which another one has now; None when there are no such.

    Two guests that swapped addresses could not be reported one after the other: each would wait for the other.
    """
    if there is None or "addresses" not in body:
        return None
    had = {each["address"] for each in there["addresses"]}
    given_up = had - {each["address"] for each in body["addresses"]}
    if not given_up:
        return None
    wanted = {
        each["address"] for other in reports if other["name"] != body["name"] for each in other.get("addresses", ())
    }
    if given_up.isdisjoint(wanted):
        return None
    kept = [each for each in body["addresses"] if each["address"] in had]
    return {"name": body["name"], "addresses": kept} | ({"group": body["group"]} if "group" in body else {})


def _shown(addresses: Iterable[Mapping[str, Any]]) -> set[tuple[str, bool]]:
    return {(each["address"], each["shared"]) for each in addresses}


def _are_kept(there: Known) -> bool:
    """Whether each address is reserved: one that was in no subnet of the book may be in one now."""
    return all(each["subnet"] for each in there["addresses"])


def _told(body: Mapping[str, Any]) -> str:
    told = [body["emulator"], body["state"]]
    if "addresses" in body:
        told.append(_listed(body))
    told += [f"host name {body['hostname']}"] if body.get("hostname") else []
    told += [f"note {body['note']}"] if body.get("note") else []
    told += [f"MACs {', '.join(each['mac'] or 'unknown' for each in body['nics'])}"] if "nics" in body else []
    return ", ".join(told)


def _listed(body: Mapping[str, Any]) -> str:
    return ", ".join(each["address"] for each in body["addresses"]) or "no address"
