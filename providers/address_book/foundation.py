"""What all parts of the address book stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import host_range, passed_over, usable
from providers.book import event_log, free_space, promises, taken
from providers.book.database import Book
from providers.book.directory import Directory, DirectoryCache, lock
from providers.clock import Clock
from providers.dhcp.contract import DHCPProvider
from providers.errors import SubnetNotFound
from providers.ipam.contract import IPAMProvider
from providers.model import Caller, Reservation, Subnet

_SWEEP_EVERY = timedelta(seconds=1)
_SWEEP_MOST = 100
PROGRAM = Caller("leasehold")
"""Who does what nobody asked for."""

Aside = Callable[[Callable[[], object]], object]
"""Does some work now or later, or not at all; who asks for it does not need it done."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long promises last (rules 3 and 5)."""

    hold: timedelta = timedelta(minutes=30)
    hold_anonymous: timedelta = timedelta(minutes=10)
    hold_guest: timedelta = timedelta(hours=24)
    rest: timedelta = timedelta(minutes=5)
    join: timedelta = timedelta(minutes=60)


def at_once(work: Callable[[], object]) -> None:
    """Do what is asked for aside before anything else."""
    work()


class Foundation:
    """The book, the two providers, the clock, and what several rules need of them."""

    def __init__(
        self,
        book: Book,
        ipam: IPAMProvider,
        dhcp: DHCPProvider,
        *,
        lifetimes: Lifetimes,
        clock: Clock,
        aside: Aside = at_once,
    ) -> None:
        """``aside`` is for long readings of the IPAM: they steer, and no request has to wait for them."""
        self.book = book
        self.ipam = ipam
        self.dhcp = dhcp
        self.lifetimes = lifetimes
        self.clock = clock
        self.aside = aside
        self._directories = DirectoryCache()
        self._swept: dict[int, datetime] = {}
        self._surveys: dict[int, datetime] = {}

    def _enter(self, connection: Connection, subnet: Subnet) -> tuple[Subnet, Directory]:
        """The subnet as it is now, for a transaction that changes it, with other writers of it kept out."""
        lock(connection, subnet.id)
        directory = self._directories.within(connection)
        present = directory.by_id.get(subnet.id)
        if present is None:
            raise SubnetNotFound(f"The subnet {subnet.network} was removed in the meantime")
        return present, directory

    def _enter_inner(self, connection: Connection, subnet: Subnet, address: IPAddress) -> tuple[Subnet, Directory]:
        """Like ``_enter``, for the most specific subnet of the group that holds ``address`` (rule 9)."""
        present, directory = self._enter(connection, subnet)
        inner = innermost(directory, present, address)
        return (present, directory) if inner.id == present.id else self._enter(connection, inner)

    def _reserved_in(self, subnet: Subnet) -> Iterator[Reservation]:
        """The reservations of this subnet alone, by address, read in pages."""
        after: IPAddress | None = None
        while True:
            with self.book.read() as connection:
                found = taken.page(connection, subnet, after)
            if not found:
                return
            yield from found
            after = found[-1].address

    def _give_back(self, connection: Connection, subnet: Subnet, directory: Directory, address: IPAddress) -> None:
        """Let an address that nobody has any more be suggested again, unless it never is."""
        if may_be_suggested(subnet, directory, address):
            free_space.give(connection, subnet.id, address)

    def _expire(
        self, connection: Connection, subnet: Subnet, directory: Directory, now: datetime, *, at_once: bool = False
    ) -> int:
        """End holds and rests of the subnet whose time is over; returns how many.

        A bounded number, and once a second at most, so that no caller pays for a thousand others; ``at_once`` is for
        whoever would go away empty-handed, who may call until nothing is due any more.
        """
        last = self._swept.get(subnet.id)
        if not at_once and last is not None and timedelta(0) <= now - last < _SWEEP_EVERY:
            return 0
        # Noted even if the transaction is not kept: what is due is swept a second later then.
        self._swept[subnet.id] = now
        found = promises.due(connection, subnet, now, _SWEEP_MOST)
        for kind, address, key in found:
            if kind == "hold":
                promises.drop_hold(connection, subnet, address)
                event_log.record(connection, now, PROGRAM, "hold.expire", subnet, address, key=key)
            else:
                promises.drop_rest(connection, subnet, address)
            self._give_back(connection, subnet, directory, address)
        return len(found)

    def _let_rest(
        self,
        connection: Connection,
        subnet: Subnet,
        directory: Directory,
        address: IPAddress,
        key: str | None,
        now: datetime,
    ) -> None:
        """Keep an address that was just released for whoever had it."""
        if self.lifetimes.rest > timedelta(0) and address in host_range(subnet.network):
            promises.rest(connection, subnet, address, key, now + self.lifetimes.rest)
        else:
            self._give_back(connection, subnet, directory, address)


def may_be_suggested(subnet: Subnet, directory: Directory, address: IPAddress) -> bool:
    """Whether an address is ever suggested: a host address, not passed over, and in no subnet inside this one."""
    if not usable(subnet, address) or any(address in each for each in passed_over(subnet, ())):
        return False
    return innermost(directory, subnet, address).id == subnet.id


def innermost(directory: Directory, subnet: Subnet, address: IPAddress) -> Subnet:
    """The most specific subnet of the group of ``subnet`` that holds ``address``; ``subnet`` if none does."""
    return next((each for each in directory.holding(address) if each.group.id == subnet.group.id), subnet)


def key_of_mac(mac: str) -> str:
    """The key of whoever is known by a MAC alone."""
    return f"mac:{mac}"


def counted(parts: Sequence[tuple[int, str]]) -> str:
    """Numbers in words, for messages: "3 reserved, 2 held"."""
    return ", ".join(f"{number} {what}" for number, what in parts)
