"""Looking up, making, changing and removing the rows of addresses, two calls at most in the usual case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from netaddr import AddrFormatError, IPAddress

from providers.errors import Conflict, NotFound, Unavailable, Uncertain
from providers.ipam.contract import Record
from providers.ipam.phpipam.answers import Answer, Garbled, rows_of
from providers.ipam.phpipam.api import Api
from providers.ipam.phpipam.fields import Fields
from providers.ipam.remote.client import CutOff, NoAnswer
from providers.model import Use

Row = dict[str, Any]


class Addresses:
    """The rows of addresses; ``key`` is the id of their subnet over there.

    With several ``keys`` the first one is that of the subnet, the others those of the subnets around it: when people
    make a subnet inside another, phpIPAM leaves the rows where they are.
    """

    def __init__(self, api: Api, fields: Fields) -> None:
        self._api = api
        self._fields = fields

    def record(self, keys: Sequence[str], address: IPAddress) -> Record | None:
        """What the row of an address says."""
        row = self._row(keys, address)
        return None if row is None else self._fields.record(row, address)

    def all(self, key: str, version: int) -> Iterator[Record]:
        """What all rows of a subnet say. A subnet with some ten thousands of them is too much for phpIPAM."""
        answer = self._api.call("GET", f"/subnets/{key}/addresses/")
        if answer.missing:
            return
        self._accept(answer, f"reading all addresses of subnet {key}")
        for row in rows_of(answer.data):
            address = _address(row, version)
            if address is not None:
                yield self._fields.record(row, address)

    def first_free(self, key: str, version: int) -> IPAddress | None:
        """What phpIPAM would hand out next. It knows no pool, and for IPv6 says the network address."""
        answer = self._api.call("GET", f"/subnets/{key}/first_free/")
        if not answer.success:
            return None
        return _address({"ip": answer.data}, version)

    def create(self, keys: Sequence[str], record: Record) -> None:
        """Make a row; see the contract for what is raised."""
        left = self._row(keys[1:], record.address) if keys[1:] else None
        if left is not None:
            # The unique key is that of one subnet, so phpIPAM would make a second row.
            self._claim_row(left, record)
            return
        body = {"subnetId": int(keys[0]), "ip": str(record.address)} | self._fields.new_row(record)
        try:
            self._make(keys, record, body)
        except CutOff as error:
            if self._find_out(keys, record, error):
                return
            # A kept connection that had just been closed. Should both be done, the second meets our mark.
            try:
                self._make(keys, record, body)
            except Unavailable as again:
                self._refuse_unfound(keys, record, again)
        except (NoAnswer, Garbled) as error:
            self._refuse_unfound(keys, record, error)

    def amend(self, keys: Sequence[str], record: Record) -> None:
        """Write over a row of ours, or of the Ruby proxy, which becomes ours; name a row of the same MAC."""
        row = self._row(keys, record.address)
        if row is None:
            raise NotFound(f"{record.address} is in phpIPAM no more: somebody deleted it there")
        there = self._fields.record(row, record.address)
        if there.ours or there.counts_as is Use.IPAM:
            self._change(row, record)
        elif there.mac is not None and there.mac == record.mac:
            self._change(row, record, ours=False)

    def adopt(self, keys: Sequence[str], record: Record) -> None:
        """Put our mark on a row, and leave the rest of it as it is."""
        row = self._row(keys, record.address)
        if row is None:
            raise NotFound(f"{record.address} is not in phpIPAM: there is nothing to adopt")
        self._change(row, Record(record.address))

    def delete(self, keys: Sequence[str], address: IPAddress) -> None:
        """Remove a row of ours or of the Ruby proxy."""
        row = self._row(keys, address)
        if row is None:
            return
        there = self._fields.record(row, address)
        if there.ours or there.counts_as is Use.IPAM:
            # By its id: by address it is an empty 500 where the address is in no subnet at all.
            answer = self._api.call("DELETE", f"/addresses/{_id(row)}/")
            if not answer.missing:
                self._accept(answer, str(address))

    def _row(self, keys: Sequence[str], address: IPAddress) -> Row | None:
        """The search is right in every version and costs the same at any size; ``addresses/{ip}/{subnetId}/`` is not.

        The filter takes one subnet and compares loosely, so the rows are looked at again here.
        """
        path = f"/addresses/search/{quote(str(address), safe=':')}/"
        params = {"filter_by": "subnetId", "filter_value": keys[0]} if len(keys) == 1 else None
        answer = self._api.call("GET", path, params=params)
        if answer.missing:
            return None
        self._accept(answer, str(address))
        same = (row for row in rows_of(answer.data) if _address(row, address.version) == address)
        found = {str(row.get("subnetId")): row for row in same}
        return next((found[key] for key in keys if key in found), None)

    def _make(self, keys: Sequence[str], record: Record, body: Row) -> None:
        answer = self._api.call("POST", "/addresses/", json=body)
        if answer.taken:
            self._claim(keys, record)
        else:
            self._accept(answer, str(record.address))

    def _refuse_unfound(self, keys: Sequence[str], record: Record, error: Unavailable) -> None:
        if not self._find_out(keys, record, error):
            raise Uncertain(f"{record.address} may still be taken in phpIPAM: {error}") from error

    def _find_out(self, keys: Sequence[str], record: Record, error: Unavailable) -> bool:
        """Whether a POST without an answer was done: phpIPAM goes on with a call whose caller has hung up."""
        try:
            row = self._row(keys, record.address)
        except Unavailable as again:
            raise Uncertain(f"{record.address} may have been taken in phpIPAM all the same: {error}") from again
        if row is not None:
            self._claim_row(row, record)
        return row is not None

    def _claim(self, keys: Sequence[str], record: Record) -> None:
        row = self._row(keys, record.address)
        if row is None:
            raise Conflict(f"{record.address} was taken in phpIPAM just now, and given back: try again")
        self._claim_row(row, record)

    def _claim_row(self, row: Row, record: Record) -> None:
        """A row with our mark is what a call made that nobody heard of; any other is somebody's."""
        there = self._fields.record(row, record.address)
        if not there.ours:
            who = there.name or there.mac or there.description or "somebody who left no name"
            raise Conflict(f"{record.address} is taken upstream by {who}")
        self._change(row, record)

    def _change(self, row: Row, record: Record, *, ours: bool = True) -> None:
        changes = self._fields.changes(record, row, ours=ours)
        if changes:
            # Keys of the body count for more than the path, so it has nothing but what is meant to change.
            self._accept(self._api.call("PATCH", f"/addresses/{_id(row)}/", json=changes), str(record.address))

    def _accept(self, answer: Answer, what: str) -> None:
        if not answer.success:
            raise answer.failure(self._api.where, what)


def _id(row: Row) -> int:
    return int(str(row["id"]))


def _address(row: Row, version: int) -> IPAddress | None:
    """The address of a row: dotted, or the whole number in a string, as 1.8.2 has it in all but the first row."""
    told = str(row.get("ip") or row.get("ip_addr") or "")
    try:
        if told.isascii() and told.isdigit():
            return IPAddress(int(told), version)
        return IPAddress(told, version) if told else None
    except (AddrFormatError, ValueError):
        return None
