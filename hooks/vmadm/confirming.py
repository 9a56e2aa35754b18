"""After ``vmadm create``: what the machine really has becomes the guest's in the service."""

from __future__ import annotations

import os
from typing import Any

from hooks.errors import BadInput
from hooks.journal import Journal
from hooks.report import Sent, reporter
from hooks.settings import Settings
from hooks.vmadm.machines import EMULATOR, RUNNING, Machine, listed, machine, shown, vmadm_path

_FAILED = 1


def confirm(guest: str, settings: Settings, journal: Journal) -> int:
    """Report the guest with that UUID as ``vmadm get`` shows it; 0 when it was taken or waits to be delivered.

    Raises BadInput when vmadm does not know it.
    """
    report = reporter(settings, journal, os.environ)
    vmadm = vmadm_path()
    if vmadm is None:
        raise BadInput("vmadm is not in the PATH")
    told = shown(vmadm, guest)
    found = machine(told, guest, settings.shared_addresses)
    if "state" not in told:
        # Where vmadm does not show it of one, it does so in its list.
        found = found._replace(runs=dict(listed(vmadm)).get(found.uuid, False))
    sent = report.whole(found.uuid, **described(found))
    return _FAILED if sent in (Sent.REFUSED, Sent.LOST) else 0


def described(found: Machine) -> dict[str, Any]:
    """A machine as ``/api/v1`` takes it: the guest is its UUID, the alias is for people."""
    return {
        "emulator": EMULATOR,
        "hostname": found.hostname,
        "note": found.alias,
        "state": RUNNING if found.runs else "stopped",
        "nics": list(found.nics),
        "addresses": None if found.addresses is None else [each.as_reported() for each in found.addresses],
    }
