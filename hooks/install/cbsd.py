"""What CBSD needs: links in the skeletons of new guests and in the guests that are there, and the DHCP helper."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from urllib.parse import quote

from hooks.cbsd.hook import EVENTS
from hooks.install.change import Change, Link, ShellSetting

KINDS = ("jail", "bhyve", "qemu", "xen")
NAME = "leasehold"
"""The name of every link: CBSD wants one without blanks."""

HELPERS = ("dhcpd.conf", "dhcpdv6.conf")


def cbsd_changes(workdir: str, program: str, *, existing: bool) -> Iterator[Change]:
    """The links into skeletons, into the guests that are there when ``existing``, and ``dhcpd_helper``.

    ``workdir`` is CBSD's; ``program`` the path of ``leasehold-hook``.
    """
    for kind in KINDS:
        skeleton = os.path.join(workdir, "share", f"{kind}-system-default")
        if os.path.isdir(skeleton):
            yield from _links(skeleton, program)
    if existing:
        for guest in guests(workdir):
            yield from _links(os.path.join(workdir, "jails-system", guest), program)
    helper = os.path.join(os.path.dirname(program), "leasehold-dhcpd")
    yield Link(helper, program)
    yield Link(os.path.join(os.path.dirname(program), "leasehold-mount"), program)
    for name in HELPERS:
        yield ShellSetting(os.path.join(workdir, "etc", name), "dhcpd_helper", helper)


def guests(workdir: str) -> list[str]:
    """The guests that are on this node, by name."""
    try:
        found = [entry.name for entry in os.scandir(os.path.join(workdir, "jails-system")) if entry.is_dir()]
    except FileNotFoundError:
        return []
    return sorted(found)


def peers(workdir: str) -> list[str]:
    """The other nodes that CBSD knows; empty when that cannot be read."""
    path = os.path.join(workdir, "var", "db", "nodes.sqlite")
    if not os.path.exists(path):
        return []
    try:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=5)
        try:
            return [str(name) for (name,) in connection.execute("SELECT nodename FROM nodelist ORDER BY nodename")]
        finally:
            connection.close()
    except sqlite3.Error:
        return []


def _links(directory: str, program: str) -> Iterator[Change]:
    for event in EVENTS:
        yield Link(os.path.join(directory, event, NAME), program)
