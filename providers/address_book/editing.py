"""Who may change groups and subnets: an IPAM upstream may keep them to itself."""

from __future__ import annotations

from providers.address_book.foundation import Foundation
from providers.book import upstream
from providers.errors import Forbidden
from providers.model import Subnet, SubnetSpec


class Editing(Foundation):
    """Refuses with Forbidden what has to be done upstream."""

    def _refuse_editing(self, what: str) -> None:
        if not self.ipam.capabilities.edits_subnets:
            raise Forbidden(f"{what}: groups and subnets are kept in {self.ipam.name}; make and change them there")

    def _refuse_change(self, before: SubnetSpec, after: SubnetSpec) -> None:
        """Pool, dynamic range, exclusions and whatever else upstream has no place for may change here."""
        if self._kept_upstream(before) != self._kept_upstream(after):
            self._refuse_editing(str(before.network))

    def _refuse_removal(self, subnet: Subnet) -> None:
        """What upstream has no more may go here too."""
        with self.book.read(snapshot=False) as connection:
            there = upstream.key_of(connection, subnet) is not None
        if there:
            self._refuse_editing(str(subnet.network))

    def _kept_upstream(self, spec: SubnetSpec) -> tuple[object, ...]:
        if self.ipam.capabilities.edits_subnets:
            return ()
        return spec.description, *(getattr(spec.options, name) for name in sorted(self.ipam.pictured_options))
