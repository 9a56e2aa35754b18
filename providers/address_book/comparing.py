"""How the book and the IPAM upstream see things differently: rules 11 and 12 of the address book."""

from __future__ import annotations

from collections.abc import Iterator

from netaddr import IPAddress

from providers.address_book.queries import Queries
from providers.address_book.upstream_rows import UpstreamRows
from providers.book import upstream
from providers.book.soundness.finding import Finding
from providers.errors import Refused, Unavailable
from providers.ipam.contract import Record, our_record
from providers.model import Reservation, Subnet, Use

_COMPARED = ("name", "mac", "description", "note")


class Comparing(UpstreamRows, Queries):
    """Reads both, and changes nothing."""

    def _compared_upstream(self) -> Iterator[Finding]:
        with self.book.read() as connection:
            directory = self._directories.current(connection)
            gone = upstream.gone(connection)
        for subnet in directory.subnets:
            if subnet.id in gone:
                what = f"{subnet.network} is in {self.ipam.name} no more since {gone[subnet.id]:%Y-%m-%d %H:%M} UTC"
                advice = "Make it there again, or release what is in it: leasehold address list"
                yield Finding("upstream", what, subnet, advice=advice)
            elif self.ipam.capabilities.bulk:
                yield from self._compared_at_once(subnet)
            else:
                for each in self._reserved_in(subnet):
                    yield from self._differences(each, self.ipam.record(subnet, each.address))

    def _compared_at_once(self, subnet: Subnet) -> Iterator[Finding]:
        try:
            there = {record.address: record for record in self.ipam.records(subnet)}
        except Refused:
            raise
        except Unavailable:
            # Too much for one answer, or nobody answers: then the first of these says so.
            for each in self._reserved_in(subnet):
                if set(each.uses) != {Use.UPSTREAM}:
                    yield from self._differences(each, self.ipam.record(subnet, each.address))
            return
        known: set[IPAddress] = set()
        for each in self._reserved_in(subnet):
            known.add(each.address)
            # What the whole does not have is looked up: rows may stand in a subnet around it, or have come just now.
            yield from self._differences(each, there.get(each.address) or self.ipam.record(subnet, each.address))
        for address in sorted(set(there) - known):
            if there[address].ours and self.reservation(subnet, address) is None:
                what = f"{address} bears our mark upstream{_of(there[address])}, and nothing is reserved here"
                advice = f"leasehold address adopt {address}, or leasehold address release {address}"
                yield Finding("upstream", what, subnet, address, advice=advice)

    def _differences(self, reservation: Reservation, record: Record | None) -> Iterator[Finding]:
        subnet, address = reservation.subnet, reservation.address
        foreign = set(reservation.uses) == {Use.UPSTREAM}
        if record is None and foreign:
            what = f"{address} is reserved because upstream had it, which it has not any more"
            advice = f"nothing, it ends by itself at the next look; at once: leasehold address release {address}"
            yield Finding("upstream", what, subnet, address, advice=advice)
        elif record is None:
            what = f"{address} is reserved here, but free upstream: deleted there, or never made before a crash"
            advice = f"leasehold address adopt {address} writes it there, leasehold address release {address} ends it"
            yield Finding("upstream", what, subnet, address, advice=advice)
        elif not record.ours and not foreign and Use.UPSTREAM not in reservation.uses:
            if record.counts_as in reservation.uses:
                return
            what = f"{address} is reserved here, and upstream by {record.name or record.mac or 'somebody else'}"
            advice = f"Find out who uses it, and release the other, or leasehold address adopt {address}"
            yield Finding("upstream", what, subnet, address, advice=advice)
        elif record.ours and not foreign:
            yield from self._described_otherwise(reservation, record)

    def _described_otherwise(self, reservation: Reservation, record: Record) -> Iterator[Finding]:
        kept = self.ipam.as_kept(our_record(reservation))
        differing = [
            f"{each} {getattr(kept, each)!r} here, {getattr(record, each)!r} upstream"
            for each in _COMPARED
            if getattr(kept, each) is not None and getattr(kept, each) != getattr(record, each)
        ]
        if differing:
            what = f"{reservation.address} is described otherwise upstream: {'; '.join(differing)}"
            advice = "Correct the one that is wrong"
            yield Finding("upstream", what, reservation.subnet, reservation.address, advice=advice)


def _of(record: Record) -> str:
    who = record.name or record.mac
    return f" ({who})" if who else ""

