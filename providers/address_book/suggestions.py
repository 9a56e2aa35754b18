"""Suggesting an address: rules 1 to 3, 8, 11 and 14 of the address book."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import partial

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import host_range, suggestible
from providers.address_book.foundation import counted, key_of_mac, may_be_suggested
from providers.address_book.steering import BEFORE_THE_HINT, Steering, from_a_random_point, in_any, starting_at
from providers.addresses import Range
from providers.book import event_log, free_space, promises, taken
from providers.book.tables import KEY_LENGTH, holds, reservations, rests
from providers.errors import Exhausted, InvalidValue, NotFound, Unavailable
from providers.model import Asker, Caller, Hold, Strategy, Subnet, Use

_COUNT_MOST = 100_000
_IPV4 = 4
_UPSTREAM_TRIES = 32
_WORTH_AN_EVENT = timedelta(minutes=1)
"""An extension that moves the end of a hold by less is written to the hold alone: some ask every few seconds."""


class Suggestions(Steering):
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
        or a lease in the range gets that address; with IPAM only one for which ``exists`` is false; with GUEST the hold
        is one for guests. ``span`` narrows the choice, else it is the pool; ``ttl`` lengthens the hold.

        Raises Exhausted when nothing is left in the range, InvalidValue for a span outside the subnet,
        SubnetNotFound when it was removed, Unavailable when the book or the IPAM does not answer.
        """
        key = self._key(asker)
        lifetime = self.lifetimes.hold if asker.key or asker.mac else self.lifetimes.hold_anonymous
        if use is Use.GUEST:
            lifetime = self.lifetimes.hold_guest
        lifetime = max(lifetime, ttl) if ttl is not None else lifetime
        if self._is_leased_from(subnet):
            self.dhcp.refresh()
        self._survey_when_due(subnet)
        near = self._begin(subnet, span)
        # Where the book is known not to know, the next ones are as likely to be taken as this one.
        patience = 1 if near is not None else BEFORE_THE_HINT
        for tried in range(1, _UPSTREAM_TRIES + 1):
            promise = partial(
                self._promise,
                subnet=subnet,
                asker=asker,
                key=key,
                lifetime=lifetime,
                caller=caller,
                span=span,
                use=use,
                near=near,
            )
            address, held = self.book.write(promise)
            try:
                record = self.ipam.record(subnet, address) if held else None
            except BaseException:
                if not (asker.key or asker.mac):
                    self._forget_hold(subnet, address, key, caller)
                raise
            if record is None:
                return address
            self._note_upstream(subnet, record, caller)
            near = self._elsewhere(subnet, tried - patience, span)
        raise Unavailable(
            f"{_UPSTREAM_TRIES} addresses of {subnet.network} that the book has as free are taken upstream: "
            "run leasehold check"
        )

    def release_hold(self, subnet: Subnet, address: IPAddress, caller: Caller, *, key: str | None = None) -> Hold:
        """End the hold on an address, which is free at once.

        Raises NotFound when there is none, or when it is not that of ``key``, which is as the hold has it.
        """

        def work(connection: Connection) -> Hold:
            now = self.clock()
            present, directory = self._enter(connection, subnet)
            hold = promises.hold_at(connection, present, address)
            if hold is None or hold.expires_at <= now:
                raise NotFound(f"{address} in {subnet.network} is not held")
            refuse_other_key(hold, key)
            promises.drop_hold(connection, present, address)
            self._give_back(connection, present, directory, address)
            event_log.record(connection, now, caller, "hold.release", present, address, key=hold.key)
            return hold

        return self.book.write(work)

    def _forget_hold(self, subnet: Subnet, address: IPAddress, key: str, caller: Caller) -> None:
        """End the hold of an asker that was told nothing, and cannot ask for it again."""

        def work(connection: Connection) -> None:
            present, directory = self._enter(connection, subnet)
            hold = promises.hold_at(connection, present, address)
            if hold is not None and hold.key == key:
                promises.drop_hold(connection, present, address)
                self._give_back(connection, present, directory, address)
                event_log.record(connection, self.clock(), caller, "hold.release", present, address, key=key)

        self.book.write(work)

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
        near: IPAddress | None = None,
    ) -> tuple[IPAddress, bool]:
        """The address, and whether it is held: the asker's own DHCP host is not. Looks at ``near`` first, and above."""
        now = self.clock()
        subnet, directory = self._enter(connection, subnet)
        ranges = suggestible(subnet, span)
        # Without a range of the caller, what it has already is right wherever it is; the pool steers only new ones.
        own = ranges if span is not None else [host_range(subnet.network)]
        self._expire(connection, subnet, directory, now)
        until = now + lifetime
        has = promises.belongings(connection, subnet, key, asker.mac)
        if has.host is not None and in_any(own, has.host) and self._may_tell(connection, subnet, has.host, use, now):
            return has.host, False
        if has.hold is not None and has.hold_until is not None:
            if in_any(own, has.hold) and may_be_suggested(subnet, directory, has.hold):
                until = max(until, has.hold_until)
                promises.extend_hold(connection, subnet, has.hold, until)
                if until - has.hold_until >= _WORTH_AN_EVENT:
                    event_log.record(connection, now, caller, "hold.extend", subnet, has.hold, key=key, mac=asker.mac)
                return has.hold, True
            promises.drop_hold(connection, subnet, has.hold)
            self._let_rest(connection, subnet, directory, has.hold, key, now)
            event_log.record(connection, now, caller, "hold.release", subnet, has.hold, key=key, mac=asker.mac)
        resting = [each for each in has.rests if in_any(own, each) and may_be_suggested(subnet, directory, each)]
        address = self._regain(connection, subnet, asker, own, resting)
        if address is None:
            address = self._choose(connection, subnet, ranges, near)
        while address is None and self._expire(connection, subnet, directory, now, at_once=True):
            address = self._choose(connection, subnet, ranges)
        if address is None:
            raise self._exhausted(connection, subnet, ranges, span)
        promises.hold(connection, Hold(subnet, address, key, asker.mac, now, until))
        event_log.record(connection, now, caller, "hold.take", subnet, address, key=key, mac=asker.mac)
        return address, True

    def _may_tell(self, connection: Connection, subnet: Subnet, address: IPAddress, use: Use, now: datetime) -> bool:
        """Whether an asker may be told the address of its own DHCP host: Foreman's IPAM only what it can still join."""
        if use is not Use.IPAM:
            return True
        found = taken.reservation(connection, subnet, address)
        return found is not None and set(found.uses) == {Use.DHCP} and now - found.changed_at <= self.lifetimes.join

    def _regain(
        self,
        connection: Connection,
        subnet: Subnet,
        asker: Asker,
        own: list[Range],
        resting: list[IPAddress],
    ) -> IPAddress | None:
        """Take what the asker had until lately, or has from the DHCP server, out of rest or of the free space."""
        if resting:
            promises.drop_rest(connection, subnet, resting[0])
            return resting[0]
        lease = self.dhcp.lease_of(subnet, asker.mac) if asker.mac and self._is_leased_from(subnet) else None
        if lease is not None and in_any(own, lease.address):
            run = free_space.run_from(connection, subnet.id, lease.address)
            if run is not None and lease.address in run:
                free_space.carve(connection, subnet.id, run, lease.address)
                return lease.address
        return None

    def _choose(
        self, connection: Connection, subnet: Subnet, ranges: list[Range], near: IPAddress | None = None
    ) -> IPAddress | None:
        """Pick a free address by the strategy of the subnet and take it out of the free space."""
        if near is not None:
            ranges = starting_at(ranges, near)
        elif subnet.strategy is Strategy.RANDOM:
            ranges = from_a_random_point(ranges)
        for each in ranges:
            address = self._first_free(connection, subnet, each)
            if address is not None:
                return address
        return None

    def _first_free(self, connection: Connection, subnet: Subnet, within: Range) -> IPAddress | None:
        start = within.first
        while run := free_space.run_from(connection, subnet.id, start):
            first, last = max(run.first, start), min(run.last, within.last)
            if first > last:
                return None
            within_run = Range(first, last)
            address = self.dhcp.first_unleased(subnet, within_run) if self._is_leased_from(subnet) else first
            if address is not None:
                free_space.carve(connection, subnet.id, run, address)
                return address
            if last == within.last:
                return None
            start = last + 1
        return None

    def _is_leased_from(self, subnet: Subnet) -> bool:
        """Whether the DHCP server may give out addresses of the subnet on its own: IPv4, and on ``/dhcp``."""
        return self.dhcp.capabilities.leases and subnet.dhcp and subnet.network.version == _IPV4

    def _exhausted(self, connection: Connection, subnet: Subnet, ranges: list[Range], span: Range | None) -> Exhausted:
        used = sum(taken.count(connection, reservations, subnet, each, most=_COUNT_MOST) for each in ranges)
        held = sum(taken.count(connection, holds, subnet, each, most=_COUNT_MOST) for each in ranges)
        where = f"{subnet.network}" if span is None else f"{span} of {subnet.network}"
        resting = sum(taken.count(connection, rests, subnet, each, most=_COUNT_MOST) for each in ranges)
        counts = counted([(used, "reserved"), (held, "held"), (resting, "resting")])
        return Exhausted(f"No free address in {where}: {counts}", used=used, held=held)


def refuse_other_key(hold: Hold, key: str | None) -> None:
    """Raise NotFound when a hold is meant that has ended, and another asker has the address now."""
    if key is not None and hold.key != key:
        raise NotFound(f"{hold.address} in {hold.subnet.network} is held for another than {key[:100]}")
