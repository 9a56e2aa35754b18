"""The rules of the address book once more, in plain Python on dictionaries: what the state machine predicts with.

Addresses are integers. Nothing here knows SQL, free runs or providers; nothing is fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from netaddr import IPNetwork

from providers.model import Use

HOLD, ANONYMOUS, REST, JOIN = (timedelta(minutes=minutes) for minutes in (30, 10, 5, 60))
_NOT_FOREMANS = {Use.GUEST, Use.MANUAL, Use.UPSTREAM}

Run = tuple[int, int]


class Refused(Exception):
    """What the address book has to refuse, by the name of its error."""


@dataclass
class Place:
    """A subnet."""

    network: IPNetwork
    gateway: int | None = None
    exclusions: tuple[Run, ...] = ()
    pool: Run | None = None
    dynamic: Run | None = None

    def hosts(self) -> set[int]:
        """The addresses that a host may have."""
        everything = list(range(self.network.first, self.network.last + 1))
        if self.network.prefixlen >= {4: 31, 6: 127}[self.network.version]:
            return set(everything)
        return set(everything[1:-1] if self.network.version == 4 else everything[1:])

    def may_be_reserved(self, address: int) -> bool:
        """By naming it."""
        return address in self.hosts() and address != self.gateway

    def in_range(self, span: Run | None) -> set[int]:
        """Where a suggestion comes from."""
        hosts = self.hosts()
        if span is not None:
            return {address for address in hosts if span[0] <= address <= span[1]}
        if self.pool is not None:
            return set(range(self.pool[0], self.pool[1] + 1))
        if self.dynamic is not None:
            return hosts - set(range(self.dynamic[0], self.dynamic[1] + 1))
        return hosts


@dataclass
class Taken:
    """A reservation."""

    uses: dict[Use, datetime]
    changed_at: datetime
    hosts: dict[int, str] = field(default_factory=dict)
    machine: int | None = None

    def copy(self) -> Taken:
        """One that may be changed."""
        return Taken(dict(self.uses), self.changed_at, dict(self.hosts), self.machine)


@dataclass
class Promise:
    """A hold or a rest."""

    key: str | None
    until: datetime
    machine: int | None = None


@dataclass
class Model:
    """What is in the book. Promises that are over stay until somebody sweeps them, as in the book."""

    now: datetime
    places: dict[str, Place] = field(default_factory=dict)
    taken: dict[int, Taken] = field(default_factory=dict)
    holds: dict[int, Promise] = field(default_factory=dict)
    rests: dict[int, Promise] = field(default_factory=dict)

    def innermost(self, address: int) -> str:
        """The most specific subnet that holds an address."""
        around = [cidr for cidr, place in self.places.items() if place.network.first <= address <= place.network.last]
        return max(around, key=lambda cidr: self.places[cidr].network.prefixlen)

    def within(self, cidr: str) -> set[int]:
        """The addresses that belong to a subnet and to none inside it."""
        network = self.places[cidr].network
        return {each for each in range(network.first, network.last + 1) if self.innermost(each) == cidr}

    def ever_suggested(self, cidr: str) -> set[int]:
        """What may be suggested in a subnet when nobody has anything."""
        place = self.places[cidr]
        excluded = {each for first, last in place.exclusions for each in range(first, last + 1)}
        return (self.within(cidr) & place.hosts()) - excluded - {place.gateway}

    def live(self, promises: dict[int, Promise], address: int) -> Promise | None:
        """The promise on an address, unless it is over."""
        promise = promises.get(address)
        return promise if promise is not None and promise.until > self.now else None

    def free_for(self, cidr: str, key: str) -> set[int]:
        """What may be suggested to ``key`` now: nobody else has it, holds it or lets it rest."""
        return {
            address
            for address in self.ever_suggested(cidr)
            if address not in self.taken
            and ((hold := self.live(self.holds, address)) is None or hold.key == key)
            and ((rest := self.live(self.rests, address)) is None or rest.key == key)
        }

    def untouched(self, cidr: str) -> set[int]:
        """What is free beyond doubt: not even an old promise is on it."""
        return self.ever_suggested(cidr) - set(self.taken) - set(self.holds) - set(self.rests)

    def host_of(self, cidr: str, machine: int | None) -> int | None:
        """The address that a machine is served in a subnet."""
        served = (at for at, there in self.taken.items() if machine in there.hosts and self.innermost(at) == cidr)
        return next(served, None)

    def held_by(self, cidr: str, key: str) -> int | None:
        """The address that a key holds in a subnet, also when that is over."""
        return next((at for at, hold in self.holds.items() if hold.key == key and self.innermost(at) == cidr), None)

    def exists(self, cidr: str, address: int) -> bool:
        """Rule 5, for External IPAM."""
        there = self.taken.get(address)
        if not self.places[self.innermost(address)].may_be_reserved(address):
            return True
        if there is None:
            return False
        return set(there.uses) != {Use.DHCP} or self.now - there.changed_at > JOIN

    def reserve(
        self, cidr: str, address: int, use: Use, machine: int | None, name: str, related: frozenset[int]
    ) -> None:
        """Rules 4 to 7; raises Refused."""
        inner = self.innermost(address)
        if not all(self.places[each].may_be_reserved(address) for each in (cidr, inner)):
            raise Refused("InvalidValue")
        there = self.taken.get(address)
        if use is Use.DHCP and there is not None and machine is not None and there.hosts.get(machine) == name:
            return
        if there is not None:
            self._refuse_conflict(there, use, machine, related)
        if use is Use.DHCP:
            self._refuse_second_host(inner, machine, name)
        hold = self.holds.pop(address, None)
        self.rests.pop(address, None)
        after = there.copy() if there is not None else Taken({}, self.now)
        if use is Use.DHCP and machine is not None:
            after.machine = after.machine if after.hosts else machine
            after.hosts[machine] = name
        elif use is Use.IPAM and there is None and hold is not None:
            after.machine = hold.machine
        elif use is Use.MANUAL and machine is not None:
            after.machine = machine
        if use not in after.uses:
            after.uses[use] = after.changed_at = self.now
        self.taken[address] = after

    def _refuse_conflict(self, there: Taken, use: Use, machine: int | None, related: frozenset[int]) -> None:
        if use is Use.DHCP:
            stranger = any(other == machine or other not in related for other in there.hosts)
            if stranger or (_NOT_FOREMANS & set(there.uses) and there.machine != machine):
                raise Refused("Conflict")
        elif use is Use.IPAM:
            if set(there.uses) != {Use.DHCP} or self.now - there.changed_at > JOIN:
                raise Refused("Conflict")
        elif use in there.uses or machine is None or there.machine != machine:
            raise Refused("Conflict")

    def _refuse_second_host(self, cidr: str, machine: int | None, name: str) -> None:
        for at, there in self.taken.items():
            if self.innermost(at) == cidr:
                if machine in there.hosts:
                    raise Refused("Conflict")
                if name in there.hosts.values():
                    raise Refused("Conflict")

    def release(self, address: int, use: Use | None, machine: int | None) -> bool:
        """Rules 5, 6 and 10: end a use, everything, or the host of one machine; returns whether anything went."""
        there = self.taken[address].copy()
        going: set[int] = set()
        if machine is not None:
            going = {machine} & set(there.hosts)
            ending = {Use.DHCP} if going == set(there.hosts) and going else set()
        elif use is None:
            going, ending = set(there.hosts), set(there.uses)
        elif use is Use.DHCP:
            going, ending = set(there.hosts), {Use.DHCP} & set(there.uses)
        else:
            ending = {use} & set(there.uses)
        if not going and not ending:
            return False
        for each in going:
            del there.hosts[each]
        for each in ending:
            del there.uses[each]
            there.changed_at = self.now
        if there.uses:
            self.taken[address] = there
            return True
        del self.taken[address]
        had_it = there.machine or min(going, default=None)
        if address in self.places[self.innermost(address)].hosts():
            self.rests[address] = Promise(key_of(had_it), self.now + REST)
        return True


def key_of(machine: int | None) -> str | None:
    """The key of whoever is known by a MAC alone."""
    return None if machine is None else f"machine {machine}"
