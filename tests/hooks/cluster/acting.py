"""What happens to guests on a node, in the process of that node: the hooks are called as the program calls them."""

from __future__ import annotations

import contextlib
import io
from multiprocessing.connection import Connection
from typing import Any

from hooks.cbsd import dhcpd, hook
from hooks.spool import Spool
from tests.hooks.cbsd.node import Guest, Node


class Acting:
    """A node that does what it is told."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def address(self) -> str | None:
        """One from the DHCP helper; None while the service is away."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = dhcpd.run([], self.node.environment | {"CBSD_APP": "dhcpd", "workdir": str(self.node.workdir)})
        assert (status == 0) == bool(printed.getvalue()), (status, printed.getvalue())
        return printed.getvalue().strip() or None

    def create(self, guest: Guest) -> None:
        """``jcreate``, ``bcreate``."""
        self.node.keep(guest)
        self._fire("master_create.d", guest)

    def start(self, guest: Guest, fails: bool) -> Guest:
        """``jstart``: a failed one has no jid, and stops at once."""
        self._fire("master_prestart.d", guest)
        guest = guest._replace(jid=0 if fails else 1)
        self.node.keep(guest)
        self._fire("master_poststart.d", guest)
        if fails and guest.emulator == "jail":
            self._fire("master_poststop.d", guest)
        return guest

    def stop(self, guest: Guest) -> Guest:
        """``jstop``; bhyve may fire twice."""
        for _ in range(2 if guest.emulator == "bhyve" else 1):
            self._fire("master_prestop.d", guest)
            self._fire("master_poststop.d", guest)
        guest = guest._replace(jid=0)
        self.node.keep(guest)
        return guest

    def remove(self, guest: Guest) -> None:
        """``jremove`` of a guest that may still run: removed first, stopped after that."""
        self._fire("remove.d", guest)
        self._fire("master_prestop.d", guest)
        self._fire("master_poststop.d", guest)
        self.node.drop(guest.name)

    def waits(self, name: str) -> bool:
        """Whether something about a guest waits for the service."""
        return any(entry.guest == f"east/{name}" for entry in Spool(str(self.node.spool)).entries())

    def keep(self, guest: Guest) -> None:
        """What changes without a hook: a clone, a new name, a copy for another node."""
        self.node.keep(guest)

    def drop(self, name: str) -> None:
        """What goes without a hook."""
        self.node.drop(name)

    def _fire(self, event: str, guest: Guest) -> None:
        assert hook.run([event], self.node.environment | self.node.variables(guest)) == 0


def act(node: Node, orders: Connection) -> None:
    """Carry out orders until there are none: a name of a method, and its arguments."""
    acting = Acting(node)
    with open(node.log.with_suffix(".err"), "w", buffering=1) as errors, contextlib.redirect_stderr(errors):
        while (order := orders.recv()) is not None:
            name, arguments = order
            result: Any = getattr(acting, name)(*arguments)
            orders.send(result)
