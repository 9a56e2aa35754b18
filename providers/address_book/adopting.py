"""Making the row of somebody else upstream ours: rule 12 of the address book."""

from __future__ import annotations

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.allocatable import refuse_unusable
from providers.address_book.foundation import innermost
from providers.address_book.upstream_records import record_of
from providers.address_book.upstream_rows import UpstreamRows
from providers.book import event_log, free_space, promises, taken, upstream
from providers.errors import NotFound
from providers.ipam.contract import Record
from providers.model import Caller, Reservation, Subnet, Use


class Adopting(UpstreamRows):
    """Takes over rows that others made, because an operator says so."""

    def adopt(self, subnet: Subnet, address: IPAddress, caller: Caller) -> Reservation:
        """Let the row that upstream has for ``address`` be ours; returns the reservation that it is from now on.

        It keeps its name, MAC, description and note. Where it was known as a row of others, the use ``manual`` takes
        the place of ``upstream``. What is ours already stays as it is. A reservation of ours whose row is missing
        upstream gets it again.

        Where the book itself keeps the addresses, a row of others is one of an IPAM that was the truth before.

        Raises NotFound when nobody has such a row, InvalidValue for an address that nobody may have, Unavailable when
        upstream does not answer.
        """
        refuse_unusable(subnet, address)
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
        if not self.ipam.capabilities.remote:
            return self.book.write(lambda connection: self._adopt_here(connection, inner, address, caller))
        record = self.ipam.record(inner, address)
        if record is None:
            with self.book.read() as connection:
                there = taken.reservation(connection, inner, address)
                lacking = None if there is None else record_of(connection, there)
            if there is not None and lacking is not None and set(there.uses) != {Use.UPSTREAM}:
                self.ipam.create(inner, lacking)
                return there
            raise NotFound(f"{address} is free in {self.ipam.name}: there is nothing to adopt; reserve it instead")
        if not record.ours:
            self.ipam.adopt(inner, record)
        return self.book.write(lambda connection: self._adopt(connection, inner, record, caller))

    def _adopt_here(self, connection: Connection, subnet: Subnet, address: IPAddress, caller: Caller) -> Reservation:
        there = taken.reservation(connection, subnet, address)
        if there is None:
            raise NotFound(f"{address} in {subnet.network} is not reserved: there is nothing to adopt")
        if Use.UPSTREAM not in there.uses:
            return there
        described = (there.name, there.mac, there.description, there.note)
        return self._adopt(connection, subnet, Record(address, *described), caller)

    def _adopt(self, connection: Connection, subnet: Subnet, record: Record, caller: Caller) -> Reservation:
        now, address = self.clock(), record.address
        subnet, _ = self._enter_inner(connection, subnet, address)
        refuse_unusable(subnet, address)
        there = taken.reservation(connection, subnet, address)
        uses = set(there.uses) if there is not None else set()
        if there is None:
            promises.drop_hold(connection, subnet, address)
            promises.drop_rest(connection, subnet, address)
            free_space.take(connection, subnet.id, address)
            described = {key: getattr(record, key) for key in ("name", "mac", "description", "note")}
            taken.add(connection, subnet, address, now, **described)
        if Use.UPSTREAM in uses:
            taken.remove_use(connection, subnet, address, Use.UPSTREAM, now)
        if not uses - {Use.UPSTREAM}:
            use = Use.MANUAL if record.counts_as is Use.UPSTREAM else record.counts_as
            taken.add_use(connection, subnet, address, use, now)
        upstream.drop_doubt(connection, subnet, address)
        shown = {"name": record.name, "mac": record.mac}
        event_log.record(connection, now, caller, "address.adopt", subnet, address, **shown)
        adopted = taken.reservation(connection, subnet, address)
        if adopted is None:
            raise AssertionError(f"{address} was written just now")
        return adopted
