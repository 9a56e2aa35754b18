"""``leasehold-hook claim``: list, release or force the right of a node to run a guest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from hooks.errors import HookError, Refused, Unreachable, printable
from hooks.node import cluster_of, node_name
from hooks.service import Call, Service, segment
from hooks.settings import Settings, load

_NOT_FOUND = 404
_CLAIMED = "claimed"


def run(arguments: Sequence[str]) -> int:
    """Run one of them; returns 0, or 1 when the service refuses or does not answer."""
    parser = argparse.ArgumentParser(prog="leasehold-hook claim", description="Who may run which guest.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the claims of this cluster")
    for name, purpose in (
        ("release", "give the claim of this node back"),
        ("force", "take the claim for this node from whoever holds it; only when that node is certainly down"),
    ):
        commands.add_parser(name, help=purpose).add_argument("guest", metavar="NAME")
    given = parser.parse_args(arguments)
    try:
        settings = load()
        service = Service(settings)
        if given.command == "list":
            _list(service, settings)
        elif given.command == "release":
            released = release(service, settings, given.guest)
            print(f"Released the claim of {given.guest}." if released else f"Nobody held {given.guest}.")  # noqa: T201
        else:
            print(_told(take(service, settings, given.guest, force=True)))  # noqa: T201
    except HookError as error:
        print(f"leasehold-hook claim: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def take(service: Service, settings: Settings, guest: str, *, force: bool = False) -> dict[str, Any]:
    """Take or renew the claim of a guest for this node; returns it. Raises Refused (with the holder), Unreachable."""
    body: dict[str, Any] = {"node": node_name(settings), "force": force}
    if settings.claim_lifetime:
        body |= {"lifetime": settings.claim_lifetime, "renewal_interval": settings.claim_renewal}
    claim: dict[str, Any] = service.call(Call("POST", _path(settings, guest), None, body))
    _refuse_other(claim, settings, guest)
    return claim


def renew(service: Service, settings: Settings, guest: str, *, since: str | None = None) -> dict[str, Any] | None:
    """Renew the claim of this node and return it; None when nobody holds one.

    Raises Refused when another node does, or when it is not the one that began at ``since`` (see ``is_ours``),
    Unreachable.
    """
    body = {"node": node_name(settings)} | ({} if since is None else {"since": since})
    try:
        claim: dict[str, Any] = service.call(Call("PATCH", _path(settings, guest), None, body))
    except Refused as refusal:
        if refusal.status == _NOT_FOUND:
            return None
        raise
    _refuse_other(claim, settings, guest)
    return claim


def release(
    service: Service, settings: Settings, guest: str, *, since: str | None = None, idle: int | None = None
) -> dict[str, Any] | None:
    """Give the claim of this node back; None when nobody held it.

    Raises Refused as ``renew`` does, and when it was taken or renewed in the last ``idle`` seconds; Unreachable.
    """
    query = {"node": node_name(settings)} | ({} if since is None else {"since": since})
    query |= {} if idle is None else {"idle": str(idle)}
    answer = service.call(Call("DELETE", _path(settings, guest), query))
    released: dict[str, Any] | None = answer.get("released")
    return released


def is_ours(refusal: Refused, settings: Settings) -> bool:
    """Whether a request was refused because this node has taken or renewed its claim meanwhile."""
    holder = refusal.detail.get("holder")
    return refusal.code == _CLAIMED and isinstance(holder, dict) and holder.get("node") == node_name(settings)


def _refuse_other(claim: dict[str, Any], settings: Settings, guest: str) -> None:
    """Raise Unreachable for a success that is not the claim asked for: on less than that no guest starts."""
    if claim.get("node") != node_name(settings):
        raise Unreachable(f"the answer about the claim of {guest} does not say that this node has it: no Leasehold?")


def _list(service: Service, settings: Settings) -> None:
    for claim in service.items("/claims", {"cluster": cluster_of(settings)}):
        print(_told(claim))  # noqa: T201


def _path(settings: Settings, guest: str) -> str:
    return f"/guests/{segment(cluster_of(settings))}/{segment(guest)}/claim"


def _told(claim: dict[str, Any]) -> str:
    until = f" until {claim['expires_at']}" if claim["expires_at"] else ""
    return printable(f"{claim['name']} is claimed by {claim['node']} since {claim['since']}{until}")
