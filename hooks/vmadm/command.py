"""``leasehold-hook vmadm``: ``create`` and ``update`` filter a payload, ``confirm`` reports what became of it.

The whole payload is printed, or nothing: a pipe ends in ``vmadm``, which would take half of one for all of it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from hooks.errors import HookError
from hooks.journal import Journal, journal_of
from hooks.service import Service
from hooks.settings import load
from hooks.vmadm.confirming import confirm
from hooks.vmadm.filling import fill
from hooks.vmadm.payload import CREATE, UPDATE, read_payload

_FAILED, _WRONG_USAGE = 1, 2
_USAGE = "usage: leasehold-hook vmadm create|update [UUID] < PAYLOAD, or leasehold-hook vmadm confirm UUID"


def run(arguments: Sequence[str]) -> int:
    """Filter or confirm; returns 0, 1 when it cannot be done, 2 for wrong usage."""
    action, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    if action not in (CREATE, UPDATE, "confirm") or len(rest) > 1 or (action == "confirm" and not rest):
        print(_USAGE, file=sys.stderr)  # noqa: T201 - a command talks
        return _WRONG_USAGE
    journal = Journal("vmadm")
    try:
        settings = load()
        journal = journal_of(settings, "vmadm")
        if action == "confirm":
            return confirm(rest[0], settings, journal)
        payload = read_payload(sys.stdin.buffer.read())
        fill(payload, action, settings, Service(settings), rest[0] if rest else None)
    except HookError as error:
        journal.loud(str(error))
        return _FAILED
    return _print(json.dumps(payload, indent=2), journal)


def _print(text: str, journal: Journal) -> int:
    """In ASCII, which is JSON too: no locale can break it in the middle."""
    try:
        print(text, flush=True)  # noqa: T201 - the answer
    except OSError as error:
        journal.loud(f"the payload could not be passed on: {error.strerror}")
        # What is left would be tried once more at the end, and complained about.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    return 0
