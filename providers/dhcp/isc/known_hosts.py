"""The hosts that dhcpd knows: those of its configuration are not ours, those made through OMAPI are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from netaddr import IPAddress

from providers.addresses import Range
from providers.dhcp.isc.declared import Declared, DeclaredHost
from providers.dhcp.isc.leases_file import LeasesFile
from providers.dhcp.isc.leases_state import LeasesState, WrittenHost
from providers.dhcp.isc.statements import host_told
from providers.errors import Conflict, InvalidValue
from providers.model import DHCPHost, Lease, Subnet

_Answer = TypeVar("_Answer")

Where = Callable[[IPAddress], bool]
"""Whether an address belongs to a subnet."""

_HEAL = "see leasehold sync --plan"
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_STATE = "static"


class KnownHosts:
    """Looks them up; raises Unavailable when dhcpd's files cannot be read.

    A host of dhcpd.conf that was deleted through OMAPI is none any more: dhcpd keeps to what its leases file says.
    """

    def __init__(self, configuration: Path, leases: Path) -> None:
        self.declared = Declared(configuration)
        self.leases = LeasesFile(leases)

    def close(self) -> None:
        """Let go of the leases file."""
        self.leases.close()

    def refresh(self) -> None:
        """Look whether dhcpd's files have changed; what is asked within a second after that is in memory."""
        self.declared.hosts()
        self.leases.ask(lambda state: None)

    def now(self, question: Callable[[LeasesState], _Answer]) -> _Answer:
        """Ask the leases file as it is now."""
        return self.leases.ask(question, now=True)

    def declared_in(self, subnet: Subnet) -> list[DeclaredHost]:
        """The hosts of dhcpd.conf with an address in a subnet."""
        return self._present(each for each in self.declared.hosts().all if each.host.address in subnet.network)

    def declared_alike(self, host: DHCPHost) -> DeclaredHost | None:
        """The host of dhcpd.conf that serves just what ``host`` is to be served, under whatever name."""
        return next((each for each in self.declared_of(host.mac) if is_alike(each.host, host)), None)

    def declared_of(self, mac: str) -> list[DeclaredHost]:
        """The hosts of dhcpd.conf with a MAC."""
        return self._present(self.declared.hosts().of(mac))

    def refuse_unserved(self, host: DHCPHost) -> None:
        """Raise InvalidValue when the address of ``host`` is in no network that dhcpd serves; dhcpd would not mind."""
        if not any(_address(host) in network for network in self.declared.hosts().networks):
            raise InvalidValue(f"{host.address} is in no subnet of {self.declared.path}: add it there, restart dhcpd")

    def refuse_conflict(self, is_in: Where, host: DHCPHost, macs: Collection[str]) -> None:
        """Raise Conflict when dhcpd has the name, MAC or address of ``host`` for somebody else.

        ``macs`` may have the address: the book knows them there. A host of its MAC that was made through OMAPI and is
        in the same subnet (``is_in``) is in nobody's way, it is an old one.
        """
        declared = self.declared.hosts()
        address, mac = _address(host), host.mac
        same_address = (each for each in declared.at(address) if each.host.mac not in macs)
        for each in self._present([*declared.named(host.name), *declared.of(mac), *same_address]):
            there = f"{each.host.name} ({each.host.mac}, {each.host.address})"
            raise Conflict(f"{address}: {each.place} declares the host {there}: change it there and restart dhcpd")
        for written in self.now(lambda state: list(_in_the_way(state, is_in, host, macs))):
            where = ", ".join(map(str, written.addresses)) or "no address"
            raise Conflict(f"{address}: dhcpd has the host {written.name} ({written.mac}, {where}) already; {_HEAL}")

    def as_lease_at(self, address: IPAddress) -> Lease | None:
        """A host at an address as if dhcpd had given that out for good: whoever looks for a free one passes it over."""
        written = self.leases.ask(lambda state: state.hosts_at(address))
        hosts = [each.host for each in self._present(self.declared.hosts().at(address))]
        return next(_as_leases([*hosts, *_described(written)]), None)

    def first_free(self, within: Range, now: datetime) -> IPAddress | None:
        """The first address of a range at which dhcpd has neither an active lease nor a host."""
        declared = self.declared.hosts()

        def is_free(state: LeasesState, number: int) -> bool:
            hosts = declared.at(number)
            return not state.occupies(number, now) and all(each.host.name in state.deleted for each in hosts)

        numbers = range(int(within.first), int(within.last) + 1)
        found = self.leases.ask(lambda state: next((each for each in numbers if is_free(state, each)), None))
        return None if found is None else IPAddress(found, 4)

    def as_leases_of(self, mac: str) -> Iterator[Lease]:
        """The hosts of a MAC in the same way."""
        written = self.leases.ask(lambda state: state.hosts_of(mac))
        hosts = [each.host for each in self._present(self.declared.hosts().of(mac))]
        return _as_leases([*hosts, *_described(written)])

    def _present(self, hosts: Iterable[DeclaredHost]) -> list[DeclaredHost]:
        found = list(hosts)
        return found and self.leases.ask(lambda s: [each for each in found if each.host.name not in s.deleted])


def is_alike(declared: DHCPHost, host: DHCPHost) -> bool:
    """Whether the client of one is told what the client of the other is told."""
    return replace(declared, name=host.name) == host


def _in_the_way(
    state: LeasesState, is_in: Where, host: DHCPHost, macs: Collection[str]
) -> Iterator[WrittenHost]:
    named = state.host(host.name)
    if named is not None and named.mac != host.mac:
        yield named
    for each in state.hosts_of(host.mac):
        if not all(map(is_in, each.addresses)):
            yield each
    for each in state.hosts_at(_address(host)):
        if each.mac != host.mac and each.mac not in macs:
            yield each


def _described(written: Iterable[WrittenHost]) -> Iterator[DHCPHost]:
    for each in written:
        for address in each.addresses:
            if each.mac is not None:
                yield host_told(each.name, each.mac, address, each.told)


def _as_leases(hosts: Iterable[DHCPHost]) -> Iterator[Lease]:
    for host in hosts:
        yield Lease(_address(host), host.mac, _LONG_AGO, None, _STATE, hostname=host.hostname)


def _address(host: DHCPHost) -> IPAddress:
    if host.address is None:
        raise AssertionError(f"{host.name} came without its address")
    return host.address
