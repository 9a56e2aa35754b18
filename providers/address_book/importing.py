"""Bringing many subnets and addresses into the book: shown first, then all of it in one transaction."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.import_plan import Draft, Planner, description, wish
from providers.address_book.incoming import Clash, Incoming, IncomingAddress, Key, Plan
from providers.address_book.reservations import Reservations
from providers.address_book.subnet_serving import SubnetServing
from providers.book import bulk, event_log
from providers.book import directory as shelf
from providers.book.directory import Directory
from providers.errors import Conflict, InvalidValue, LeaseholdError, Unavailable
from providers.ipam.contract import Record
from providers.model import Caller, Subnet, Use

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many addresses are written, and how many there are. May be called again from the beginning."""

_MOST_TOLD = 5


class Imports(SubnetServing, Reservations):
    """Plans and applies imports."""

    def plan_import(self, incoming: Incoming) -> Plan:
        """What :meth:`apply_import` would do now; changes nothing."""
        self._refresh()
        unserved = self._unserved(incoming)
        with self.book.read() as connection:
            return self._drafted(connection, self._directories.current(connection), incoming, unserved).plan()

    def apply_import(
        self, incoming: Incoming, caller: Caller, *, whole: bool = False, progress: Progress | None = None
    ) -> Plan:
        """Bring in what fits, in one transaction, and return what that was.

        What clashes is left out and told in the plan; with ``whole`` it raises Conflict and nothing comes in. Holds and
        rests on the addresses end. Raises Unavailable when the book cannot be used, and, after everything is in the
        book, when the IPAM or the DHCP server could not be told of all of it.
        """
        self._refresh()
        unserved = self._unserved(incoming)

        def work(connection: Connection) -> Draft:
            shelf.lock_all(connection)
            found = self._drafted(connection, self._directories.within(connection), incoming, unserved)
            if whole and found.clashes:
                raise Conflict(_told(found.clashes))
            if found.plan().changes:
                self._bring_in(connection, found, caller, progress or _silent)
            return found

        done = self.book.write(work)
        self._tell(done, caller)
        return done.plan()

    def _unserved(self, incoming: Incoming) -> dict[Key, str]:
        """What the DHCP server can never serve, as for reserving one by one; it is asked outside a transaction."""
        if not self.dhcp.capabilities.publishes:
            return {}
        with self.book.read() as connection:
            homes = self._drafted(connection, self._directories.current(connection), incoming, {}).homes
        found: dict[Key, str] = {}
        for home, entry in homes:
            if entry.host is None or not self._publishes(home):
                continue
            try:
                self.dhcp.refuse_unfit(home, replace(entry.host, address=entry.address))
            except InvalidValue as error:
                found[entry.key] = str(error)
            except Unavailable as error:
                # That is told when it is to be served.
                log.debug("%s: not known whether it can be served: %s", entry.address, error)
        return found

    def _drafted(
        self, connection: Connection, directory: Directory, incoming: Incoming, unserved: Mapping[Key, str]
    ) -> Draft:
        planner = Planner(
            connection,
            directory,
            edits_subnets=self.ipam.capabilities.edits_subnets,
            now=self.clock(),
            join=self.lifetimes.join,
            unserved=unserved,
        )
        return planner.draft(incoming)

    def _bring_in(self, connection: Connection, found: Draft, caller: Caller, progress: Progress) -> None:
        self._add_subnets(connection, [each.spec for each in found.new_subnets], caller)
        directory = self._directories.within(connection)
        present = {(each.group.name.casefold(), each.network): each for each in directory.subnets}
        by_home: dict[int, list[IncomingAddress]] = defaultdict(list)
        for home, entry in found.fresh:
            by_home[present[home.group.name.casefold(), home.network].id].append(entry)
        total, done = len(found.fresh) + len(found.joining), 0
        for subnet_id, entries in by_home.items():
            self._fill(connection, directory.by_id[subnet_id], directory, entries, caller)
            done += len(entries)
            progress(done, total)
        for home, entry in found.joining:
            subnet = present[home.group.name.casefold(), home.network]
            for use in sorted(entry.uses):
                self._reserve(connection, subnet, wish(entry, use), caller)
            done += 1
            progress(done, total)

    def _fill(
        self,
        connection: Connection,
        subnet: Subnet,
        directory: Directory,
        entries: Sequence[IncomingAddress],
        caller: Caller,
    ) -> None:
        shelf.lock(connection, subnet.id)
        now = self.clock()
        arrivals = _arrivals(entries)
        bulk.add(connection, subnet, arrivals, now)
        self._measure(connection, subnet, directory)
        for entry in entries:
            name, mac = description(entry)
            shown = {"use": min(entry.uses).value, "name": name, "mac": mac, "origin": entry.origin}
            event_log.record(connection, now, caller, "address.reserve", subnet, entry.address, **shown)

    def _tell(self, done: Draft, caller: Caller) -> None:
        """Let the IPAM and the DHCP server know. What fails is in the book nevertheless: it is the one to be right."""
        failures: list[IPAddress] = []
        if self.ipam.capabilities.remote:
            new: dict[tuple[str, IPAddress], IncomingAddress] = {}
            for home, entry in done.fresh:
                new.setdefault((home.group.name, entry.address), entry)
            for (group, address), entry in new.items():
                record = Record(address, *description(entry), entry.description, entry.note, ours=True)
                self._let_know(group, address, partial(self.ipam.create, record=record), failures)
        if self.dhcp.capabilities.publishes:
            self._serve_imported(done, caller, failures)
        if failures:
            raise Unavailable(
                f"Everything is in the book, but the IPAM or the DHCP server was not told of {len(failures)} "
                f"addresses, the first being {failures[0]}"
            )

    def _serve_imported(self, done: Draft, caller: Caller, failures: list[IPAddress]) -> None:
        """Let the DHCP server serve what came in, each subnet at once."""
        served: dict[int, tuple[Subnet, list[IPAddress]]] = {}
        for home, entry in (*done.fresh, *done.joining):
            if entry.host is not None:
                subnet = self.subnet_of(entry.address, home.group.name)
                served.setdefault(subnet.id, (subnet, []))[1].append(entry.address)
        added = (self.subnet(each.spec.network, each.spec.group) for each in done.new_subnets)
        for subnet in self._moved(added):
            served.setdefault(subnet.id, (subnet, [IPAddress(subnet.network.first, subnet.network.version)]))
        for subnet, addresses in served.values():
            try:
                synced = self.sync_subnet(subnet, caller)
            except LeaseholdError as error:
                log.warning("%s: imported, but the DHCP server was not told: %s", subnet, error)
                failures += addresses
                continue
            for failure in synced.failures:
                log.warning("%s: imported, but not served: %s", subnet, failure)
            failures += addresses[: len(synced.failures)]

    def _let_know(
        self, group: str, address: IPAddress, tell: Callable[[Subnet], None], failures: list[IPAddress]
    ) -> None:
        try:
            tell(self.subnet_of(address, group))
        except LeaseholdError as error:
            log.warning("%s: imported, but the IPAM or the DHCP server was not told: %s", address, error)
            failures.append(address)


def _arrivals(entries: Sequence[IncomingAddress]) -> list[bulk.Arrival]:
    """One for each address, with all its hosts; the first one of them describes it."""
    by_address: dict[IPAddress, list[IncomingAddress]] = defaultdict(list)
    for entry in entries:
        by_address[entry.address].append(entry)
    arrivals = []
    for address, several in by_address.items():
        name, mac = description(several[0])
        uses: frozenset[Use] = frozenset().union(*(each.uses for each in several))
        hosts = tuple(each.host for each in several if each.host is not None)
        arrivals.append(bulk.Arrival(address, name, mac, several[0].description, several[0].note, uses, hosts))
    return arrivals


def _told(clashes: Sequence[Clash]) -> str:
    first = "\n".join(f"{clash.origin}: {clash.text}" for clash in clashes[:_MOST_TOLD])
    more = len(clashes) - _MOST_TOLD
    return f"Nothing was imported:\n{first}" + (f"\nand {more} more" if more > 0 else "")


def _silent(_done: int, _total: int) -> None:
    pass
