"""Nodes with guests, in short words: tests create, start, stop and destroy them as the hooks of a node report it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from netaddr import IPAddress

from providers.address_book import AddressBook
from providers.guests import NIC, GuestReport, GuestState, Outcome, WantedAddress
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, mac

CLUSTER = "east"


def report(
    clock: HandClock,
    node: str,
    name: str,
    addresses: Iterable[str] | None,
    *,
    macs: Iterable[int] | None = None,
    state: GuestState | None = None,
    shared: bool = False,
    late: float = 0,
    hostname: str | None = None,
    emulator: str | None = "bhyve",
    cluster: str = CLUSTER,
) -> GuestReport:
    """What ``node`` says about a guest; ``late`` in minutes, ``macs`` by the numbers of machines."""
    return GuestReport(
        cluster=cluster,
        name=name,
        node=node,
        at=clock() - timedelta(minutes=late),
        emulator=emulator,
        hostname=hostname,
        state=state,
        addresses=None if addresses is None else tuple(WantedAddress(IPAddress(a), shared=shared) for a in addresses),
        nics=None if macs is None else tuple(NIC(mac(each), f"nic{n}") for n, each in enumerate(macs)),
    )


class Site:
    """The nodes of a cluster, all reporting to one address book."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock = desk.clock

    @property
    def book(self) -> AddressBook:
        """Where all of it ends up."""
        return self.desk.address_book

    def put(self, node: str, name: str, addresses: Iterable[str] | None = None, **more) -> Outcome:
        """Report a guest; see ``report``."""
        return self.book.report_guest(report(self.clock, node, name, addresses, **more), CALLER)

    def create(self, node: str, name: str, *addresses: str, **more) -> Outcome:
        """As after the creation of a guest."""
        return self.put(node, name, addresses, **more)

    def start(self, node: str, name: str, *addresses: str, late: float = 0, **more) -> Outcome:
        """As before and after the start of a guest: what it is to have, then that it runs."""
        first = self.put(node, name, addresses, state=GuestState.STARTING, late=late, **more)
        return self.patch(node, name, GuestState.RUNNING, late=late) if first.accepted else first

    def stop(self, node: str, name: str, *, late: float = 0) -> Outcome:
        """As after the stop of a guest."""
        return self.patch(node, name, GuestState.STOPPED, late=late)

    def patch(self, node: str, name: str, state: GuestState, *, late: float = 0) -> Outcome:
        """Report a state alone."""
        return self.book.change_guest(CLUSTER, name, node, self._ago(late), CALLER, state=state)

    def destroy(self, node: str | None, name: str, *, late: float = 0) -> Outcome:
        """As before the destruction of a guest on a node."""
        return self.book.remove_guest(CLUSTER, name, CALLER, node=node, at=self._ago(late))

    def rename(self, node: str | None, name: str, new_name: str, *, late: float = 0) -> Outcome:
        """As after a guest got another name on its node."""
        return self.book.rename_guest(CLUSTER, name, new_name, CALLER, node=node, at=self._ago(late))

    def claim(self, node: str, name: str, *, force: bool = False, lifetime: timedelta | None = None) -> str:
        """Claim a guest; returns the node that has it then."""
        return self.book.claim(CLUSTER, name, node, CALLER, force=force, lifetime=lifetime).node

    def guests(self) -> dict[str, tuple[str, str, list[str]]]:
        """Every guest with its node, its state and its addresses."""
        return {
            each.name: (each.node, each.state.value, [str(one.address) for one in each.addresses])
            for each in self.book.guests()
        }

    def reserved(self) -> dict[str, str]:
        """Every reserved address with its uses."""
        return {str(each.address): " ".join(sorted(each.uses)) for each in self.book.reservations()}

    def served(self) -> dict[str, str]:
        """Every address with a DHCP host, and its name."""
        return {str(host.address): host.name for each in self.book.reservations() for host in each.hosts}

    def told(self, action: str) -> list[dict[str, object]]:
        """The details of the events of an action, oldest first."""
        return [dict(each.detail) for each in reversed(self.book.events(limit=10_000)) if each.action == action]

    def _ago(self, minutes: float) -> datetime:
        return self.clock() - timedelta(minutes=minutes)
