"""The DHCP server follows when a subnet is added around hosts, leaves ``/dhcp`` or comes to it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from providers.address_book.foundation import PROGRAM
from providers.address_book.subnets import Subnets
from providers.address_book.syncing import Syncing
from providers.book import directory as shelf
from providers.errors import LeaseholdError, Unavailable
from providers.model import Caller, Subnet, SubnetSpec

log = logging.getLogger(__name__)


class SubnetServing(Subnets, Syncing):
    """Changes subnets, and has their hosts served where and whether they are to be served now.

    The book comes first: what failed with the DHCP server is told, and healed by a sync.
    """

    def add_subnet(self, spec: SubnetSpec, caller: Caller) -> Subnet:
        """As ``Subnets`` does; raises Unavailable when the hosts that moved into it are not served from there."""
        added = super().add_subnet(spec, caller)
        self._serve_anew(f"{added.network} was added", self._moved([added]), caller)
        return added

    def change_subnet(self, subnet: Subnet, spec: SubnetSpec, caller: Caller) -> Subnet:
        """As ``Subnets`` does; raises Unavailable when it leaves ``/dhcp`` or comes there, and is served as before."""
        with self.book.read() as connection:
            before = shelf.read(connection).by_id.get(subnet.id, subnet)
        changed = super().change_subnet(subnet, spec, caller)
        if changed.dhcp is not before.dhcp:
            self._serve_anew(f"{changed.network} was changed", [changed], caller)
        return changed

    def _follow(self, added: Sequence[Subnet]) -> None:
        """Upstream has new subnets: what was moved into them is served from there. A failure is healed by a sync."""
        try:
            self._serve_anew("New subnets came from upstream", self._moved(added), PROGRAM)
        except LeaseholdError as error:
            log.warning("%s", error)

    def _moved(self, added: Iterable[Subnet]) -> list[Subnet]:
        """Of new subnets those with hosts, which moved there from around them; and then what is around them."""
        with self.book.read() as connection:
            directory = shelf.read(connection)
        filled = [each for each in added if self._hosts_after(each, None)]
        around = (directory.around(each) for each in filled)
        # New places first, so that nobody is served nowhere in between.
        return list({each.id: each for each in (*filled, *around) if each is not None}.values())

    def _serve_anew(self, what: str, subnets: Iterable[Subnet], caller: Caller) -> None:
        if not self.dhcp.capabilities.publishes:
            return
        for subnet in subnets:
            try:
                failures = self.sync_subnet(subnet, caller).failures
            except LeaseholdError as error:
                failures = (str(error),)
            if failures:
                raise Unavailable(
                    f"{what}, but the DHCP server does not serve the hosts of {subnet.network} as the book says: "
                    f"{failures[0]}; see leasehold sync --plan"
                )
