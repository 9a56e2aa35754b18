"""What was written about a guest, what of it was given back, and how what was told is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netaddr import IPAddress
from sqlalchemy import Connection

from providers.address_book.guest_addresses import Change, Placed
from providers.address_book.releases import Parting
from providers.book.guests import Kept


@dataclass(frozen=True, slots=True)
class Written:
    """What was written about a guest: enough to tell it, to finish it, and to undo it.

    ``undo`` undoes what is neither the guest's own row nor one of its addresses.
    """

    before: Kept | None
    guest: Kept
    placed: Placed
    undo: Callable[[Connection], None] | None = None

    @property
    def untold(self) -> bool:
        """Whether something is left to be written once everybody was told."""
        return bool(self.placed.partings or self.placed.handed) or any(not row.told for row in self.guest.addresses)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The addresses that are to be told."""
        return self.placed.changes

    @property
    def partings(self) -> tuple[Parting, ...]:
        """What is to be given back."""
        return self.placed.partings


@dataclass(frozen=True, slots=True)
class Ended:
    """What was given back, and whether nobody has the address any more; ``keeper`` is the guest, if it has it still."""

    parting: Parting
    free: bool
    keeper: Kept | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """How something that was told is taken back; of an address that is to be free again, only if it is.

    ``by_the_book``: it tells what the book says by then, so it is right whatever became of the guest. ``doubt``: the
    IPAM may have taken the address, or may still do it.
    """

    work: Callable[[], None]
    address: tuple[int, IPAddress] | None = None
    by_the_book: bool = False
    doubt: bool = False
