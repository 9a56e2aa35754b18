"""``leasehold-hook inventory``: what Ansible asks of a dynamic inventory, ``--list`` or ``--host NAME``.

Standard error stays empty when all is well: Ansible shows whatever is there as an error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from hooks.errors import HookError
from hooks.inventory.hosts import inventory
from hooks.node import cluster_of, node_name
from hooks.service import Service
from hooks.settings import Settings, load

_SECONDS = 30.0
_FAILED = 1


def run(arguments: Sequence[str]) -> int:
    """Print the inventory, or the variables of one host; returns 0, or 1 when the service cannot be asked."""
    parser = argparse.ArgumentParser(prog="leasehold-hook inventory", description="An Ansible dynamic inventory.")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--list", action="store_true", help="all hosts, their groups and variables")
    asked.add_argument("--host", metavar="NAME", help="the variables of one host")
    given = parser.parse_args(arguments)
    try:
        settings = load()
        found = inventory(guests(settings), _here(settings))
    except HookError as error:
        print(f"leasehold-hook inventory: {error}", file=sys.stderr)  # noqa: T201 - a command talks
        return _FAILED
    shown: Any = found if given.list else found["_meta"]["hostvars"].get(given.host, {})
    print(json.dumps(shown, indent=2))  # noqa: T201
    return 0


def _here(settings: Settings) -> tuple[str, str] | None:
    """Cluster and node, if this user may enter jails: only root may."""
    return (cluster_of(settings), node_name(settings)) if os.geteuid() == 0 else None


def guests(settings: Settings) -> Iterator[dict[str, Any]]:
    """Every guest that the token may see, page by page. Raises Refused, Unreachable."""
    return Service(settings, seconds=_SECONDS).items("/guests", {})
