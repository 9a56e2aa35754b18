"""ISC dhcpd as a DHCP provider: told through OMAPI, read back from its leases file."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema
from netaddr import IPAddress

from providers.addresses import Range
from providers.book import taken
from providers.book.database import Book
from providers.book.directory import Directory, DirectoryCache
from providers.clock import Clock, utc_now
from providers.dhcp.contract import DHCPCapabilities, DHCPProvider, Health, once_told
from providers.dhcp.isc.known_hosts import KnownHosts, Where, is_alike
from providers.dhcp.isc.leases_state import LeasesState, WrittenHost
from providers.dhcp.isc.omapi import AlreadyThere, Key, OmapiSession, Unparsable
from providers.dhcp.isc.settings import ISCSchema
from providers.dhcp.isc.statements import NEXT_SERVER, Values, host_told, refuse_unfit_name, statements, told_to
from providers.dhcp.next_server import addresses_of
from providers.errors import Conflict, InvalidValue, LeaseholdError, Unavailable
from providers.model import DHCPHost, Lease, Subnet

log = logging.getLogger(__name__)

_LOCAL = "127.0.0.1"
_SOME_SERVER = IPAddress(_LOCAL)
_IPV4_OCTETS = 4
_READ_BACK_SECONDS = 2.0
_TAKE_BACK_SECONDS = 1.0
_HEALTH_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.02


class ISCDHCP(DHCPProvider):
    """Hosts that have our mark are ours, and those made through OMAPI for a MAC that the book has in that subnet.

    Others are left alone, and what dhcpd.conf declares is never touched. dhcpd writes a host to its leases file before
    it answers, so what stands there is what it serves, now and after its next start. ``seconds`` is how long a call
    may take.
    """

    name: ClassVar[str] = "dhcp_isc"
    capabilities: ClassVar[DHCPCapabilities] = DHCPCapabilities(publishes=True, leases=True)
    settings_schema: ClassVar[type[Schema]] = ISCSchema
    seconds: float = 5.0

    def __init__(self, book: Book, settings: Mapping[str, Any], *, clock: Clock = utc_now) -> None:
        super().__init__(book, settings)
        self._clock = clock
        self._directories = DirectoryCache()
        self._known = KnownHosts(Path(settings["config"]), Path(settings["leases"]))
        key = None
        if settings["key_name"]:
            key = Key(settings["key_name"], settings["key_secret"], settings["key_algorithm"])
        self._omapi = OmapiSession(settings.get("server") or _LOCAL, settings["omapi_port"], key)

    def refuse_unfit(self, subnet: Subnet, host: DHCPHost) -> None:
        """Raise InvalidValue for a name that dhcpd could not read back, and for options that have to be addresses."""
        refuse_unfit_name(host.name)
        told_to(host, _SOME_SERVER if host.next_server else None)

    def publish(self, subnet: Subnet, host: DHCPHost) -> None:
        """Make the host in dhcpd, and read it back.

        A host that dhcpd.conf declares just so is served already. One of the same MAC and subnet that was made through
        OMAPI and is otherwise goes first.
        """
        deadline = time.monotonic() + self.seconds
        # The book may have it from times when nobody, or another server, was told.
        self.refuse_unfit(subnet, host)
        self._known.refuse_unserved(host)
        declared = self._known.declared_alike(host)
        if declared is not None:
            if self._omapi.mac_of(declared.host.name, deadline) != host.mac:
                raise Unavailable(f"{host.address}: dhcpd does not know yet what {declared.place} declares: restart it")
            return
        told = told_to(host, self._next_server(host))
        there = self._known.now(lambda state: state.hosts_of(host.mac))
        if [each for each in there if _is(each, host, told)] and self._omapi.mac_of(host.name, deadline) == host.mac:
            return
        with self.book.read() as connection:
            macs = {each.mac for each in taken.hosts_at(connection, subnet, _address(host))}
            is_in = _where(self._directories.current(connection), subnet)
        self._known.refuse_conflict(is_in, host, macs)
        with once_told() if there else nullcontext():
            for stale in there:
                what = (host.address, stale.name, host.mac)
                log.warning("%s: dhcpd has %s of %s otherwise than the book: replaced", *what)
                self._omapi.delete(stale.name, host.mac, deadline)
            self._create(host, told, deadline)
        with once_told():
            self._read_back(host, told, there, deadline)

    def withdraw(self, subnet: Subnet, host: DHCPHost) -> None:
        """Remove what is ours of the MAC in this subnet; raises InvalidValue for what dhcpd.conf declares."""
        deadline = time.monotonic() + self.seconds
        with self.book.read() as connection:
            booked = taken.host_of(connection, subnet, host.mac) is not None
            is_in = _where(self._directories.current(connection), subnet)
        written = self._known.now(lambda state: state.hosts_of(host.mac))
        there = [each for each in written if any(map(is_in, each.addresses)) and (booked or each.is_ours)]
        for each in there:
            self._omapi.delete(each.name, host.mac, deadline)
        names = {each.name for each in there}
        if not self._comes_true(lambda s: names.isdisjoint(each.name for each in s.hosts_of(host.mac)), deadline):
            raise Unavailable(f"{host.address}: dhcpd has removed the host, but {self._leases_path} does not say so")
        for declared in self._known.declared_of(host.mac) if booked and not there else ():
            if declared.host.address == host.address:
                raise InvalidValue(
                    f"{host.address} is declared for {host.mac} in {declared.place}: take it out there, restart dhcpd, "
                    "and repeat this"
                )

    def served(self, subnet: Subnet) -> Iterator[DHCPHost]:
        """The hosts that are ours, and those of dhcpd.conf that the book has just so.

        They are read from files, which serve nobody while dhcpd is stopped: so it is asked whether it is there.
        """
        self._omapi.check(time.monotonic() + self.seconds)
        written = self._known.now(lambda state: state.hosts_in(subnet.network))
        declared = self._known.declared_in(subnet)
        found = []
        with self.book.read() as connection:
            is_in = _where(self._directories.current(connection), subnet)
            for address, each in written:
                if not (each.mac and is_in(address)):
                    continue
                if each.is_ours or taken.host_of(connection, subnet, each.mac) is not None:
                    found.append(host_told(each.name, each.mac, address, each.told))
            for other in declared:
                host = taken.host_of(connection, subnet, other.host.mac)
                if host is not None and is_alike(other.host, host):
                    found.append(self.as_served(subnet, host))
        return iter(sorted(found, key=lambda host: (_address(host), host.name)))

    def as_served(self, subnet: Subnet, host: DHCPHost) -> DHCPHost:
        """With the address of its next server, and with options by dhcpd's names for them.

        A name that cannot be looked up now is what it was: nobody is to lose a good address because of that.
        """
        try:
            next_server = self._next_server(host)
        except (InvalidValue, Unavailable):
            next_server = self._present_server(host) or _SOME_SERVER
        try:
            return host_told(host.name, host.mac, _address(host), told_to(host, next_server))
        except InvalidValue:
            # It cannot be served at all, and publish says why.
            return host

    def refresh(self) -> None:
        """Look into dhcpd's files."""
        self._known.refresh()

    def leases(self, subnet: Subnet) -> Iterator[Lease]:
        """The active leases in the leases file."""
        now = self._clock()
        return iter(self._known.leases.ask(lambda state: state.leases_in(subnet.network, now)))

    def lease_at(self, subnet: Subnet, address: IPAddress) -> Lease | None:
        """The active lease; else, as if it were one, a host that dhcpd has there."""
        now = self._clock()
        lease = self._known.leases.ask(lambda state: state.lease_at(address, now))
        return lease or self._known.as_lease_at(address)

    def lease_of(self, subnet: Subnet, mac: str) -> Lease | None:
        """The active lease in the subnet; else, as if it were one, a host that dhcpd has for the MAC."""
        now = self._clock()
        leases = self._known.leases.ask(lambda state: state.leases_of(mac, now))
        found = (*leases, *self._known.as_leases_of(mac))
        return next((each for each in found if each.address in subnet.network), None)

    def first_unleased(self, subnet: Subnet, within: Range) -> IPAddress | None:
        """The first address of ``within`` at which dhcpd has neither an active lease nor a host."""
        return self._known.first_free(within, self._clock())

    def health(self) -> Health:
        """Whether dhcpd answers and accepts the key, and whether its files can be read."""
        try:
            self._omapi.check(time.monotonic() + min(self.seconds, _HEALTH_SECONDS))
            hosts, leases = self._known.now(lambda state: state.counts())
            declared = len(self._known.declared.hosts().all)
        except LeaseholdError as error:
            return Health(ok=False, detail=str(error))
        if self._known.declared.problem:
            return Health(ok=False, detail=self._known.declared.problem)
        return Health(
            ok=True,
            detail=f"dhcpd answers; it has {hosts} hosts from OMAPI, {declared} from dhcpd.conf, and {leases} leases",
        )

    def close(self) -> None:
        """Let go of the connection and of the leases file."""
        self._omapi.close()
        self._known.close()

    @property
    def _leases_path(self) -> Path:
        return self._known.leases.path

    def _next_server(self, host: DHCPHost) -> IPAddress | None:
        """dhcpd would look a name up for each packet, and serve nobody while it waits; so it is told an address.

        Of several the one that it has stays. Raises InvalidValue and Unavailable when there is none.
        """
        if not host.next_server:
            return None
        found = addresses_of(host.next_server)
        present = self._present_server(host)
        return present if present in found else found[0]

    def _present_server(self, host: DHCPHost) -> IPAddress | None:
        """The next server that dhcpd has for the MAC of a host."""
        for each in self._known.leases.ask(lambda state: state.hosts_of(host.mac)):
            octets = each.told.get(NEXT_SERVER)
            if isinstance(octets, bytes) and len(octets) == _IPV4_OCTETS:
                return IPAddress(int.from_bytes(octets, "big"), 4)
        return None

    def _create(self, host: DHCPHost, told: Values, deadline: float) -> None:
        address = _address(host)
        try:
            self._omapi.create(host.name, host.mac, address, statements(told), deadline)
        except AlreadyThere as error:
            # Another process of ours may have been faster, and a repeated request meets what it made itself.
            if not self._known.now(lambda state: _has(state, host, told)):
                raise Conflict(
                    f"{address}: dhcpd has another host with the name {host.name} or the MAC {host.mac}"
                ) from error
        except Unparsable as error:
            raise InvalidValue(f"{address}: dhcpd.conf does not define the options of {host.name}") from error

    def _read_back(self, host: DHCPHost, told: Values, old: Collection[WrittenHost], deadline: float) -> None:
        """Find the host in the leases file as it was meant, or take it back; ``old`` are those that it replaced."""

        def is_there(state: LeasesState) -> bool:
            written = state.host(host.name)
            return written is not None and written.mac == host.mac and written not in old

        if self._comes_true(is_there, deadline) and self._known.now(lambda state: _has(state, host, told)):
            return
        kept = self._known.now(lambda state: state.host(host.name) if is_there(state) else None)
        self._omapi.delete(host.name, host.mac, max(deadline, time.monotonic() + _TAKE_BACK_SECONDS))
        if kept is None:
            raise Unavailable(
                f"{host.address}: dhcpd took the host, but {self._leases_path} does not show it: does :leases: in "
                "dhcp_isc.yml name the file of this dhcpd?"
            )
        lost = ", ".join(sorted(key for key in told if kept.told.get(key) != told[key])) or "its address"
        raise InvalidValue(f"{host.address}: dhcpd does not keep this of {host.name}: {lost}")

    def _comes_true(self, question: Callable[[LeasesState], bool], deadline: float) -> bool:
        """Whether the leases file says so soon. It does at once, unless it is on a file system of another machine."""
        until = min(deadline, time.monotonic() + _READ_BACK_SECONDS)
        while not self._known.now(question):
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_AGAIN_SECONDS)
        return True


def _is(written: WrittenHost, host: DHCPHost, told: Values) -> bool:
    return (written.name, written.mac, written.addresses, written.told) == (
        host.name,
        host.mac,
        (host.address,),
        told,
    )


def _has(state: LeasesState, host: DHCPHost, told: Values) -> bool:
    written = state.host(host.name)
    return written is not None and _is(written, host, told)


def _where(directory: Directory, subnet: Subnet) -> Where:
    """Which addresses of dhcpd are those of ``subnet``, of which dhcpd knows nothing.

    The most specific subnet has an address, and of several groups the one that is on ``/dhcp``.
    """

    def is_in(address: IPAddress) -> bool:
        holding = directory.holding(address)
        group = next((each.group for each in holding if each.dhcp), None)
        return next((each for each in holding if group in (None, each.group)), subnet).id == subnet.id

    return is_in


def _address(host: DHCPHost) -> IPAddress:
    if host.address is None:
        raise AssertionError(f"{host.name} came without its address")
    return host.address
