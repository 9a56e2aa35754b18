"""Which node this is, and of which cluster."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from hooks.settings import Settings

WORKDIRS = ("/usr/jails", "/usr/local/jails")
"""Where CBSD's working directory is, when neither the settings nor the environment say."""


def node_name(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """The name by which this node reports: that of the settings, else CBSD's own, else the host name.

    CBSD keeps it in the first line of ``nodename`` in its working directory; it is in no hook's environment
    (guest-hooks, section 2), and the helper's environment may not say where that directory is either.
    """
    if settings.node:
        return settings.node
    named = environment.get("workdir") or settings.cbsd_workdir
    for workdir in (named,) if named else WORKDIRS:
        try:
            with open(os.path.join(workdir, "nodename"), encoding="utf-8", errors="replace") as file:
                name = file.readline().strip()
        except OSError:
            name = ""
        if name:
            return name
    return socket.gethostname()


def cluster_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """The cluster of this node; a node that is in none is a cluster of its own."""
    return settings.cluster or node_name(settings, environment)
