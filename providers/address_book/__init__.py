"""The address book: the rules, written once.

Every face and command calls the methods of :class:`AddressBook` and holds no rule of its own. The parts:

====================  ====================================================================
``subnets``           groups and subnets, nesting; ``subnet_conflicts``: what belongs to ``/dhcp``
``mirroring``         groups and subnets that are made upstream: ``pictured`` brings them in, ``editing`` refuses
``upstream_rows``     what others have taken upstream; ``adopting`` one of their rows, ``comparing`` all
``upstream_records``  what upstream is told of an address of ours
``suggestions``       the next free address, held; ``steering`` says where to look, ``choosing`` takes it out of what
                      is free, ``allocating`` reserves it at once, ``holding`` takes several, and keeps them longer
``reservations``      taking an address; ``joining`` says who may share one, ``undoing`` takes it back
``releases``          giving it back
``amending``          changing what is told about it
``labelling``         owner and tag, for phpIPAM's clients
``serving``           what a caller's few words mean: a range, a DHCP host
``search``            finding reservations and holds, a page at a time
``publishing``        telling the DHCP server, one host at a time
``syncing``           book and DHCP server compared, and brought together
``subnet_serving``    the DHCP server follows what becomes of subnets
``importing``         many of them at once: ``incoming`` as ``import_plan`` lets them in
``guests``            jails and virtual machines, as their nodes report them; its parts are called ``guest_...``
``claims``            which node may run a guest
``checking``          whether the book is sound, and mending it
``forgetting``        letting go of old events
``queries``           looking things up
``allocatable``       which addresses may be handed out at all: arithmetic
``foundation``        what they all stand on: book, providers, clock, expiry; ``aside``: what no request waits for
``texts``             what names, notes and boot options may look like
====================  ====================================================================
"""

from __future__ import annotations

from providers.address_book.adopting import Adopting
from providers.address_book.allocating import Allocating
from providers.address_book.amending import Amendments
from providers.address_book.checking import Checking
from providers.address_book.claims import Claims
from providers.address_book.forgetting import Forgetting
from providers.address_book.foundation import Lifetimes
from providers.address_book.guests import Guests
from providers.address_book.holding import Holding
from providers.address_book.importing import Imports
from providers.address_book.labelling import Labelling
from providers.address_book.mirroring import Mirroring
from providers.address_book.queries import Queries
from providers.address_book.search import Search
from providers.address_book.subnet_serving import SubnetServing
from providers.address_book.subnets import subnet_spec
from providers.model import Caller, Subnet

__all__ = ["AddressBook", "Lifetimes", "subnet_spec"]


class AddressBook(
    Mirroring,
    Checking,
    Imports,
    Guests,
    Claims,
    Holding,
    Amendments,
    Labelling,
    Adopting,
    Allocating,
    SubnetServing,
    Forgetting,
    Search,
    Queries,
):
    """Suggest, reserve, release, list: the few methods behind every face."""

    def close(self) -> None:
        """Let go of the DHCP server and the database."""
        self.dhcp.close()
        self.book.close()

    def _empty(self, subnet: Subnet, caller: Caller) -> None:
        own = (each for each in self.reservations(subnet) if each.subnet.id == subnet.id)
        self._release_all(subnet, own, caller)
