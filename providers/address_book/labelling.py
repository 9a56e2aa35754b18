"""Owner and tag of an address, kept for clients of phpIPAM: nothing here depends on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.amending import UNSET, Unset
from providers.address_book.foundation import Foundation, innermost
from providers.address_book.texts import refuse_unfit_owner
from providers.book import event_log, labels, taken
from providers.book.labels import Label
from providers.errors import InvalidValue, NotFound
from providers.model import Caller, Reservation, Subnet

__all__ = ["Label", "Labelling"]

TAGS = range(1, 5)
"""Those of a fresh phpIPAM: Offline, Used, Reserved, DHCP."""

_AT_ONCE = 500


class Labelling(Foundation):
    """Keeps labels as long as the address is reserved."""

    def label(
        self,
        subnet: Subnet,
        address: IPAddress,
        caller: Caller,
        *,
        owner: str | Unset | None = UNSET,
        tag: int | Unset | None = UNSET,
    ) -> None:
        """Write what is given, None for nothing.

        Raises NotFound when the address is not reserved, InvalidValue for an owner or a tag that cannot be kept.
        """
        asked = {"owner": owner, "tag": tag}
        told: dict[str, Any] = {key: value for key, value in asked.items() if not isinstance(value, Unset)}
        refuse_unfit_label(told.get("owner"), told.get("tag"))

        def work(connection: Connection) -> None:
            inner, _ = self._enter_inner(connection, subnet, address)
            if taken.reservation(connection, inner, address) is None:
                raise NotFound(f"{address} in {inner.network} is not reserved")
            before = labels.label_at(connection, inner, address) or Label()
            new = {key: value for key, value in told.items() if getattr(before, key) != value}
            if new:
                labels.write(connection, inner, address, new)
                shown = {key: "" if value is None else value for key, value in new.items()}
                event_log.record(connection, self.clock(), caller, "address.label", inner, address, **shown)

        if told:
            self.book.write(work)

    def label_of(self, subnet: Subnet, address: IPAddress) -> Label:
        """What is told of an address; nothing when it is not reserved."""
        with self.book.read() as connection:
            inner = innermost(self._directories.current(connection), subnet, address)
            return labels.label_at(connection, inner, address) or Label()

    def labelled(self, reservations: Iterable[Reservation]) -> Iterator[tuple[Reservation, Label]]:
        """Reservations as they come, each with what is told of it; looked up for many of them at once."""
        rest, none = iter(reservations), Label()
        while portion := list(islice(rest, _AT_ONCE)):
            places: dict[int, list[IPAddress]] = {}
            for each in portion:
                places.setdefault(each.subnet.id, []).append(each.address)
            with self.book.read() as connection:
                found = labels.labels_at(connection, places)
            yield from ((each, found.get((each.subnet.id, each.address), none)) for each in portion)


def refuse_unfit_label(owner: str | None, tag: int | None) -> None:
    """Raise InvalidValue for an owner that is too long or has control characters, or a tag that does not exist."""
    if owner is not None:
        refuse_unfit_owner(owner)
    if tag is not None and tag not in TAGS:
        raise InvalidValue("Tag does not exist")
