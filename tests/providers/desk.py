"""An address book with short words: tests ask and reserve with text and get text back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook
from providers.addresses import Range
from providers.book.database import Book
from providers.model import Asker, Caller, DHCPHost, Hold, Options, Reservation, Strategy, Subnet, SubnetSpec, Use
from tests.conftest import HandClock

CALLER = Caller("test", "request-1")


def mac(number: int) -> str:
    """The MAC of machine ``number``."""
    return f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"


def host(number: int, *, name: str | None = None, filename: str | None = None) -> DHCPHost:
    """The DHCP host of machine ``number``."""
    called = name or f"host{number}"
    return DHCPHost(mac(number), called, f"{called}.example.com", filename)


def description(
    cidr: str,
    *,
    group: str = "Lab",
    gateway: str | None = None,
    dns: Iterable[str] = (),
    ntp: Iterable[str] = (),
    pool: str | None = None,
    dynamic: str | None = None,
    exclude: Iterable[str] = (),
    strategy: Strategy = Strategy.FIRST,
    dhcp: bool | None = None,
) -> SubnetSpec:
    """A subnet described in text."""
    return SubnetSpec(
        network=IPNetwork(cidr),
        group=group,
        dhcp=dhcp,
        strategy=strategy,
        pool=Range.parse(pool) if pool else None,
        dynamic=Range.parse(dynamic) if dynamic else None,
        exclusions=tuple(map(Range.parse, exclude)),
        options=Options(
            gateway=IPAddress(gateway) if gateway else None,
            dns=tuple(map(IPAddress, dns)),
            ntp=tuple(map(IPAddress, ntp)),
        ),
    )


class Desk:
    """Where tests ask, reserve and release."""

    def __init__(self, address_book: AddressBook, clock: HandClock) -> None:
        self.address_book = address_book
        self.clock = clock

    @property
    def book(self) -> Book:
        """The SQL database below."""
        return self.address_book.book

    def add(self, cidr: str, **described) -> Subnet:
        """Make a subnet; see ``description``."""
        return self.address_book.add_subnet(description(cidr, **described), CALLER)

    def ask(
        self,
        subnet: Subnet,
        number: int | None = None,
        *,
        key: str | None = None,
        span: str | None = None,
        use: Use = Use.DHCP,
        ttl: timedelta | None = None,
    ) -> str:
        """Ask for an address: for machine ``number``, for a request ``key``, or for nobody known."""
        asker = Asker(key, None if number is None else mac(number))
        within = Range.parse(span) if span else None
        return str(self.address_book.suggest(subnet, asker, CALLER, span=within, use=use, ttl=ttl))

    def serve(
        self, subnet: Subnet, address: str, number: int, *, name: str | None = None, related: Iterable[int] = ()
    ) -> Reservation:
        """Reserve as ``POST /dhcp`` does."""
        return self.address_book.reserve(
            subnet,
            IPAddress(address),
            Use.DHCP,
            CALLER,
            host=host(number, name=name),
            related_macs=[mac(each) for each in related],
        )

    def take(
        self, subnet: Subnet, address: str, use: Use = Use.IPAM, *, number: int | None = None, name: str | None = None
    ) -> Reservation:
        """Reserve as ``POST /ipam`` does, or for another use than DHCP."""
        known = None if number is None else mac(number)
        return self.address_book.reserve(subnet, IPAddress(address), use, CALLER, name=name, mac=known)

    def release(
        self, subnet: Subnet, address: str | None = None, *, number: int | None = None, use: Use | None = None
    ) -> list[Reservation]:
        """Release an address, or what machine ``number`` has."""
        return self.address_book.release(
            subnet,
            CALLER,
            address=IPAddress(address) if address else None,
            mac=None if number is None else mac(number),
            use=use,
        )

    def release_hold(self, subnet: Subnet, address: str) -> Hold:
        """End a hold as an operator does."""
        return self.address_book.release_hold(subnet, IPAddress(address), CALLER)

    def exists(self, subnet: Subnet, address: str) -> bool:
        """What External IPAM is told."""
        return self.address_book.exists(subnet, IPAddress(address))

    def at(self, subnet: Subnet, address: str) -> Reservation | None:
        """What is reserved at an address."""
        return self.address_book.reservation(subnet, IPAddress(address))

    def uses(self, subnet: Subnet, address: str) -> set[Use]:
        """The uses of an address; none when it is free."""
        there = self.at(subnet, address)
        return set() if there is None else set(there.uses)

    def held(self, subnet: Subnet | None = None) -> dict[str, str]:
        """The live holds: address to key."""
        return {str(hold.address): hold.key for hold in self.address_book.holds(subnet)}

    def actions(self) -> list[str]:
        """The actions of the event log, oldest first."""
        return [event.action for event in reversed(self.address_book.events(limit=10_000))]
