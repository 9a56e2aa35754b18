"""The book itself is the truth: no IPAM beside it."""

from __future__ import annotations

from typing import ClassVar

from netaddr import IPAddress

from providers.ipam.contract import IPAMCapabilities, IPAMProvider, Record
from providers.model import Subnet


class LocalIPAM(IPAMProvider):
    """Groups, subnets and addresses live in the book alone.

    The address book's own transaction has the last word about an address, so nothing is left to do here: there is
    nobody else to ask or to tell.
    """

    name: ClassVar[str] = "externalipam_local"
    capabilities: ClassVar[IPAMCapabilities] = IPAMCapabilities(remote=False, edits_subnets=True)

    def record(self, subnet: Subnet, address: IPAddress) -> Record | None:
        """Nobody knows more than the book."""
        return None

    def create(self, subnet: Subnet, record: Record) -> None:
        """Done already, by the book's unique key."""

    def amend(self, subnet: Subnet, record: Record) -> None:
        """Done already, in the book."""

    def delete(self, subnet: Subnet, address: IPAddress) -> None:
        """Done by the book, right after this."""
