"""Which jails run on this node, asked once for all of them."""

from __future__ import annotations

import os
import shutil
import subprocess

from hooks.errors import BadInput

_ELSEWHERE = "/usr/sbin/jls"
"""Where it is when PATH, that of cron, does not say."""
_SECONDS = 10
MACHINES = "/dev/vmm"


def running_jails() -> frozenset[str] | None:
    """Their names as ``jls`` has them; None where there is no ``jls``. Raises BadInput when it does not tell.

    What cannot be asked is not taken as stopped: the claims of guests that run would be given back.
    """
    jls = shutil.which("jls") or (_ELSEWHERE if os.path.exists(_ELSEWHERE) else None)
    if jls is None:
        return None
    try:
        asked = subprocess.run(  # noqa: S603 - nothing in it comes from elsewhere
            [jls, "-q", "name"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"{jls} cannot be asked which jails run: {error}") from error
    if asked.returncode != 0:
        said = asked.stderr.decode(errors="replace").strip()
        raise BadInput(f"{jls} cannot be asked which jails run: {said[:200]}")
    return frozenset(line.strip().strip('"') for line in asked.stdout.decode(errors="replace").splitlines())


def running_machines() -> frozenset[str]:
    """The names of bhyve machines that have their device; empty where there are no such devices."""
    try:
        return frozenset(os.listdir(MACHINES))
    except OSError:
        return frozenset()
