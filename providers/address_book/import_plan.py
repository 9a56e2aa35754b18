"""What of an import fits into the book: the same rules as for reserving one by one, applied to all of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta

from netaddr import IPAddress, IPNetwork
from sqlalchemy import Connection

from providers.address_book.allocatable import refuse_unfit_subnet, refuse_unusable
from providers.address_book.foundation import innermost
from providers.address_book.incoming import Clash, Incoming, IncomingAddress, IncomingSubnet, Key, Plan
from providers.address_book.joining import Wish, refuse_conflict
from providers.address_book.subnet_conflicts import Served, rival_on_dhcp
from providers.address_book.texts import (
    refuse_unfit_description,
    refuse_unfit_host,
    refuse_unfit_name,
    refuse_unfit_note,
)
from providers.book import taken
from providers.book.directory import Directory
from providers.errors import Conflict, InvalidValue, SubnetNotFound
from providers.model import DHCPHost, Group, Options, Reservation, Subnet, Use
from providers.printable import printable

_IN_THE_BOOK = "in the book already"
_IPV4 = 4


@dataclass(slots=True)
class Draft:
    """A plan in the making, and what it takes to carry it out. New subnets have negative ids.

    ``homes`` has all that is inside a subnet, whether it fits or not.
    """

    homes: list[tuple[Subnet, IncomingAddress]] = field(default_factory=list)
    new_subnets: list[IncomingSubnet] = field(default_factory=list)
    same_subnets: int = 0
    fresh: list[tuple[Subnet, IncomingAddress]] = field(default_factory=list)
    joining: list[tuple[Subnet, IncomingAddress]] = field(default_factory=list)
    same_addresses: int = 0
    clashes: list[Clash] = field(default_factory=list)

    def plan(self) -> Plan:
        """The plan as others see it."""
        coming = tuple(entry for _, entry in (*self.fresh, *self.joining))
        return Plan(tuple(self.new_subnets), self.same_subnets, coming, self.same_addresses, tuple(self.clashes))


@dataclass(frozen=True, slots=True)
class _Owner:
    """Who has an address, and where that is written."""

    reservation: Reservation
    origin: str


class Planner:
    """Looks at what comes in, one by one, as if all before had; ``unserved`` is what DHCP can never serve, and why."""

    def __init__(
        self,
        connection: Connection,
        directory: Directory,
        *,
        edits_subnets: bool,
        now: datetime,
        join: timedelta,
        unserved: Mapping[Key, str] | None = None,
    ) -> None:
        self._connection = connection
        self._directory = directory
        self._edits_subnets = edits_subnets
        self._now = now
        self._join = join
        self._unserved = unserved or {}
        self._homes = directory
        self._owners: dict[tuple[int, IPAddress], _Owner] = {}
        self._macs: dict[tuple[int, str], tuple[DHCPHost, str]] = {}
        self._names: dict[tuple[int, str], tuple[DHCPHost, str]] = {}
        self._fresh: set[tuple[int, IPAddress]] = set()
        self._draft = Draft()

    def draft(self, incoming: Incoming) -> Draft:
        """Everything looked at."""
        new = self._new_subnets(incoming.subnets)
        self._homes = Directory(0, self._directory.groups, [*self._directory.subnets, *new])
        homes = self._draft.homes
        for entry in incoming.addresses:
            try:
                homes.append((self._home(entry), entry))
            except SubnetNotFound as error:
                self._clash(entry.origin, str(error))
        self._load(homes)
        for home, entry in homes:
            try:
                self._take(home, entry)
            except (InvalidValue, Conflict) as error:
                self._clash(entry.origin, str(error))
        return self._draft

    def _clash(self, origin: str, text: str) -> None:
        # Names and groups in it may not have been checked yet.
        self._draft.clashes.append(Clash(origin, printable(text, None)))

    def _new_subnets(self, subnets: Iterable[IncomingSubnet]) -> list[Subnet]:
        """The subnets that are to be made, with negative ids."""
        made: list[Subnet] = []
        served = Served(self._directory.subnets)
        seen: dict[tuple[str, IPNetwork], str] = {}
        groups = {group.name.casefold(): group for group in self._directory.groups}
        for number, each in enumerate(subnets, start=1):
            spec, name = each.spec, each.spec.group.casefold()
            before = seen.setdefault((name, spec.network), each.origin)
            if before != each.origin:
                self._clash(each.origin, f"{spec.network} is declared at {before} too: that one counts")
                continue
            try:
                refuse_unfit_subnet(spec)
            except InvalidValue as error:
                self._clash(each.origin, str(error))
                continue
            there = next((one for one in self._directory.exactly(spec.network) if _in_group(one, name)), None)
            if there is not None:
                self._compare(there, each)
                continue
            if not self._edits_subnets:
                self._clash(each.origin, f"{spec.network} is unknown, and subnets come from the IPAM: make it there")
                continue
            group = groups.setdefault(name, Group(-number, spec.group))
            rival = rival_on_dhcp(served, spec, group)
            if rival is not None:
                why = f"/dhcp, which has {rival.network} of group {rival.group.name}"
                self._clash(each.origin, f"{spec.network} comes in without {why}")
            self._draft.new_subnets.append(each)
            described = {one.name: getattr(spec, one.name) for one in fields(spec)}
            dhcp = rival is None and spec.network.version == _IPV4
            made.append(Subnet(**described | {"id": -number, "revision": 0, "group": group, "dhcp": dhcp}))
            served.add(made[-1])
        return made

    def _compare(self, there: Subnet, each: IncomingSubnet) -> None:
        differences = list(_differences(there, each))
        if differences:
            self._clash(each.origin, f"{there.network} is {_IN_THE_BOOK} and stays as it is: {'; '.join(differences)}")
        else:
            self._draft.same_subnets += 1

    def _home(self, entry: IncomingAddress) -> Subnet:
        name = entry.group.casefold()
        found = [each for each in self._homes.holding(entry.address) if not name or _in_group(each, name)]
        if entry.network is not None:
            found = [each for each in found if each.network == entry.network]
        if not found:
            where = str(entry.network or "any subnet") + (f" of group {entry.group}" if entry.group else "")
            raise SubnetNotFound(f"{_shown(entry)} is not in {where}")
        chosen = min((each for each in found if each.network == found[0].network), key=lambda each: abs(each.id))
        return innermost(self._homes, chosen, entry.address)

    def _load(self, homes: Iterable[tuple[Subnet, IncomingAddress]]) -> None:
        """Read what is reserved in the subnets that have these addresses now."""
        present: dict[int, Subnet] = {}
        for home, entry in homes:
            now_in = (each for each in self._directory.holding(entry.address) if each.group == home.group)
            for each in now_in:
                present[each.id] = each
                break
        for subnet in present.values():
            after: IPAddress | None = None
            while page := taken.page(self._connection, subnet, after):
                for reservation in page:
                    home = innermost(self._homes, subnet, reservation.address)
                    self._own(home, replace(reservation, subnet=home), _IN_THE_BOOK)
                    for host in reservation.hosts:
                        self._know(home, host, _IN_THE_BOOK)
                after = page[-1].address

    def _own(self, home: Subnet, reservation: Reservation, origin: str) -> None:
        self._owners[home.group.id, reservation.address] = _Owner(reservation, origin)

    def _know(self, home: Subnet, host: DHCPHost, origin: str) -> None:
        self._macs[home.id, host.mac] = self._names[home.id, host.name] = (host, origin)

    def _take(self, home: Subnet, entry: IncomingAddress) -> None:
        refuse_unusable(home, entry.address)
        _refuse_unfit(entry)
        why = self._unserved.get(entry.key)
        if why is not None:
            raise InvalidValue(f"{_shown(entry)} cannot be served: {why}")
        place = (home.group.id, entry.address)
        host = None if entry.host is None else replace(entry.host, address=entry.address)
        entry = replace(entry, host=host)
        owner = self._owners.get(place)
        if owner is None:
            self._refuse_known_host(home, entry)
            self._fresh.add(place)
            hosts = () if host is None else (host,)
            uses = dict.fromkeys(entry.uses, self._now)
            name, mac = description(entry)
            described = (name, mac, entry.description, entry.note)
            there = Reservation(home, entry.address, *described, uses, hosts, self._now, self._now)
        elif _same(owner.reservation, entry):
            self._draft.same_addresses += 1
            return
        else:
            self._refuse_owner(owner, entry)
            self._refuse_known_host(home, entry)
            there = owner.reservation
            uses = {**dict.fromkeys(entry.uses, self._now), **there.uses}
            there = replace(there, uses=uses, hosts=(*there.hosts, *([] if host is None else [host])))
        self._own(home, there, entry.origin if owner is None else owner.origin)
        if host is not None:
            self._know(home, host, entry.origin)
        (self._draft.fresh if place in self._fresh else self._draft.joining).append((home, entry))

    def _refuse_owner(self, owner: _Owner, entry: IncomingAddress) -> None:
        there = owner.reservation
        try:
            for use in sorted(entry.uses - (set(there.uses) - {Use.DHCP}) or entry.uses):
                refuse_conflict(there, wish(entry, use), self._now, self._join)
        except Conflict as error:
            raise Conflict(f"{_shown(entry)} clashes: {error} ({owner.origin})") from error

    def _refuse_known_host(self, home: Subnet, entry: IncomingAddress) -> None:
        if entry.host is None:
            return
        for known in (self._macs.get((home.id, entry.host.mac)), self._names.get((home.id, entry.host.name))):
            if known is None:
                continue
            host, origin = known
            same_place = host.mac == entry.host.mac and host.address == entry.address
            if not same_place:
                what = f"MAC {host.mac}" if host.mac == entry.host.mac else f"the name {host.name}"
                raise Conflict(
                    f"{_shown(entry)} clashes: {what} has {host.address} in {home.network}, "
                    f"as {host.name} with {host.mac} ({origin})"
                )


def wish(entry: IncomingAddress, use: Use) -> Wish:
    """The entry as somebody who asks for it with one use."""
    host = entry.host if use is Use.DHCP else None
    name, mac = description(entry)
    described = (entry.name if host else name, mac, entry.description, entry.note)
    return Wish(entry.address, use, *described, host, entry.related_macs)


def description(entry: IncomingAddress) -> tuple[str | None, str | None]:
    """Name and MAC of the reservation, as reserving one by one would write them."""
    if entry.host is None:
        return entry.name, entry.mac
    return entry.name or entry.host.hostname, entry.mac or entry.host.mac


def _same(there: Reservation, entry: IncomingAddress) -> bool:
    if not entry.uses <= set(there.uses):
        return False
    if entry.description not in (None, there.description) or entry.note not in (None, there.note):
        return False
    return entry.host in there.hosts if entry.host else (there.name, there.mac) == (entry.name, entry.mac)


def _refuse_unfit(entry: IncomingAddress) -> None:
    if entry.name is not None:
        refuse_unfit_name("name", entry.name)
    if entry.description is not None:
        refuse_unfit_description(entry.description)
    if entry.note is not None:
        refuse_unfit_note(entry.note)
    if entry.host is not None:
        refuse_unfit_host(entry.host)


def _differences(there: Subnet, each: IncomingSubnet) -> Iterator[str]:
    pairs = [(name, getattr(there, name), getattr(each.spec, name)) for name in ("pool", "dynamic", "exclusions")]
    pairs += [(one.name, getattr(there.options, one.name), getattr(each.spec.options, one.name)) for one in _OPTIONS]
    for name, ours, theirs in pairs:
        if ours != theirs:
            yield f"{name.replace('_', ' ')} {_text(ours)} in the book, {_text(theirs)} here"


_OPTIONS = fields(Options)


def _text(value: object) -> str:
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value or "")
    return shown or "none"


def _in_group(subnet: Subnet, name: str) -> bool:
    return subnet.group.name.casefold() == name


def _shown(entry: IncomingAddress) -> str:
    return f"{entry.address} of {entry.host.name} ({entry.host.mac})" if entry.host else str(entry.address)
