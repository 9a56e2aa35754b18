"""Suggesting an address: rules 1 to 3, 8, 11 and 14 of the address book."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import suggestible, usable
from providers.address_book.foundation import Foundation, counted, key_of_mac
from providers.addresses import Range
from providers.book import event_log, free_space, promises, taken
from providers.book.tables import KEY_LENGTH, holds, reservations
from providers.errors import Exhausted, InvalidValue, NotFound, Unavailable
from providers.model import Asker, Caller, Hold, Strategy, Subnet, Use

_COUNT_MOST = 100_000
_UPSTREAM_TRIES = 32


class Suggestions(Foundation):
    """Hands out promises: every address that leaves here is held."""

    def suggest(
        self,
        subnet: Subnet,
        asker: Asker,
        caller: Caller,
        *,
        span: Range | None = None,
        use: Use = Use.DHCP,
        ttl: timedelta | None = None,
    ) -> IPAddress:
        """Return an address that is free, and hold it for ``asker``.

        The same asker gets the same answer, and its hold is extended. With ``use`` DHCP, a MAC that has a DHCP host
        or a lease in the range gets that address; with IPAM only one for which ``exists`` is false. ``span`` narrows
        the choice, else it is the pool; ``ttl`` lengthens the hold.

        Raises Exhausted when nothing is left in the range, InvalidValue for a span outside the subnet,
        SubnetNotFound when it was removed, Unavailable when the book or the IPAM does not answer.
        """
        key = self._key(asker)
        lifetime = self.lifetimes.hold if asker.key or asker.mac else self.lifetimes.hold_anonymous
        lifetime = max(lifetime, ttl) if ttl is not None else lifetime
        for _ in range(_UPSTREAM_TRIES):
            address = self.book.write(lambda c: self._promise(c, subnet, asker, key, lifetime, caller, span, use))
            record = self.ipam.record(subnet, address)
            if record is None or record.ours:
                return address
            self._note_upstream(subnet, address, caller)
        raise Unavailable(
            f"{_UPSTREAM_TRIES} addresses of {subnet.network} that the book has as free are taken upstream: "
            "run leasehold check"
        )

    def holds(self, subnet: Subnet | None = None) -> list[Hold]:
        """The live holds of a subnet or of all, by subnet and address."""
        now = self.clock()
        with self.book.read() as connection:
            chosen = self._directories.current(connection).subnets if subnet is None else [subnet]
            return [hold for each in chosen for hold in promises.live_holds(connection, each, now)]

    def release_hold(self, subnet: Subnet, address: IPAddress, caller: Caller) -> Hold:
        """End the hold on an address, which is free at once; raises NotFound when there is none."""

        def work(connection: Connection) -> Hold:
            now = self.clock()
            present, directory = self._enter(connection, subnet)
            hold = promises.hold_at(connection, present, address)
            if hold is None or hold.expires_at <= now:
                raise NotFound(f"{address} in {subnet.network} is not held")
            promises.drop_hold(connection, present, address)
            self._give_back(connection, present, directory, address)
            event_log.record(connection, now, caller, "hold.release", present, address, key=hold.key)
            return hold

        return self.book.write(work)

    def _key(self, asker: Asker) -> str:
        if asker.key is not None:
            key = f"key:{asker.key}"
            if not asker.key or len(key) > KEY_LENGTH or not asker.key.isprintable():
                raise InvalidValue(f"A request key has 1 to {KEY_LENGTH - 4} printable characters")
            return key
        if asker.mac is not None:
            return key_of_mac(asker.mac)
        return f"anonymous:{secrets.token_hex(8)}"

    def _promise(
        self,
        connection: Connection,
        subnet: Subnet,
        asker: Asker,
        key: str,
        lifetime: timedelta,
        caller: Caller,
        span: Range | None,
        use: Use,
    ) -> IPAddress:
        now = self.clock()
        subnet, directory = self._enter(connection, subnet)
        ranges = suggestible(subnet, span)
        self._expire(connection, subnet, directory, now)
        until = now + lifetime
        has = promises.belongings(connection, subnet, key, asker.mac)
        if has.host is not None and _in(ranges, has.host) and self._may_tell(connection, subnet, has.host, use, now):
            return has.host
        if has.hold is not None and has.hold_until is not None:
            if _in(ranges, has.hold) and usable(subnet, has.hold):
                promises.extend_hold(connection, subnet, has.hold, max(until, has.hold_until))
                event_log.record(connection, now, caller, "hold.extend", subnet, has.hold, key=key, mac=asker.mac)
                return has.hold
            promises.drop_hold(connection, subnet, has.hold)
            self._let_rest(connection, subnet, directory, has.hold, key, now)
            event_log.record(connection, now, caller, "hold.release", subnet, has.hold, key=key, mac=asker.mac)
        address = self._choose(connection, subnet, asker, ranges, has.rests)
        if address is None and self._expire(connection, subnet, directory, now, all_due=True):
            address = self._choose(connection, subnet, asker, ranges, ())
        if address is None:
            raise self._exhausted(connection, subnet, ranges, span)
        promises.hold(connection, Hold(subnet, address, key, asker.mac, now, until))
        event_log.record(connection, now, caller, "hold.take", subnet, address, key=key, mac=asker.mac)
        return address

    def _may_tell(self, connection: Connection, subnet: Subnet, address: IPAddress, use: Use, now: datetime) -> bool:
        """Whether an asker may be told the address of its own DHCP host: Foreman's IPAM only what it can still join."""
        if use is not Use.IPAM:
            return True
        found = taken.reservation(connection, subnet, address)
        return found is not None and set(found.uses) == {Use.DHCP} and now - found.changed_at <= self.lifetimes.join

    def _choose(
        self,
        connection: Connection,
        subnet: Subnet,
        asker: Asker,
        ranges: list[Range],
        resting: tuple[IPAddress, ...],
    ) -> IPAddress | None:
        """Pick an address and take it out of the free space: the asker's own first, then by the strategy."""
        for address in resting:
            if _in(ranges, address) and usable(subnet, address):
                promises.drop_rest(connection, subnet, address)
                return address
        lease = self.dhcp.lease_of(subnet, asker.mac) if asker.mac else None
        if lease is not None and _in(ranges, lease.address):
            run = free_space.run_from(connection, subnet.id, lease.address)
            if run is not None and lease.address in run:
                free_space.carve(connection, subnet.id, run, lease.address)
                return lease.address
        if subnet.strategy is Strategy.RANDOM:
            ranges = _from_a_random_point(ranges)
        for each in ranges:
            address = self._first_free(connection, subnet, each)
            if address is not None:
                return address
        return None

    def _first_free(self, connection: Connection, subnet: Subnet, within: Range) -> IPAddress | None:
        start = within.first
        while run := free_space.run_from(connection, subnet.id, start):
            address = max(run.first, start)
            if address > within.last:
                return None
            if self.dhcp.lease_at(subnet, address) is None:
                free_space.carve(connection, subnet.id, run, address)
                return address
            if address == within.last:
                return None
            start = address + 1
        return None

    def _exhausted(self, connection: Connection, subnet: Subnet, ranges: list[Range], span: Range | None) -> Exhausted:
        used = sum(taken.count(connection, reservations, subnet, each, most=_COUNT_MOST) for each in ranges)
        held = sum(taken.count(connection, holds, subnet, each, most=_COUNT_MOST) for each in ranges)
        where = f"{subnet.network}" if span is None else f"{span} of {subnet.network}"
        counts = counted([(used, "reserved"), (held, "held")])
        return Exhausted(f"No free address in {where}: {counts}", used=used, held=held)

    def _note_upstream(self, subnet: Subnet, address: IPAddress, caller: Caller) -> None:
        """Turn the hold on an address that someone else made upstream into a reservation that says so (rule 12)."""

        def work(connection: Connection) -> None:
            now = self.clock()
            present, _ = self._enter(connection, subnet)
            promises.drop_hold(connection, present, address)
            if taken.reservation(connection, present, address) is None:
                taken.add(connection, present, address, now, name=None, mac=None, note=None)
                taken.add_use(connection, present, address, Use.UPSTREAM, now)
                event_log.record(connection, now, caller, "address.upstream", present, address)

        self.book.write(work)


def _in(ranges: list[Range], address: IPAddress) -> bool:
    return any(address in each for each in ranges)


def _from_a_random_point(ranges: list[Range]) -> list[Range]:
    """The same addresses, starting at a random one and going around."""
    sizes = [int(each.last) - int(each.first) + 1 for each in ranges]
    offset = secrets.randbelow(sum(sizes)) if ranges else 0
    for index, (each, size) in enumerate(zip(ranges, sizes, strict=True)):
        if offset < size:
            turned = [Range(each.first + offset, each.last), *ranges[index + 1 :], *ranges[:index]]
            return turned + ([Range(each.first, each.first + (offset - 1))] if offset else [])
        offset -= size
    return ranges
