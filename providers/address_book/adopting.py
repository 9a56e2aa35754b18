"""Adopting an address that someone else made in the IPAM: rule 12 of the address book."""

from __future__ import annotations

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.foundation import Foundation
from providers.book import event_log, taken
from providers.errors import Conflict, NotFound
from providers.ipam.contract import our_record
from providers.model import Caller, Reservation, Subnet, Use


class Adoptions(Foundation):
    """Makes foreign rows ours."""

    def adopt(self, subnet: Subnet, address: IPAddress, caller: Caller) -> Reservation:
        """Let an address that someone else made upstream be a reservation by hand, which may be changed and released.

        Raises NotFound when nobody has the address, Conflict when it is ours already, Unavailable when the IPAM fails:
        the same call can be repeated then.
        """

        def work(connection: Connection) -> Reservation:
            now = self.clock()
            inner, _ = self._enter_inner(connection, subnet, address)
            there = taken.reservation(connection, inner, address)
            if there is None:
                raise NotFound(f"{address} in {inner.network} is not reserved: there is nothing to adopt")
            if Use.UPSTREAM not in there.uses:
                raise Conflict(f"{address} in {inner.network} is ours already ({', '.join(sorted(there.uses))})")
            if Use.MANUAL not in there.uses:
                taken.add_use(connection, inner, address, Use.MANUAL, now)
            taken.remove_use(connection, inner, address, Use.UPSTREAM, now)
            event_log.record(connection, now, caller, "address.adopt", inner, address, name=there.name, mac=there.mac)
            after = taken.reservation(connection, inner, address)
            if after is None:
                raise AssertionError(f"{address} was written just now")
            return after

        adopted = self.book.write(work)
        self.ipam.amend(adopted.subnet, our_record(adopted))
        return adopted
