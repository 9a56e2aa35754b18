"""Guests that are on this node, whichever tool has them."""

from __future__ import annotations

from collections.abc import Iterator

from hooks.errors import BadInput
from hooks.iocage.command import EMULATOR as IOCAGE
from hooks.iocage.jail import all_jails, root_of, unread_jails
from hooks.settings import Settings
from hooks.sync.cbsd import EMULATORS, cbsd_guests, workdir_of
from hooks.sync.guest import Found, Present
from hooks.sync.running import running_jails, running_machines
from hooks.vmadm.machines import EMULATOR as VMADM
from hooks.vmadm.machines import Machine, machines, vmadm_path


def present(settings: Settings) -> Found:
    """Ask CBSD, iocage and vmadm, whichever is here. Raises BadInput when none is, or one of them cannot be read.

    A tool that cannot be read is no tool without guests: releasing their addresses would be the worst thing to do.
    """
    guests: list[Present] = []
    emulators: set[str] = set()
    unread: set[str] = set()
    workdir, root, vmadm = workdir_of(settings), _iocage_root(settings), vmadm_path()
    if workdir is None and root is None and vmadm is None:
        raise BadInput(
            "neither CBSD, iocage nor vmadm is found: name their directories in cbsd_workdir or iocage_root"
        )
    jails = running_jails()
    if workdir is not None:
        guests += cbsd_guests(workdir, settings.shared_addresses, jails)
        emulators |= EMULATORS
    if root is not None:
        if jails is None:
            raise BadInput("there is no jls, so nothing tells which jails of iocage run")
        guests += _iocage(settings, root, jails)
        unread |= set(unread_jails(root))
        emulators.add(IOCAGE)
    if vmadm is not None:
        for uuid, machine in machines(vmadm, settings.shared_addresses):
            if machine is None:
                unread.add(uuid)
            else:
                guests.append(_of_vmadm(machine))
        emulators.add(VMADM)
    return Found(tuple(guests), frozenset(emulators), frozenset(unread), (jails or frozenset()) | running_machines())


def _of_vmadm(machine: Machine) -> Present:
    return Present(
        machine.uuid, VMADM, machine.hostname, machine.runs, machine.addresses, machine.nics or None, machine.alias
    )


def _iocage_root(settings: Settings) -> str | None:
    try:
        return root_of(settings)
    except BadInput:
        return None


def _iocage(settings: Settings, root: str, running: frozenset[str]) -> Iterator[Present]:
    for jail in all_jails(root, settings.shared_addresses):
        nics = jail.reported_nics()
        listed = jail.addresses if jail.known else None
        # iocage names its jails ioc-NAME, with _ for dots.
        runs = f"ioc-{jail.name.replace('.', '_')}" in running
        yield Present(jail.name, IOCAGE, jail.hostname, runs, listed, None if nics is None else tuple(nics))
