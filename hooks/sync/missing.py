"""Since when guests have been missing from this node.

A guest that was unregistered here may be registered on another node in a minute: its addresses are released only when
it has been missing for a while.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from hooks.shared_file import open_shared

_NAME = "missing.state"


def missing_since(directory: str, names: Iterable[str], now: float) -> dict[str, float]:
    """When each of ``names`` was first missed, in seconds since the epoch; remembered for the next time.

    What is not among ``names`` any more is forgotten. Raises OSError.
    """
    path = os.path.join(directory, _NAME)
    names = list(names)
    before: dict[str, float] | None
    try:
        with open(path, "rb") as file:
            before = json.load(file)
        since = {name: min(float(before.get(name, now)), now) for name in names}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        # Not there yet, or not what was written: everything begins to be missed now.
        before = None
        since = dict.fromkeys(names, now)
    if since == (before or {}):
        return since
    os.makedirs(directory, mode=0o770, exist_ok=True)
    coming = f"{path}.{os.getpid()}"
    descriptor = open_shared(coming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        os.write(descriptor, json.dumps(since).encode())
    finally:
        os.close(descriptor)
    os.replace(coming, path)
    return since
