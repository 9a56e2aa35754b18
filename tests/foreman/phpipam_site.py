"""The same site with its truth in phpIPAM: sections and subnets are made there, and rows are looked at there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from netaddr import IPAddress, IPNetwork

from providers.book.database import Book
from providers.clock import Clock
from providers.ipam.contract import Record
from providers.ipam.phpipam.provider import PhpIPAM
from providers.ipam.phpipam.settings import PhpIPAMSchema
from providers.model import Subnet, SubnetSpec
from tests.foreman.site import GROUP, OPERATOR, Failing, Site
from tests.phpipam import Double


class WatchedPhpIPAM(Failing, PhpIPAM):
    """phpIPAM, which may fail, and whose rows are there to be looked at."""

    def __init__(self, book: Book, double: Double, url: str, clock: Clock) -> None:
        given = {"url": url, "user": "leasehold", "password": "leasehold-pass", "option_domain": "custom_domain"}
        Failing.__init__(self, book, PhpIPAMSchema().load(given))
        self._api._credential._clock = clock
        self.double = double

    @property
    def rows(self) -> dict[str, Record]:
        """The rows that are not gateways."""
        fields = self._parts.fields
        return {
            row["ip"]: fields.record(row, IPAddress(row["ip"])) for row in self.double.rows() if not row["is_gateway"]
        }

    def create(self, subnet: Subnet, record: Record) -> None:
        """Make a row."""
        self._work("create")
        super().create(subnet, record)

    def amend(self, subnet: Subnet, record: Record) -> None:
        """Write a row again."""
        self._work("amend")
        super().amend(subnet, record)

    def delete(self, subnet: Subnet, address: IPAddress) -> None:
        """Remove a row."""
        self._work("delete")
        super().delete(subnet, address)


@dataclass
class PhpIPAMSite(Site):
    """Its subnets are made in phpIPAM; what that does not know is set in the book."""

    upstream: WatchedPhpIPAM  # type: ignore[assignment]

    def furnish(self) -> None:
        """Make the subnets there, have one look, and set the rest here."""
        super().furnish()
        self.book.subnets()
        for spec in self._specs:
            there = self.book.subnet(spec.network, GROUP)
            self.book.change_subnet(there, replace(spec, options=there.options), OPERATOR)

    def __post_init__(self) -> None:
        self._specs: list[SubnetSpec] = []

    def _add(self, cidr: str, **more: Any) -> None:
        spec = SubnetSpec(IPNetwork(cidr), GROUP, **more)
        self.upstream.double.add_subnet(
            cidr,
            GROUP,
            gateway=None if spec.options.gateway is None else str(spec.options.gateway),
            nameservers=";".join(map(str, spec.options.dns)) or None,
            custom_domain=spec.options.domain,
        )
        self._specs.append(spec)
