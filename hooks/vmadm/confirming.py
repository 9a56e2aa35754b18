"""After ``vmadm create``: what the machine really has becomes the guest's in the service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

from hooks.addresses import normal_address
from hooks.errors import BadInput
from hooks.journal import Journal
from hooks.mac import normal_mac
from hooks.report import Sent, reporter
from hooks.settings import Settings

EMULATOR = "vmadm"
RUNNING = "running"
_SECONDS = 30
_FAILED = 1


def confirm(guest: str, settings: Settings, journal: Journal) -> int:
    """Report the guest with that UUID as ``vmadm get`` shows it; 0 when it was taken or waits to be delivered.

    Raises BadInput when vmadm does not know it.
    """
    report = reporter(settings, journal, os.environ)
    found = _shown(guest)
    sent = report.whole(str(found.get("uuid") or guest), **described(found))
    return _FAILED if sent in (Sent.REFUSED, Sent.LOST) else 0


def described(found: dict[str, Any]) -> dict[str, Any]:
    """What ``vmadm get`` shows, as ``/api/v1`` takes it: the guest is its UUID, the alias is for people.

    Addresses that the machine asks for itself are not shown; then nothing is said about any.
    """
    nics = [nic for nic in found.get("nics") or [] if isinstance(nic, dict)]
    written = [(nic, each) for nic in nics for each in _written(nic)]
    addresses = [
        {"address": address, "nic": nic.get("interface")} for nic, each in written if (address := normal_address(each))
    ]
    return {
        # Not its brand: sync takes what CBSD calls a jail for CBSD's.
        "emulator": EMULATOR,
        "hostname": found.get("hostname") or found.get("alias") or None,
        "note": found.get("alias") or None,
        "state": RUNNING if str(found.get("state")) == RUNNING else "stopped",
        "nics": [
            {"name": nic.get("interface"), "mac": normal_mac(str(nic.get("mac", ""))), "parent": nic.get("nic_tag")}
            for nic in nics
        ],
        "addresses": addresses if len(addresses) == len(written) else None,
    }


def _written(nic: dict[str, Any]) -> list[str]:
    listed = nic["ips"] if isinstance(nic.get("ips"), list) else [nic.get("ip")]
    # The machine makes such an address itself, and it is kept for nobody.
    return [str(each) for each in listed if each and str(each) != "addrconf"]


def _shown(guest: str) -> dict[str, Any]:
    vmadm = shutil.which("vmadm")
    if vmadm is None:
        raise BadInput("vmadm is not in the PATH")
    try:
        asked = subprocess.run(  # noqa: S603 - the UUID stays one word
            [vmadm, "get", guest], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
        found = json.loads(asked.stdout) if asked.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"vmadm get {guest} failed: {error}") from error
    if not isinstance(found, dict):
        # r-vmadm writes its errors to standard output.
        said = asked.stdout.decode(errors="replace").strip() or asked.stderr.decode(errors="replace").strip()
        raise BadInput(f"vmadm get {guest} failed: {said[:200]}")
    return found
