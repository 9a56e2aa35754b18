"""What is to come into the book from elsewhere, before anybody asked whether it fits."""

from __future__ import annotations

from dataclasses import dataclass

from netaddr import IPAddress, IPNetwork

from providers.model import DHCPHost, SubnetSpec, Use

Key = tuple[str, IPAddress, str | None]
"""Where an address is written, the address, and the MAC of its DHCP host."""


@dataclass(frozen=True, slots=True)
class IncomingSubnet:
    """A subnet, and where it is written: ``dhcpd.conf:12``."""

    spec: SubnetSpec
    origin: str


@dataclass(frozen=True, slots=True)
class IncomingAddress:
    """An address that is taken, with the DHCP host if it has one, and where that is written.

    ``group`` may be empty: then it belongs to the subnet that was added first among those that hold it. With
    ``network`` it must belong to that one. ``related_macs`` may have the same address: a bond.
    """

    address: IPAddress
    origin: str
    uses: frozenset[Use]
    group: str = ""
    network: IPNetwork | None = None
    name: str | None = None
    mac: str | None = None
    description: str | None = None
    note: str | None = None
    host: DHCPHost | None = None
    related_macs: frozenset[str] = frozenset()

    @property
    def key(self) -> Key:
        """Which of those that come in together this is."""
        return self.origin, self.address, None if self.host is None else self.host.mac


@dataclass(frozen=True, slots=True)
class Incoming:
    """Subnets and addresses, in the order in which they are to be looked at: of two that clash, the first counts."""

    subnets: tuple[IncomingSubnet, ...] = ()
    addresses: tuple[IncomingAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class Clash:
    """Something that cannot come in: where it is written, why, and where or what the other side is."""

    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do, or did. ``same_*`` are in the book already, just as they are to be."""

    new_subnets: tuple[IncomingSubnet, ...]
    same_subnets: int
    new_addresses: tuple[IncomingAddress, ...]
    same_addresses: int
    clashes: tuple[Clash, ...]

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.new_subnets or self.new_addresses)
