"""A site: the faces on a book of their own, between a DHCP server and an IPAM that keep notes and can fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import pytest
from flask import Flask
from netaddr import IPAddress, IPNetwork
from sqlalchemy import select

from providers.address_book import AddressBook
from providers.addresses import Range
from providers.book.database import Book
from providers.book.tables import rests
from providers.dhcp.contract import DHCPCapabilities, DHCPProvider, Health
from providers.errors import Unavailable
from providers.ipam.contract import IPAMCapabilities, IPAMProvider, Record
from providers.model import Caller, DHCPHost, Lease, Options, Subnet, SubnetSpec, Use
from tests.foreman.orchestration import ForemanSubnet, Interface
from tests.providers.soundness import assert_sound, dump

GROUP = "Lab two & co"
OPERATOR = Caller("operator")


class Failing:
    """What may fail: ``fails`` holds the calls that do not work."""

    def __init__(self, book: Book, settings: Mapping[str, Any]) -> None:
        super().__init__(book, settings)  # type: ignore[call-arg]
        self.fails: set[str] = set()
        self._once: list[str] = []

    def fail_once(self, what: str) -> None:
        """Let the next such call fail, and no other."""
        self._once.append(what)

    def _work(self, what: str) -> None:
        if what in self._once:
            self._once.remove(what)
        elif what not in self.fails:
            return
        raise Unavailable(f"{what}: no answer")


class NotingServer(Failing, DHCPProvider):
    """A DHCP server that serves what it is told to."""

    name: ClassVar[str] = "noting"
    capabilities: ClassVar[DHCPCapabilities] = DHCPCapabilities(publishes=True, leases=True)

    def __init__(self, book: Book) -> None:
        super().__init__(book, {})
        self.hosts: dict[str, DHCPHost] = {}
        self.given_out: list[Lease] = []

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve."""
        self._work("publish")
        self.hosts[host.mac] = host

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Serve no longer."""
        self._work("withdraw")
        self.hosts.pop(host.mac, None)

    def served(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """Those of the subnet."""
        return (host for host in self.hosts.values() if host.address in subnet.network)

    def health(self) -> Health:
        """Well, or not."""
        return Health(not self.fails, "a double")

    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """Those of the subnet."""
        return (lease for lease in self.given_out if lease.address in subnet.network)

    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """That of the address."""
        return next((lease for lease in self.leases(subnet) if lease.address == address), None)

    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """That of the MAC."""
        return next((lease for lease in self.leases(subnet) if lease.mac == mac), None)


class NotingIPAM(Failing, IPAMProvider):
    """An IPAM elsewhere that takes what it is told."""

    name: ClassVar[str] = "noting"
    capabilities: ClassVar[IPAMCapabilities] = IPAMCapabilities(remote=True, edits_subnets=True)

    def __init__(self, book: Book) -> None:
        super().__init__(book, {})
        self.rows: dict[str, Record] = {}

    def record(self, subnet: Subnet, address: IPAddress) -> Record | None:
        """The row of an address."""
        return self.rows.get(str(address))

    def create(self, subnet: Subnet, record: Record) -> None:
        """Write a row."""
        self._work("create")
        self.rows[str(record.address)] = record

    def amend(self, subnet: Subnet, record: Record) -> None:
        """Write a row again."""
        self._work("amend")
        self.rows[str(record.address)] = record

    def delete(self, subnet: Subnet, address: IPAddress) -> None:
        """Remove a row."""
        self._work("delete")
        self.rows.pop(str(address), None)


@dataclass(frozen=True)
class Mode:
    """Which faces a subnet is used through, and which of them comes first."""

    name: str
    dhcp: bool = False
    ipam: bool = False
    ipam_first: bool = False

    @property
    def both(self) -> bool:
        """Whether a host has both uses."""
        return self.dhcp and self.ipam

    @property
    def uses(self) -> set[str]:
        """What a host of Foreman's takes its address for."""
        return {use for use, there in (("dhcp", self.dhcp), ("ipam", self.ipam)) if there}


DHCP_ONLY = Mode("dhcp", dhcp=True)
IPAM_ONLY = Mode("ipam", ipam=True)
DHCP_THEN_IPAM = Mode("dhcp-then-ipam", dhcp=True, ipam=True)
IPAM_THEN_DHCP = Mode("ipam-then-dhcp", dhcp=True, ipam=True, ipam_first=True)
MODES = (DHCP_ONLY, IPAM_ONLY, DHCP_THEN_IPAM, IPAM_THEN_DHCP)
ON_DHCP = (DHCP_ONLY, DHCP_THEN_IPAM, IPAM_THEN_DHCP)
IN_IPAM = (IPAM_ONLY, DHCP_THEN_IPAM, IPAM_THEN_DHCP)
BOTH = (DHCP_THEN_IPAM, IPAM_THEN_DHCP)

WEB = "52:54:00:00:00:01"
MAIL = "52:54:00:00:00:02"
SPARE = "52:54:00:00:00:03"

Form = TypeVar("Form", Interface, ForemanSubnet)

Taken = Mapping[str, tuple[set[str], Mapping[str, str]]]
"""Address: uses, and the names of its DHCP hosts by MAC."""


@dataclass
class Site:
    """Everything behind the wire, and the subnets as Foreman has them in the current mode."""

    app: Flask
    book: AddressBook
    server: NotingServer
    upstream: NotingIPAM
    mode: Mode

    lab: ClassVar[str] = "10.0.1.0/27"
    annex: ClassVar[str] = "10.0.2.0/28"
    six: ClassVar[str] = "2001:db8:1::/124"

    def furnish(self) -> None:
        """Make the subnets."""
        self._add(
            self.lab,
            dynamic=Range.parse("10.0.1.20-10.0.1.25"),
            options=Options(
                gateway=IPAddress("10.0.1.1"),
                dns=(IPAddress("10.0.1.2"), IPAddress("192.0.2.53")),
                domain="example.com",
            ),
        )
        self._add(self.annex)
        self._add(self.six)

    def seed_ipam(self, *addresses: str) -> None:
        """Let somebody else have addresses in External IPAM."""
        for address in map(IPAddress, addresses):
            self.book.reserve(self.book.subnet_of(address), address, Use.IPAM, OPERATOR)

    def subnet(self, cidr: str) -> ForemanSubnet:
        """A subnet in Foreman; IPv6 is never on ``/dhcp``."""
        network = IPNetwork(cidr)
        return ForemanSubnet(network, self.mode.dhcp and network.version == 4, self.mode.ipam, GROUP)

    def interface(self, name: str, mac: str | None, **more: Any) -> Interface:
        """The form of a host in the lab, its address still blank."""
        return Interface(name, mac, **{"subnet": self.subnet(self.lab), **more})

    def of(self, *interfaces: Interface) -> dict[str, tuple[set[str], dict[str, str]]]:
        """What the book is to have for these hosts and no others."""
        expected = {}
        for each in interfaces:
            if each.ip and each.subnet:
                hosts = {record.mac: record.name for record in each.records()}
                expected[each.ip] = (({"ipam"} if each.subnet.ipam else set()) | ({"dhcp"} if hosts else set()), hosts)
            if each.ip6 and each.subnet6:
                expected[each.ip6] = ({"ipam"}, {})
        return expected

    def check(
        self,
        taken: Taken | None = None,
        *,
        held: Mapping[str, str | None] | None = None,
        resting: Mapping[str, str | None] | None = None,
    ) -> None:
        """Assert that the book has exactly this, that all tables agree, and that both servers do.

        ``held`` and ``resting`` are addresses with the MAC that they wait for.
        """
        assert self.taken() == (taken or {})
        assert self.holders() == (held or {})
        assert self.resting() == (resting or {})
        hosts = {host.mac: str(host.address) for each in self.book.reservations() for host in each.hosts}
        assert {mac: str(host.address) for mac, host in self.server.hosts.items()} == hosts, "served is not booked"
        assert self.upstream.rows.keys() == self.taken().keys(), "the IPAM has not what is booked"
        assert_sound(self.book.book)

    def mac_known(self, mac: str) -> str | None:
        """The MAC behind an address that was typed in by hand: External IPAM alone is never told."""
        return mac if self.mode.dhcp else None

    def holders(self) -> dict[str, str | None]:
        """Held addresses with the MAC that they are held for."""
        return {str(hold.address): hold.mac for hold in self.book.holds()}

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is in the book, but for when it is to look upstream again."""
        return dump(self.book.book, without=("upstream_turns",))

    def taken(self) -> dict[str, tuple[set[str], dict[str, str]]]:
        """Reserved addresses with their uses and DHCP hosts."""
        return {
            str(each.address): ({use.value for use in each.uses}, {host.mac: host.name for host in each.hosts})
            for each in self.book.reservations()
        }

    def resting(self) -> dict[str, str | None]:
        """Resting addresses with the MAC that they wait for."""
        with self.book.book.read() as connection:
            rows = connection.execute(select(rests).where(rests.c.expires_at > self.book.clock())).all()
        return {str(row.address): row.key and row.key.removeprefix("mac:") for row in rows}

    def _add(self, cidr: str, **more: Any) -> None:
        self.book.add_subnet(SubnetSpec(IPNetwork(cidr), GROUP, **more), OPERATOR)


def modes(*chosen: Mode) -> pytest.MarkDecorator:
    """For a test that makes sense in some modes only."""
    return pytest.mark.parametrize("mode", chosen, ids=lambda mode: mode.name, indirect=True)


def changed(form: Form, **changes: Any) -> Form:
    """The form of a host or a subnet with other values."""
    return replace(form, **changes)
