"""The guests that CBSD has on this node, from its own database.

CBSD keeps them in table ``jails`` of ``WORKDIR/var/db/local.sqlite``, and the cards of each in
``WORKDIR/jails-system/NAME/local.sqlite``, in a table named after the emulator (CBSD 14.1, ``share/local-*.schema``).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote

from hooks.cbsd.guest import JAIL, emulator_of, host_name
from hooks.cbsd.ip4_addr import read_ip4_addr
from hooks.cbsd.running import machine_runs
from hooks.errors import BadInput
from hooks.mac import normal_mac
from hooks.node import WORKDIRS
from hooks.settings import Settings
from hooks.sync.guest import Present

EMULATORS = frozenset({"jail", "bhyve", "qemu", "xen"})

_SLAVE = 2
_GUESTS = "SELECT jname, emulator, host_hostname, ip4_addr, jid, status, vnet FROM jails ORDER BY jname"
_CARDS = {
    "jail": "SELECT nic_hwaddr, nic_parent FROM jailnic ORDER BY nic_order, id",
    "bhyve": "SELECT nic_hwaddr, nic_parent FROM bhyvenic ORDER BY nic_order, id",
    "qemu": "SELECT nic_hwaddr, nic_parent FROM qemunic ORDER BY nic_order, id",
    "xen": "SELECT nic_hwaddr, nic_parent FROM xennic ORDER BY nic_order, id",
}


def workdir_of(settings: Settings) -> str | None:
    """CBSD's working directory; None where it is not installed. Raises BadInput when the named one is none."""
    named = settings.cbsd_workdir
    if named:
        if not os.path.exists(_database(named)):
            raise BadInput(f"{_database(named)} is not there: is {named} CBSD's working directory?")
        return named
    return next((each for each in WORKDIRS if os.path.exists(_database(each))), None)


def cbsd_guests(
    workdir: str, shared: Collection[str] = (), running: Collection[str] | None = None
) -> Iterator[Present]:
    """The guests of this node; copies of what runs elsewhere (status 2) are not among them. Raises BadInput.

    ``running`` are the jails that run, if the system says: what CBSD noted itself is old after a crash.
    """
    for row in _rows(_database(workdir), _GUESTS):
        name, emulator, hostname, ip4_addr, jid, status, vnet = row
        emulator = emulator_of(str(emulator or ""))
        if emulator not in EMULATORS or _number(status) == _SLAVE:
            continue
        addresses = read_ip4_addr(str(ip4_addr or ""), shared)
        is_jail = emulator == JAIL
        cards = _cards(workdir, name, emulator) if not is_jail or str(vnet) == "1" else ()
        has_jid = _number(jid) > 0
        if is_jail:
            runs = has_jid if running is None else name in running
        else:
            runs = machine_runs(name, emulator, otherwise=has_jid)
        yield Present(
            str(name),
            emulator,
            host_name("" if hostname is None else str(hostname)),
            runs,
            addresses.listed if addresses.known else None,
            cards or None,
        )


def _cards(workdir: str, name: str, emulator: str) -> tuple[dict[str, Any], ...]:
    """Empty where the tables are not there: Xen's may be named wrongly (guest-hooks, section 3)."""
    path = os.path.join(workdir, "jails-system", os.path.basename(name), "local.sqlite")
    try:
        rows = list(_rows(path, _CARDS[emulator]))
    except BadInput:
        return ()
    return tuple(
        {"name": f"nic{place}", "mac": normal_mac(str(mac or "")), "parent": str(parent) if parent else None}
        for place, (mac, parent) in enumerate(rows)
    )


def _rows(path: str, query: str) -> Iterator[tuple[Any, ...]]:
    try:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=5)
        try:
            yield from connection.execute(query).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise BadInput(f"{path} cannot be read: {error}") from error


def _database(workdir: str) -> str:
    return os.path.join(workdir, "var", "db", "local.sqlite")


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else 0
