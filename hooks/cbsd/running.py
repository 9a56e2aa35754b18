"""Whether a guest runs on this node now, asked of the system: not every hook's variables say."""

from __future__ import annotations

import os

from hooks.cbsd.guest import JAIL, CBSDGuest

_SECONDS = 2
_BHYVE = "bhyve"
_MACHINES = "/dev/vmm"


def is_running(guest: CBSDGuest) -> bool:
    """Whether the guest of a hook runs; what the system does not show counts as stopped."""
    if guest.emulator == JAIL:
        return jail_runs(guest.name)
    return machine_runs(guest.name, guest.emulator)


def jail_runs(name: str, *, otherwise: bool = False) -> bool:
    """Whether ``jls`` knows the jail; ``otherwise`` where there is no ``jls``.

    One that does not tell counts as running: to give its claim back would let another node start it too.
    """
    # Imported here: only the hook of a new guest asks.
    import shutil
    import subprocess

    jls = shutil.which("jls")
    if jls is None:
        return otherwise
    try:
        asked = subprocess.run(  # noqa: S603 - the name stays one word
            [jls, "-j", name, "jid"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return asked.returncode == 0


def machine_runs(name: str, emulator: str, *, otherwise: bool = False) -> bool:
    """Whether a bhyve machine has its device; ``otherwise`` for other emulators, and where there are no devices."""
    if emulator != _BHYVE or not os.path.isdir(_MACHINES):
        return otherwise
    return os.path.exists(os.path.join(_MACHINES, os.path.basename(name)))
