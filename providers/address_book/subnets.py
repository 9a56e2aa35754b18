"""Groups and subnets: rules 7 to 10 of the address book."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import fields

from netaddr import IPAddress, IPNetwork
from sqlalchemy import Connection

from providers.address_book.allocatable import gaps, host_range, passed_over, refuse_unfit_subnet, suggestible, without
from providers.address_book.editing import Editing
from providers.address_book.foundation import counted
from providers.address_book.subnet_conflicts import Served, on_dhcp, refuse_reserved_gateway
from providers.addresses import Range
from providers.book import directory as shelf
from providers.book import event_log, free_space, taken
from providers.book.directory import Directory
from providers.book.tables import NAME_LENGTH, holds, reservations, rests
from providers.errors import Conflict, GroupNotFound, InvalidValue, SubnetNotFound
from providers.model import Caller, Group, Occupancy, Subnet, SubnetSpec

log = logging.getLogger(__name__)


class Subnets(Editing):
    """Finds, makes, changes and removes groups and subnets."""

    def groups(self) -> list[Group]:
        """All groups, by name."""
        return self._directory().groups

    def group(self, name: str) -> Group:
        """The group of that name, without regard to case; a number that is no name is taken as an id.

        Raises GroupNotFound.
        """
        return _group(self._directory(), name)

    def add_group(self, name: str, description: str, caller: Caller) -> Group:
        """Make a group; raises Conflict when there is one of that name, InvalidValue for an unfit name."""

        self._refuse_editing(name)

        def work(connection: Connection) -> Group:
            shelf.lock_all(connection)
            return self._add_group(connection, name, description, caller)

        return self.book.write(work)

    def subnets(self, *, group: str = "", dhcp: bool | None = None) -> list[Subnet]:
        """All subnets, or those of a group, or those that ``/dhcp`` serves or does not, by network.

        Raises GroupNotFound.
        """
        directory = self._directory()
        chosen = _group(directory, group) if group else None
        return [
            subnet
            for subnet in directory.subnets
            if (chosen is None or subnet.group == chosen) and (dhcp is None or subnet.dhcp is dhcp)
        ]

    def subnet(self, network: IPNetwork, group: str = "") -> Subnet:
        """The subnet with exactly this network; raises SubnetNotFound, GroupNotFound.

        Without a group the one with the lowest id among several, with a warning in the log (rule 9).
        """
        directory = self._directory()
        chosen = _group(directory, group) if group else None
        found = [each for each in directory.exactly(network) if chosen is None or each.group == chosen]
        if not found:
            raise SubnetNotFound(f"No subnet {network}" + (f" in group {chosen.name}" if chosen else ""))
        return _lowest(found, str(network))

    def only_subnet(self, network: IPNetwork, group: str = "") -> Subnet:
        """Like ``subnet``, for what is to be changed: raises InvalidValue when several groups have the network."""
        if not group and len(found := self._directory().exactly(network)) > 1:
            groups = ", ".join(each.group.name for each in found)
            raise InvalidValue(f"Several groups have {network}: say which by --group ({groups})")
        return self.subnet(network, group)

    def dhcp_subnet(self, address: IPAddress) -> Subnet:
        """The most specific subnet on ``/dhcp`` that holds ``address``; raises SubnetNotFound."""
        for subnet in self._directory().holding(address):
            if subnet.dhcp:
                return subnet
        raise SubnetNotFound(f"Subnet {address} could not be found")

    def subnet_of(self, address: IPAddress, group: str = "") -> Subnet:
        """The most specific subnet that holds ``address``; raises SubnetNotFound, GroupNotFound."""
        directory = self._directory()
        chosen = _group(directory, group) if group else None
        found = [each for each in directory.holding(address) if chosen is None or each.group == chosen]
        if not found:
            raise SubnetNotFound(f"{address} is in no subnet" + (f" of group {chosen.name}" if chosen else ""))
        return _lowest([each for each in found if each.network == found[0].network], str(address))

    def add_subnet(self, spec: SubnetSpec, caller: Caller) -> Subnet:
        """Make a subnet, and its group when that is new.

        What the subnet around it has in its range moves into it. Raises InvalidValue when the description does not
        fit the network, Conflict when the group has that network, or it asks for ``/dhcp`` and another subnet is in the
        way there.
        """
        self._refuse_editing(str(spec.network))
        refuse_unfit_subnet(spec)
        (added,) = self.book.write(lambda connection: self._add_subnets(connection, [spec], caller))
        return added

    def change_subnet(self, subnet: Subnet, spec: SubnetSpec, caller: Caller) -> Subnet:
        """Let ``subnet`` be as ``spec`` says; its network and group stay.

        Raises InvalidValue when the description does not fit the network, Conflict when it asks for ``/dhcp`` and
        another subnet is in the way there, or when its new gateway is reserved.
        """
        if spec.network != subnet.network or spec.group.casefold() != subnet.group.name.casefold():
            raise InvalidValue(f"{subnet.network}: network and group cannot change; add another subnet")
        refuse_unfit_subnet(spec)
        self._refuse_change(subnet_spec(subnet), spec)

        def work(connection: Connection) -> Subnet:
            shelf.lock_all(connection)
            present, directory = self._enter(connection, subnet)
            unchanged = spec.dhcp is None or spec.dhcp == present.dhcp
            dhcp = present.dhcp if unchanged else on_dhcp(Served(directory.subnets), spec, present.group)
            if spec.options.gateway != present.options.gateway:
                refuse_reserved_gateway(connection, present, spec.options.gateway)
            changed = shelf.change_subnet(connection, present, spec, dhcp=dhcp)
            if set(passed_over(changed, ())) != set(passed_over(present, ())):
                self._measure(connection, changed, self._directories.within(connection))
            event_log.record(connection, self.clock(), caller, "subnet.change", changed, **_shown(changed))
            return changed

        return self.book.write(work)

    def remove_subnet(self, subnet: Subnet, caller: Caller, *, force: bool = False) -> Occupancy:
        """Remove a subnet; returns what was in it.

        Raises Conflict that counts what is there, unless ``force``; then everything in it goes first, from the DHCP
        server and the IPAM too. The range falls back to the subnet around it.
        """

        def work(connection: Connection) -> None:
            shelf.lock_all(connection)
            present, directory = self._enter(connection, subnet)
            there = self._occupancy(connection, present, directory)
            if there.reserved or (there.held and not force):
                raise _occupied(subnet, there)
            around = directory.around(present)
            shelf.remove_subnet(connection, present)
            if around is not None:
                shelf.lock(connection, around.id)
                self._measure(connection, around, self._directories.within(connection))
            event_log.record(connection, self.clock(), caller, "subnet.remove", present, **_shown(present))

        self._refuse_removal(subnet)
        found = self.occupancy(subnet)
        if (found.reserved or found.held) and not force:
            raise _occupied(subnet, found)
        if found.reserved:
            self._empty(subnet, caller)
        self.book.write(work)
        return found

    def occupancy(self, subnet: Subnet) -> Occupancy:
        """How full a subnet is, not counting the subnets inside it."""
        with self.book.read() as connection:
            return self._occupancy(connection, subnet, self._directories.current(connection))

    def _add_subnets(self, connection: Connection, specs: Sequence[SubnetSpec], caller: Caller) -> list[Subnet]:
        """Make subnets whose descriptions were checked; raises Conflict as ``add_subnet`` does."""
        shelf.lock_all(connection)
        directory = self._directories.within(connection)
        added: list[Subnet] = []
        served = Served(directory.subnets)
        there = {(each.group.id, each.network) for each in directory.subnets}
        for spec in specs:
            group = _by_name(directory, spec.group)
            if group is None:
                group = self._add_group(connection, spec.group, "", caller)
                directory = self._directories.within(connection)
            if (group.id, spec.network) in there:
                raise Conflict(f"{spec.network} exists in group {group.name} already: see leasehold subnet show")
            dhcp = on_dhcp(served, spec, group)
            added.append(shelf.add_subnet(connection, spec, group, dhcp=dhcp))
            there.add((group.id, spec.network))
            served.add(added[-1])
        directory = self._directories.within(connection)
        stale = {each.id: each for each in added}
        # The largest first: what one takes from around it may belong to another one inside it.
        for subnet in sorted(added, key=lambda each: each.network.prefixlen):
            around = directory.around(subnet)
            if around is not None:
                shelf.lock(connection, around.id)
                taken.move(connection, around, subnet, _whole(subnet.network))
                stale[around.id] = around
        for each in stale.values():
            self._measure(connection, each, directory)
        for subnet in added:
            event_log.record(connection, self.clock(), caller, "subnet.add", subnet, **_shown(subnet))
        return added

    def _empty(self, subnet: Subnet, caller: Caller) -> None:
        """Release everything in a subnet; see AddressBook."""
        raise NotImplementedError

    def _refresh(self) -> None:
        """Bring groups and subnets up to what upstream has; see Mirroring."""

    def _follow(self, added: Sequence[Subnet]) -> None:
        """Let the DHCP server follow subnets that came from upstream; see SubnetServing."""

    def _directory(self) -> Directory:
        self._refresh()
        with self.book.read(snapshot=False) as connection:
            return self._directories.current(connection)

    def _add_group(self, connection: Connection, name: str, description: str, caller: Caller) -> Group:
        if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > NAME_LENGTH:
            raise InvalidValue(f"A group name has 1 to {NAME_LENGTH} printable characters and no blanks at its ends")
        if _by_name(self._directories.within(connection), name) is not None:
            raise Conflict(f"The group {name} exists already")
        group = shelf.add_group(connection, name, description)
        event_log.record(connection, self.clock(), caller, "group.add", None, name=name)
        return group

    def _measure(self, connection: Connection, subnet: Subnet, directory: Directory) -> None:
        """Write the free space of a subnet anew from what is taken in it."""
        allowed = without(host_range(subnet.network), passed_over(subnet, _networks(directory.inside(subnet))))
        runs = (run for each in allowed for run in gaps(each, taken.addresses(connection, subnet, each)))
        free_space.replace(connection, subnet.id, runs)

    def _occupancy(self, connection: Connection, subnet: Subnet, directory: Directory) -> Occupancy:
        now, whole = self.clock(), _whole(subnet.network)
        reserved, held, resting = (
            taken.count(connection, table, subnet, whole, now=now) for table in (reservations, holds, rests)
        )
        holes = passed_over(subnet, _networks(directory.inside(subnet)))
        free = 0
        for each in [part for run in suggestible(subnet, None) for part in without(run, holes)]:
            there = sum(taken.count(connection, table, subnet, each, now=now) for table in (reservations, holds, rests))
            free += int(each.last) - int(each.first) + 1 - there
        return Occupancy(reserved, held, resting, free)


def subnet_spec(subnet: Subnet) -> SubnetSpec:
    """The description of a subnet, to be changed and handed to ``change_subnet``."""
    described = {field.name: getattr(subnet, field.name) for field in fields(SubnetSpec)}
    return SubnetSpec(**described | {"group": subnet.group.name})


def _group(directory: Directory, name: str) -> Group:
    found = _by_name(directory, name)
    if found is None and name.isascii() and name.isdigit():
        found = next((group for group in directory.groups if str(group.id) == name), None)
    if found is None:
        raise GroupNotFound(f"No group {name}")
    return found


def _by_name(directory: Directory, name: str) -> Group | None:
    return next((group for group in directory.groups if group.name.casefold() == name.casefold()), None)


def _lowest(found: list[Subnet], what: str) -> Subnet:
    if len(found) > 1:
        groups = ", ".join(each.group.name for each in found)
        log.warning("%s is in several groups (%s): taking that of %s; name a group", what, groups, found[0].group.name)
    return found[0]


def _occupied(subnet: Subnet, there: Occupancy) -> Conflict:
    counts = counted([(there.reserved, "reserved"), (there.held, "held")])
    return Conflict(f"{subnet.network} is not empty: {counts}. Remove it with everything in it by --force")


def _whole(network: IPNetwork) -> Range:
    return Range(IPAddress(network.first, network.version), IPAddress(network.last, network.version))


def _networks(subnets: list[Subnet]) -> list[IPNetwork]:
    return [subnet.network for subnet in subnets]


def _shown(subnet: Subnet) -> dict[str, str | bool]:
    shown: dict[str, str | bool] = {"dhcp": subnet.dhcp, "strategy": subnet.strategy.value}
    if subnet.pool is not None:
        shown["pool"] = str(subnet.pool)
    if subnet.dynamic is not None:
        shown["dynamic"] = str(subnet.dynamic)
    if subnet.exclusions:
        shown["exclusions"] = ", ".join(map(str, subnet.exclusions))
    return shown
