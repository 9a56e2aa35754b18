"""The address book: the rules, written once.

Every face and command calls the methods of :class:`AddressBook` and holds no rule of its own. The parts:

====================  ====================================================================
``subnets``           groups and subnets, nesting, what belongs to ``/dhcp``
``suggestions``       the next free address, held
``reservations``      taking an address; ``joining`` says who may share one
``releases``          giving it back
``importing``         many of them at once: ``incoming`` as ``import_plan`` lets them in
``checking``          whether the book is sound, and mending it
``queries``           looking things up
``allocatable``       which addresses may be handed out at all: arithmetic
``foundation``        what they all stand on: book, providers, clock, expiry
====================  ====================================================================
"""

from __future__ import annotations

from providers.address_book.checking import Checking
from providers.address_book.foundation import Lifetimes
from providers.address_book.importing import Imports
from providers.address_book.queries import Queries
from providers.address_book.releases import Releases
from providers.address_book.reservations import Reservations
from providers.address_book.subnets import Subnets, subnet_spec
from providers.address_book.suggestions import Suggestions
from providers.model import Caller, Subnet

__all__ = ["AddressBook", "Lifetimes", "subnet_spec"]


class AddressBook(Checking, Imports, Subnets, Suggestions, Reservations, Releases, Queries):
    """Suggest, reserve, release, list: the few methods behind every face."""

    def close(self) -> None:
        """Let go of the database."""
        self.book.close()

    def _empty(self, subnet: Subnet, caller: Caller) -> None:
        for reservation in self.reservations(subnet):
            if reservation.subnet.id == subnet.id:
                self.release(subnet, caller, address=reservation.address)
