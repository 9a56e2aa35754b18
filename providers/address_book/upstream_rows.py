"""What the book knows of the rows of others upstream: rules 11 and 12 of the address book.

The rows of others are reservations with the use ``upstream``. They only steer: what is handed out was looked up just
before. They begin when a look-up or a survey meets such a row, and end when one finds that it is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import usable
from providers.address_book.aside import never
from providers.address_book.foundation import PROGRAM, Foundation, innermost
from providers.address_book.upstream_records import left_by_a_guest, record_of
from providers.addresses import Range
from providers.book import bulk, event_log, free_space, promises, taken, upstream
from providers.errors import Conflict, LeaseholdError, SubnetNotFound
from providers.ipam.contract import Record
from providers.model import Caller, Reservation, Subnet, Use

log = logging.getLogger(__name__)

T = TypeVar("T")

_AT_ONCE = 500
_DOUBTS_AT_ONCE = 50
_MAY_STILL_HAPPEN = timedelta(minutes=10)
"""How long a call may be under way whose caller has hung up."""


class UpstreamRows(Foundation):
    """Notes the rows of others, and forgets those that are gone."""

    def survey(self, subnet: Subnet) -> tuple[int, int]:
        """Compare a whole subnet with upstream; returns how many rows of others are new, and how many are gone.

        The book is written to in portions, so that nobody waits long. Raises Unavailable when upstream cannot say.
        """
        began = self.clock()
        there = {record.address: record for record in self.ipam.records(subnet)}
        new = sorted((each for each in there.values() if not each.ours), key=lambda record: record.address)
        noted = ended = 0
        for records in _portions(new):
            noted += self.book.write(self._noting(subnet, records))
        stale = self._stale(subnet, there, began)
        with self.book.read() as connection:
            nested = self._directories.current(connection).around(subnet) is not None
        if nested:
            # Their rows may stand in the subnet around this one.
            stale = [address for address in stale if self.ipam.record(subnet, address) is None]
        for addresses in _portions(stale):
            ended += self.book.write(self._ending(subnet, addresses, began))
        return noted, ended

    def settle_doubts(self) -> None:
        """Remove the rows upstream that were made for us after we had given up on them."""
        with self.book.read() as connection:
            directory = self._directories.current(connection)
            open_ones, gone = upstream.doubts(connection, _DOUBTS_AT_ONCE), upstream.gone(connection)
        for each in open_ones:
            subnet = directory.by_id.get(each.subnet_id)
            if subnet is not None:
                try:
                    self._settle_doubt(subnet, each.address, each.since, gone=subnet.id in gone)
                except LeaseholdError as error:
                    log.warning("%s: whether it is taken upstream is still not known: %s", each.address, error)
                    return

    def _survey_when_due(self, subnet: Subnet) -> None:
        """Have the subnet surveyed aside, if this is the process to do it and the time for it."""
        # A program that does one thing and ends would take the turn and do nothing with it.
        if not self.ipam.capabilities.bulk or self.aside is never:
            return
        now, every = self.clock(), self.ipam.survey_every
        due = self._surveys.get(subnet.id)
        if due is not None and now < due <= now + every:
            return
        self._surveys[subnet.id] = now + every
        name = f"survey:{subnet.id}"
        if self.book.write(lambda connection: upstream.take_turn(connection, name, now, every)):
            self.aside(lambda: self._survey_quietly(subnet))

    def _survey_quietly(self, subnet: Subnet) -> None:
        try:
            noted, ended = self.survey(subnet)
        except SubnetNotFound:
            return
        except LeaseholdError as error:
            # It would only have steered; what is handed out is looked up one by one.
            log.warning("the addresses of %s could not be read as a whole: %s", subnet.network, error)
            return
        if noted or ended:
            log.info("%s: %d rows of others are new upstream, %d are gone", subnet.network, noted, ended)

    def _note_upstream(self, subnet: Subnet, record: Record, caller: Caller) -> None:
        """Turn the hold on an address that someone else made upstream into a reservation that says so (rule 12)."""

        def work(connection: Connection) -> None:
            now, address = self.clock(), record.address
            present, _ = self._enter_inner(connection, subnet, address)
            promises.drop_hold(connection, present, address)
            if taken.reservation(connection, present, address) is None:
                promises.drop_rest(connection, present, address)
                free_space.take(connection, present.id, address)
                described = {key: getattr(record, key) for key in ("name", "mac", "description", "note")}
                taken.add(connection, present, address, now, **described)
                taken.add_use(connection, present, address, record.counts_as, now)
                shown = {"name": record.name, "mac": record.mac}
                event_log.record(connection, now, caller, "address.upstream", present, address, **shown)

        self.book.write(work)

    def _is_foreign(self, subnet: Subnet, address: IPAddress) -> bool:
        """Whether upstream has an address, as the book has it as a row of others and nothing else.

        Asks upstream; a row that is gone, or that turns out to be ours, ends here.
        """
        record = self.ipam.record(subnet, address)
        if record is not None and not record.ours:
            return True
        self.book.write(self._ending(subnet, [address], None))
        return record is not None

    def _only_upstream(self, subnet: Subnet, address: IPAddress) -> Subnet | None:
        """The subnet that has ``address`` as a row of others and nothing else; None when it has more or nothing."""
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
            there = taken.reservation(connection, inner, address)
        return inner if there is not None and set(there.uses) == {Use.UPSTREAM} else None

    def _noting(self, subnet: Subnet, records: Sequence[Record]) -> Callable[[Connection], int]:
        def work(connection: Connection) -> int:
            now = self.clock()
            present, directory = self._enter(connection, subnet)
            within = Range(records[0].address, records[-1].address)
            busy = set(taken.addresses(connection, present, within))
            fresh = [
                each
                for each in records
                if each.address not in busy
                and usable(present, each.address)
                and innermost(directory, present, each.address).id == present.id
            ]
            if not fresh:
                return 0
            bulk.add(connection, present, [_arrival(each) for each in fresh], now)
            for run in _runs(each.address for each in fresh):
                free_space.take_run(connection, present.id, run)
            event_log.record(connection, now, PROGRAM, "upstream.noted", present, count=len(fresh))
            return len(fresh)

        return work

    def _ending(
        self, subnet: Subnet, addresses: Sequence[IPAddress], before: datetime | None
    ) -> Callable[[Connection], int]:
        """End ``upstream`` uses that stand alone, those only that began before a moment if one is given."""

        def work(connection: Connection) -> int:
            now, ended = self.clock(), 0
            present, directory = self._enter(connection, subnet)
            for address in addresses:
                there = taken.reservation(connection, present, address)
                if there is None or set(there.uses) != {Use.UPSTREAM}:
                    continue
                if before is None or there.uses[Use.UPSTREAM] < before:
                    taken.remove(connection, present, address)
                    self._give_back(connection, present, directory, address)
                    ended += 1
            if ended:
                event_log.record(connection, now, PROGRAM, "upstream.ended", present, addresses[0], count=ended)
            return ended

        return work

    def _stale(self, subnet: Subnet, there: dict[IPAddress, Record], began: datetime) -> list[IPAddress]:
        return [
            each.address
            for each in self._reserved_in(subnet)
            if each.address not in there and set(each.uses) == {Use.UPSTREAM} and each.uses[Use.UPSTREAM] < began
        ]

    def _assure(self, subnet: Subnet, known: Reservation) -> None:
        """Let upstream have what somebody is told to have: whoever reserved it may have been killed before that.

        Raises Conflict when upstream has it as somebody else's.
        """
        if not self.ipam.capabilities.remote:
            return
        try:
            record = self.ipam.record(subnet, known.address)
        except LeaseholdError as error:
            log.warning("%s: whether the IPAM has it too is not known: %s", known.address, error)
            return
        if record is None:
            self._create_upstream(subnet, known)
        elif _is_of_others(record, known):
            raise Conflict(f"{known.address} is taken upstream by {record.name or record.mac or 'somebody else'}")

    def _delete_upstream(self, subnet: Subnet, address: IPAddress) -> None:
        """Delete upstream what nobody has here. Whoever reserved it just before that has it upstream afterwards."""
        self.ipam.delete(subnet, address)
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
            there = taken.reservation(connection, inner, address)
        if there is not None and set(there.uses) != {Use.UPSTREAM}:
            self._create_upstream(inner, there)

    def _create_upstream(self, subnet: Subnet, reservation: Reservation) -> None:
        with self.book.read() as connection:
            record = record_of(connection, reservation)
        self.ipam.create(subnet, record)
        self._delete_if_free(subnet, reservation.address)

    def _delete_if_free(self, subnet: Subnet, address: IPAddress) -> None:
        """After an address was taken upstream once more: whoever gave it back meanwhile found nothing to delete."""
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
            free = taken.reservation(connection, inner, address) is None
        if free:
            self._delete_upstream(inner, address)

    def _tell_that_a_guest_left(self, subnet: Subnet, address: IPAddress) -> None:
        """Let the row of an address that somebody has still say whose it is now; one that fails is only old."""
        if not self.ipam.capabilities.remote:
            return
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
            there = taken.reservation(connection, inner, address)
            record = None if there is None else left_by_a_guest(record_of(connection, there))
        if record is not None:
            try:
                self.ipam.amend(inner, record)
            except LeaseholdError as error:
                log.warning("%s: that a guest left it could not be written to the IPAM: %s", address, error)

    def _settle_doubt(self, subnet: Subnet, address: IPAddress, since: datetime, *, gone: bool) -> None:
        record = None if gone else self.ipam.record(subnet, address)
        with self.book.read() as connection:
            there = taken.reservation(connection, subnet, address)
        nobodys = there is None or set(there.uses) == {Use.UPSTREAM}
        if record is not None and record.ours and nobodys:
            self._delete_upstream(subnet, address)
            self.book.write(self._ending(subnet, [address], None))
        elif record is None and nobodys and self.clock() - since < _MAY_STILL_HAPPEN:
            return
        self.book.write(lambda connection: upstream.drop_doubt(connection, subnet, address))


def _is_of_others(record: Record, known: Reservation) -> bool:
    """Whether a row upstream stands for something else than what the book knows of its address (rule 12)."""
    same_mac = record.mac is not None and record.mac == known.mac
    return not (record.ours or same_mac or {Use.UPSTREAM, record.counts_as} & set(known.uses))


def _arrival(record: Record) -> bulk.Arrival:
    described = (record.name, record.mac, record.description, record.note)
    return bulk.Arrival(record.address, *described, frozenset({record.counts_as}), ())


def _portions(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while portion := list(islice(rest, _AT_ONCE)):
        yield portion


def _runs(addresses: Iterable[IPAddress]) -> Iterator[Range]:
    """Addresses that come in order, as runs without gaps."""
    first = last = None
    for address in addresses:
        if first is None or last is None:
            first = last = address
        elif int(address) == int(last) + 1:
            last = address
        else:
            yield Range(first, last)
            first = last = address
    if first is not None and last is not None:
        yield Range(first, last)
