"""A picture of what upstream has becomes the book's groups and subnets.

What upstream does not know (pool, dynamic range, exclusions, strategy, whether ``/dhcp`` serves it) stays as it was set
here. A subnet that upstream has no more goes here too, unless something of ours lives in it: then it stays, hands out
nothing, and ``check`` tells of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from netaddr import IPAddress, IPNetwork
from sqlalchemy import Connection

from providers.address_book.allocatable import passed_over, refuse_unfit_subnet
from providers.address_book.foundation import PROGRAM
from providers.address_book.subnets import Subnets, subnet_spec
from providers.address_book.texts import LONGEST_NOTE
from providers.addresses import Range
from providers.book import directory as shelf
from providers.book import event_log, promises, taken, upstream
from providers.book.directory import Directory
from providers.book.tables import NAME_LENGTH, reservations
from providers.errors import InvalidValue, Refused
from providers.ipam.contract import Picture, PicturedGroup, PicturedSubnet
from providers.model import Group, Options, Subnet, SubnetSpec, Use


class Pictured(Subnets):
    """Applies pictures, each in one transaction."""

    def _apply(self, connection: Connection, picture: Picture, now: datetime) -> list[str]:
        """Let the book be as ``picture``; returns what the operator should hear.

        Raises Refused for a picture without any subnet where the book has some: rather a mistake than the truth.
        """
        shelf.lock_all(connection)
        directory = self._directories.within(connection)
        if directory.subnets and not picture.subnets:
            raise Refused(f"{self.ipam.name} shows no subnets at all, and the book has some: it was left as it is")
        warnings: list[str] = []
        groups = self._groups(connection, directory, picture.groups)
        directory = self._directories.within(connection)
        specs = self._specs(picture.subnets, groups, warnings)
        keys, gone = upstream.subnet_keys(connection), upstream.gone(connection)
        by_name = {group.name: group for group in groups.values()}
        elsewhere = [
            (spec.network.prefixlen, there.id, key)
            for key, spec in specs.items()
            if (there := directory.by_id.get(keys.get(key, 0))) is not None and there.group.name != spec.group
        ]
        # The largest first, so that what lies inside finds it there already.
        for _, subnet_id, key in sorted(elsewhere):
            self._move(connection, subnet_id, specs[key], by_name[specs[key].group])
        directory = self._directories.within(connection)
        matched: dict[str, Subnet] = {}
        stale: set[int] = set()
        for key, spec in specs.items():
            there = _present(directory, keys.get(key), spec)
            if there is not None:
                matched[key] = self._update(connection, there, spec, stale)
                if keys.get(key) != there.id or there.id in gone:
                    upstream.name_subnets(connection, {there.id: key})
        self._measure_anew(connection, stale)
        kept = {each.id for each in matched.values()}
        fresh: dict[str, SubnetSpec] = {}
        for key, spec in specs.items():
            old = directory.by_id.get(keys.get(key, 0))
            if key in matched:
                continue
            if old is not None and old.group.name == spec.group and self._resize(connection, old, spec, now):
                matched[key] = old
                kept.add(old.id)
            else:
                fresh[key] = spec
        if fresh:
            added = self._add_subnets(connection, list(fresh.values()), PROGRAM)
            upstream.name_subnets(connection, {each.id: key for key, each in zip(fresh, added, strict=True)})
        upstream.say_full(connection, [each.key for each in picture.subnets if each.full])
        stale, around = set(), self._directories.within(connection)
        for subnet in directory.subnets:
            if subnet.id not in kept and self._is_in_use(connection, subnet, now):
                if subnet.id not in gone:
                    upstream.mark_gone(connection, subnet.id, now)
                    event_log.record(connection, now, PROGRAM, "subnet.gone", subnet)
                warnings.append(
                    f"{subnet.network} of {subnet.group.name} is in {self.ipam.name} no more, but in use here: "
                    "nothing is handed out there; see leasehold check"
                )
            elif subnet.id not in kept:
                self._remove(connection, subnet, around, now)
                outer = around.around(subnet)
                stale |= {outer.id} if outer is not None else set()
        self._measure_anew(connection, stale)
        self._remove_empty_groups(connection, {group.id for group in groups.values()})
        return warnings

    def _groups(
        self, connection: Connection, directory: Directory, pictured: tuple[PicturedGroup, ...]
    ) -> dict[str, Group]:
        keys, by_id = upstream.group_keys(connection), {group.id: group for group in directory.groups}
        used: set[str] = set()
        wanted: dict[str, str] = {}
        for each in pictured:
            name = _printable(each.name)[:NAME_LENGTH].strip() or f"group {each.key}"
            if name.casefold() in used:
                name = f"{name[: NAME_LENGTH - 20]} ({each.key})"
            used.add(name.casefold())
            wanted[each.key] = name
        found: dict[str, Group] = {}
        for each in pictured:
            name = wanted[each.key]
            known = by_id.get(keys.get(each.key, 0))
            namesake = next((group for group in by_id.values() if group.name.casefold() == name.casefold()), None)
            # Two that exchange their names do so by way of a third.
            if known is not None and namesake is not None and namesake.id != known.id:
                by_id[namesake.id] = shelf.change_group(connection, namesake, f"({namesake.id})", namesake.description)
                namesake = None
            there = known or namesake
            if there is None:
                there = shelf.add_group(connection, name, each.description)
                event_log.record(connection, self.clock(), PROGRAM, "group.add", None, name=name)
            elif (there.name, there.description) != (name, each.description):
                there = shelf.change_group(connection, there, name, each.description)
            by_id[there.id] = there
            if keys.get(each.key) != there.id:
                upstream.name_group(connection, there.id, each.key)
            found[each.key] = there
        return found

    def _specs(
        self, pictured: tuple[PicturedSubnet, ...], groups: Mapping[str, Group], warnings: list[str]
    ) -> dict[str, SubnetSpec]:
        """What can be taken over, the first of two with one network in one group."""
        specs: dict[str, SubnetSpec] = {}
        seen: set[tuple[int, Any]] = set()
        for each in pictured:
            group = groups.get(each.spec.group)
            if group is None:
                continue
            if (group.id, each.spec.network) in seen:
                warnings.append(f"{each.spec.network} is in {group.name} of {self.ipam.name} twice: one is passed over")
                continue
            seen.add((group.id, each.spec.network))
            spec, problem = _fitting(replace(each.spec, group=group.name))
            if problem:
                warnings.append(f"{each.spec.network} of {group.name} in {self.ipam.name}: {problem}")
            if spec is not None:
                specs[each.key] = spec
        return specs

    def _measure_anew(self, connection: Connection, stale: Collection[int]) -> None:
        """Measure the subnets with these ids that are still there; the directory is read once for all of them."""
        directory = self._directories.within(connection) if stale else None
        for subnet_id in sorted(stale):
            subnet = directory.by_id.get(subnet_id) if directory is not None else None
            if subnet is not None and directory is not None:
                shelf.lock(connection, subnet_id)
                self._measure(connection, subnet, directory)

    def _update(self, connection: Connection, there: Subnet, spec: SubnetSpec, stale: set[int]) -> Subnet:
        before = subnet_spec(there)
        changed = {name: getattr(spec.options, name) for name in self.ipam.pictured_options}
        after = replace(before, description=spec.description, options=replace(before.options, **changed))
        if after == before:
            return there
        shelf.lock(connection, there.id)
        written = shelf.change_subnet(connection, there, after, dhcp=there.dhcp)
        if passed_over(before, ()) != passed_over(after, ()):
            stale.add(there.id)
        event_log.record(connection, self.clock(), PROGRAM, "subnet.change", written)
        return written

    def _move(self, connection: Connection, subnet_id: int, spec: SubnetSpec, group: Group) -> None:
        """Let a subnet that went to another section be in that group, unless what is there is in its way."""
        directory = self._directories.within(connection)
        old = directory.by_id[subnet_id]
        if old.network != spec.network or any(each.group.id == group.id for each in directory.exactly(spec.network)):
            return
        shelf.move_subnet(connection, old, group)
        moved = self._directories.within(connection)
        subnet, ends = moved.by_id[old.id], Range(*_ends(spec.network))
        around = moved.around(subnet)
        if moved.inside(subnet) or (around and taken.count(connection, reservations, around, ends, most=1)):
            shelf.move_subnet(connection, subnet, old.group)
            return
        for each in (directory.around(old), around, subnet):
            if each is not None:
                shelf.lock(connection, each.id)
                self._measure(connection, each, self._directories.within(connection))
        event_log.record(connection, self.clock(), PROGRAM, "subnet.change", subnet)

    def _resize(self, connection: Connection, old: Subnet, spec: SubnetSpec, now: datetime) -> bool:
        """Let ``old`` have the network of ``spec``; False when something of ours would be left outside."""
        network = spec.network
        grown, shrunk = old.network in network, network in old.network
        if not grown and not (shrunk and not self._is_in_use(connection, old, now, network)):
            return False
        shelf.lock(connection, old.id)
        before = self._directories.within(connection).around(old)
        taken.remove_outside(connection, old, Range(*_ends(network)))
        shelf.resize_subnet(connection, old, network)
        resized = self._directories.within(connection).by_id[old.id]
        around = self._directories.within(connection).around(resized)
        for each in {subnet.id: subnet for subnet in (before, around) if subnet is not None}.values():
            shelf.lock(connection, each.id)
            taken.move(connection, each, resized, Range(*_ends(network)))
            self._measure(connection, each, self._directories.within(connection))
        ranges: dict[str, Any] = {
            "pool": _within(resized.pool, network),
            "dynamic": _within(resized.dynamic, network),
            "exclusions": tuple(each for each in resized.exclusions if each.within(network)),
        }
        shelf.change_subnet(connection, resized, replace(subnet_spec(resized), **ranges), dhcp=resized.dhcp)
        directory = self._directories.within(connection)
        self._update(connection, directory.by_id[old.id], spec, set())
        directory = self._directories.within(connection)
        self._measure(connection, directory.by_id[old.id], directory)
        return True

    def _is_in_use(
        self, connection: Connection, subnet: Subnet, now: datetime, besides: IPNetwork | None = None
    ) -> bool:
        """Whether something of ours is in a subnet, outside ``besides``: a use that is not upstream's, or a hold."""
        outside = None if besides is None else Range(*_ends(besides))
        return taken.has_other_use(connection, subnet, Use.UPSTREAM, outside) or promises.any_live(
            connection, subnet, now, outside
        )

    def _remove(self, connection: Connection, subnet: Subnet, directory: Directory, now: datetime) -> None:
        present = directory.by_id.get(subnet.id)
        if present is not None:
            shelf.remove_subnet(connection, present)
            event_log.record(connection, now, PROGRAM, "subnet.remove", present)

    def _remove_empty_groups(self, connection: Connection, kept: set[int]) -> None:
        directory = self._directories.within(connection)
        used = {subnet.group.id for subnet in directory.subnets}
        for group in directory.groups:
            if group.id not in kept | used:
                shelf.remove_group(connection, group)
                event_log.record(connection, self.clock(), PROGRAM, "group.remove", None, name=group.name)


def _present(directory: Directory, subnet_id: int | None, spec: SubnetSpec) -> Subnet | None:
    """The subnet of the book that ``spec`` describes: by its id, else the namesake that nobody linked yet."""
    known = directory.by_id.get(subnet_id or 0)
    if known is not None and known.network == spec.network and known.group.name == spec.group:
        return known
    return next((each for each in directory.exactly(spec.network) if each.group.name == spec.group), None)


def _fitting(spec: SubnetSpec) -> tuple[SubnetSpec | None, str]:
    """``spec`` as far as it can be kept, and what cannot."""
    spec = replace(spec, description=_printable(spec.description).encode()[:LONGEST_NOTE].decode(errors="ignore"))
    try:
        refuse_unfit_subnet(spec)
    except InvalidValue as error:
        problem = str(error)
    else:
        return spec, ""
    blank = Options()
    for name in ("gateway", "domain", "mtu", "next_server", "filename", "ntp", "dns"):
        try:
            refuse_unfit_subnet(replace(spec, options=replace(blank, **{name: getattr(spec.options, name)})))
        except InvalidValue:
            spec = replace(spec, options=replace(spec.options, **{name: getattr(blank, name)}))
    try:
        refuse_unfit_subnet(spec)
    except InvalidValue as error:
        return None, f"passed over: {error}"
    return spec, f"{problem} (passed over)"


def _within(each: Range | None, network: IPNetwork) -> Range | None:
    return each if each is not None and each.within(network) else None


def _ends(network: IPNetwork) -> tuple[IPAddress, IPAddress]:
    return IPAddress(network.first, network.version), IPAddress(network.last, network.version)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()
