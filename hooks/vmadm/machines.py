"""The machines that vmadm has on this host, as ``vmadm list`` and ``vmadm get`` show them (guest-hooks, section 7)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from hooks.addresses import Address, normal_address
from hooks.errors import BadInput
from hooks.mac import normal_mac

EMULATOR = "vmadm"
"""Not the brand of a machine: sync takes what CBSD calls a jail for CBSD's."""

RUNNING = "running"
_SECONDS = 30
_ALL_TOGETHER = 120
_PARTS = 4
_ELSEWHERE = ("/usr/sbin/vmadm", "/usr/local/sbin/vmadm", "/usr/local/bin/vmadm")
"""Where it is when PATH, that of cron, does not say."""


class Machine(NamedTuple):
    """A machine. ``addresses`` is None when it asks for one itself, which nobody is shown."""

    uuid: str
    alias: str | None
    hostname: str | None
    runs: bool
    addresses: tuple[Address, ...] | None
    nics: tuple[dict[str, Any], ...]


def vmadm_path() -> str | None:
    """The program; None where there is none."""
    return shutil.which("vmadm") or next(filter(os.path.exists, _ELSEWHERE), None)


def listed(vmadm: str) -> Iterator[tuple[str, bool]]:
    """The UUID of each machine, and whether it runs. Raises BadInput when vmadm does not tell."""
    for line in _said(vmadm, "list", "-H", "-p").splitlines():
        # UUID:TYPE:RAM:STATE:ALIAS
        parts = line.strip().split(":", _PARTS)
        if len(parts) < _PARTS or not parts[0]:
            raise BadInput(f"vmadm list shows {line[:100]!r}, which is no machine")
        yield parts[0], parts[3] == RUNNING


def machines(vmadm: str, shared: Collection[str] = ()) -> Iterator[tuple[str, Machine | None]]:
    """Every machine by its UUID; None for one that cannot be looked at.

    Raises BadInput when vmadm does not tell which there are, or takes longer than two minutes.
    """
    ends = time.monotonic() + _ALL_TOGETHER
    for uuid, runs in list(listed(vmadm)):
        if time.monotonic() > ends:
            raise BadInput(f"{vmadm} takes longer than {_ALL_TOGETHER} seconds to show its machines")
        try:
            yield uuid, machine(shown(vmadm, uuid), uuid, shared)._replace(runs=runs)
        except BadInput:
            yield uuid, None


def shown(vmadm: str, uuid: str) -> dict[str, Any]:
    """What ``vmadm get`` shows. Raises BadInput when it does not know the machine."""
    try:
        found = json.loads(_said(vmadm, "get", uuid))
    except ValueError as error:
        raise BadInput(f"vmadm get {uuid} failed: {error}") from error
    if not isinstance(found, dict):
        raise BadInput(f"vmadm get {uuid} shows no machine")
    return found


def machine(found: dict[str, Any], uuid: str, shared: Collection[str] = ()) -> Machine:
    """What ``vmadm get`` shows of the machine with that UUID; several may have the addresses in ``shared``."""
    cards = [nic for nic in found.get("nics") or [] if isinstance(nic, dict)]
    written = [(nic, each) for nic in cards for each in _written(nic)]
    addresses = [
        Address(address, shared=address in shared, nic=nic.get("interface"))
        for nic, each in written
        if (address := normal_address(each))
    ]
    return Machine(
        str(found.get("uuid") or uuid),
        _text(found.get("alias")),
        _text(found.get("hostname") or found.get("alias")),
        str(found.get("state")) == RUNNING,
        tuple(addresses) if len(addresses) == len(written) else None,
        tuple(
            {"name": nic.get("interface"), "mac": normal_mac(str(nic.get("mac", ""))), "parent": nic.get("nic_tag")}
            for nic in cards
        ),
    )


def _written(nic: dict[str, Any]) -> list[str]:
    listed_there = nic["ips"] if isinstance(nic.get("ips"), list) else [nic.get("ip")]
    # The machine makes such an address itself, and it is kept for nobody.
    return [str(each) for each in listed_there if each and str(each) != "addrconf"]


def _text(value: object) -> str | None:
    return str(value) if value else None


def _said(vmadm: str, *arguments: str) -> str:
    """What vmadm prints. Raises BadInput with its own words when it fails."""
    what = f"vmadm {' '.join(arguments)}"
    try:
        asked = subprocess.run(  # noqa: S603 - a UUID stays one word
            [vmadm, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"{what} failed: {error}") from error
    if asked.returncode != 0:
        # r-vmadm writes its errors to standard output.
        said = asked.stdout.decode(errors="replace").strip() or asked.stderr.decode(errors="replace").strip()
        raise BadInput(f"{what} failed: {said[:200]}")
    return asked.stdout.decode(errors="replace")
