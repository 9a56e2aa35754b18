"""The claims of this node: renewed while the guest runs, given back when it does not."""

from __future__ import annotations

from collections.abc import Collection

from hooks import claim
from hooks.errors import InternalError, NotAllowed, Refused
from hooks.journal import Journal
from hooks.node import cluster_of, node_name
from hooks.service import Service
from hooks.settings import Settings

STARTING_TAKES = 15 * 60
"""Seconds. A claim that is younger may belong to a guest that is about to start: ``mnt_start`` takes it first."""


def sync_claims(
    service: Service,
    settings: Settings,
    journal: Journal,
    running: Collection[str] | None,
) -> int:
    """Renew and give back; returns how many claims are not as they should be, each of them told loudly.

    Another node has that of a guest that runs here, or the service fails on one or does not allow it.

    ``running`` None means that nobody knows what runs here: then all claims of this node are renewed, because giving
    one back lets another node start the guest too. Raises Unreachable, NotAllowed.
    """
    node = node_name(settings)
    wrong = 0
    claims = list(service.items("/claims", {"cluster": cluster_of(settings)}))
    # The oldest first: what is given back is given back at once, because any of them may be taken again meanwhile.
    for held in sorted(claims, key=lambda each: str(each["renewed_at"])):
        name = held["name"]
        try:
            if held["node"] != node:
                if name in (running or ()):
                    journal.loud(f"guest {name} runs here, and node {held['node']} has its claim since {held['since']}")
                    wrong += 1
            elif running is None or name in running:
                claim.renew(service, settings, name, since=held["since"])
            elif claim.release(service, settings, name, since=held["since"], idle=STARTING_TAKES):
                journal.info(f"guest {name} does not run here: its claim is given back")
        except NotAllowed as error:
            if not error.for_this_alone:
                raise
            # A token may see a guest by one address and not reach all: the other claims are not to end for that.
            journal.loud(f"guest {name}: its claim may not be renewed or given back: {error}")
            wrong += 1
        except InternalError as error:
            # Told loudly: a claim with a lifetime ends when it is not renewed.
            journal.loud(f"guest {name}: the service fails on its claim: {error}")
            wrong += 1
        except Refused as error:
            # One of this node's own that is not to be given back yet, or was taken anew, is as it should be.
            if not claim.is_ours(error, settings):
                journal.warning(f"guest {name}: {error}")
    if settings.claim_lifetime:
        _revive(service, settings, journal, sorted(set(running or ()) - {each["name"] for each in claims}))
    return wrong


def _revive(service: Service, settings: Settings, journal: Journal, names: Collection[str]) -> None:
    """Renew claims that ended in an outage, of guests that run on: the service lists them no more, but takes that."""
    for name in names:
        try:
            if claim.renew(service, settings, name):
                journal.info(f"guest {name} runs here: its claim, which had ended, is renewed")
        except NotAllowed as error:
            if not error.for_this_alone:
                raise
        except (Refused, InternalError) as error:
            # A name that can have no claim, or somebody has just taken it: the next time says which.
            journal.warning(f"guest {name}: {error}")
