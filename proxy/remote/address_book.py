"""The address book of a running service, with the methods of :class:`AddressBook` that commands call.

It holds no rules: the service decides. A ``caller`` is passed over everywhere, because the service knows who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from netaddr import IPAddress, IPNetwork

from providers.address_book import subnet_spec
from providers.address_book.amending import UNSET, Change, Unset
from providers.addresses import Range
from providers.errors import InvalidValue, NotFound
from providers.model import (
    Asker,
    Caller,
    DHCPHost,
    Event,
    Hold,
    Occupancy,
    Reservation,
    Subnet,
    SubnetSpec,
    Use,
)
from proxy.remote.guests import RemoteGuests
from proxy.remote.reading import event_from, hold_from, occupancy_from, reservation_from, subnet_from
from proxy.remote.service import RemoteService, Row

_MINUTE = timedelta(minutes=1)


class RemoteAddressBook(RemoteGuests):
    """Subnets, addresses, holds and events; raises what the service raised, and Unavailable."""

    def __init__(self, service: RemoteService) -> None:
        super().__init__(service)
        self._known: dict[tuple[IPNetwork, str], Subnet] = {}
        self._occupancy: dict[tuple[IPNetwork, str], Occupancy] = {}

    def close(self) -> None:
        """Let go of connections."""
        self.service.close()

    def subnets(self, *, group: str = "") -> list[Subnet]:
        """All subnets, or those of a group, by network; raises GroupNotFound."""
        return [self._learned(row) for row in self.service.pages("subnets", group=group)]

    def subnet(self, network: IPNetwork, group: str = "") -> Subnet:
        """The subnet with exactly this network; raises SubnetNotFound, GroupNotFound."""
        return self._learned(self.service.get(*_path(network), group=group))

    def only_subnet(self, network: IPNetwork, group: str = "") -> Subnet:
        """Like ``subnet``, for what is to be changed: raises InvalidValue when several groups have the network."""
        groups = [] if group else [each.group.name for each in self.subnets() if each.network == network]
        if len(groups) > 1:
            raise InvalidValue(f"Several groups have {network}: say which by --group ({', '.join(groups)})")
        return self.subnet(network, group)

    def subnet_of(self, address: IPAddress, group: str = "") -> Subnet:
        """The most specific subnet that holds ``address``; raises SubnetNotFound, GroupNotFound."""
        (row,) = self.service.get("subnets", ip=address, group=group)["items"]
        return self._learned(row)

    def add_subnet(self, spec: SubnetSpec, caller: Caller) -> Subnet:
        """Make a subnet; raises InvalidValue, Conflict."""
        plain = _told(SubnetSpec(spec.network, spec.group))
        body = {key: value for key, value in _told(spec).items() if value != plain[key]}
        body |= {"network": str(spec.network), "group": spec.group}
        return self._learned(self.service.send("POST", ("subnets",), {}, body))

    def change_subnet(self, subnet: Subnet, spec: SubnetSpec, caller: Caller) -> Subnet:
        """Let a subnet be as ``spec`` says; what is the same is not sent."""
        before = _told(subnet_spec(subnet))
        body = {key: value for key, value in _told(spec).items() if value != before[key]}
        return self._learned(self.service.send("PATCH", _path(subnet.network), _group(subnet), body))

    def remove_subnet(self, subnet: Subnet, caller: Caller, *, force: bool = False) -> Occupancy:
        """Remove a subnet; returns what was in it."""
        asked = {**_group(subnet), "force": force or None}
        return occupancy_from(self.service.send("DELETE", _path(subnet.network), asked))

    def occupancy(self, subnet: Subnet) -> Occupancy:
        """How full a subnet is; as of when it was asked for, if that was just now."""
        known = self._occupancy.pop((subnet.network, subnet.group.name), None)
        if known is not None:
            return known
        return occupancy_from(self.service.get(*_path(subnet.network), "utilisation", **_group(subnet)))

    def suggest(
        self,
        subnet: Subnet,
        asker: Asker,
        caller: Caller,
        *,
        span: Range | None = None,
        use: Use = Use.DHCP,
        ttl: timedelta | None = None,
    ) -> IPAddress:
        """A free address, held for ``asker``; raises Exhausted."""
        body: dict[str, Any] = {"use": str(use), "key": asker.key, "mac": asker.mac}
        if span is not None:
            body |= {"from": str(span.first), "to": str(span.last)}
        if ttl is not None:
            body["minutes"] = ttl // _MINUTE
        return IPAddress(self.service.send("POST", (*_path(subnet.network), "next"), _group(subnet), body)["address"])

    def reserve(
        self,
        subnet: Subnet,
        address: IPAddress,
        use: Use,
        caller: Caller,
        *,
        name: str | None = None,
        mac: str | None = None,
        description: str | None = None,
        note: str | None = None,
        host: DHCPHost | None = None,
    ) -> Reservation:
        """Reserve an address; whether a MAC gets a DHCP host is the service's to say, so ``host`` is not sent."""
        body = {"use": str(use), "name": name, "mac": mac, "description": description, "note": note}
        row = self.service.send("PUT", ("addresses", address), _group(subnet), body)
        return self._reservation(row)

    def allocate(
        self,
        subnet: Subnet,
        asker: Asker,
        use: Use,
        caller: Caller,
        *,
        span: Range | None = None,
        name: str | None = None,
        mac: str | None = None,
        description: str | None = None,
        note: str | None = None,
        host: DHCPHost | None = None,
        once: bool = False,
    ) -> Reservation:
        """Reserve the next free address; a key is always that of the request. ``host`` as in ``reserve``."""
        body = {"use": str(use), "name": name, "mac": mac, "description": description, "note": note, "key": asker.key}
        if span is not None:
            body |= {"from": str(span.first), "to": str(span.last)}
        return self._reservation(self.service.send("POST", (*_path(subnet.network), "addresses"), _group(subnet), body))

    def amend(
        self,
        subnet: Subnet,
        address: IPAddress,
        caller: Caller,
        *,
        name: Change = UNSET,
        mac: Change = UNSET,
        description: Change = UNSET,
        note: Change = UNSET,
    ) -> Reservation:
        """Change what is told about an address; raises NotFound when it is not reserved."""
        asked = {"name": name, "mac": mac, "description": description, "note": note}
        body = {key: value for key, value in asked.items() if not isinstance(value, Unset)}
        return self._reservation(self.service.send("PATCH", ("addresses", address), _group(subnet), body))

    def adopt(self, subnet: Subnet, address: IPAddress, caller: Caller) -> Reservation:
        """Make an address ours that someone else made upstream."""
        return self._reservation(self.service.send("POST", ("addresses", address, "adopt"), _group(subnet)))

    def release(self, subnet: Subnet, caller: Caller, *, address: IPAddress) -> list[Reservation]:
        """End all uses of an address; returns what was reserved, as it was."""
        row = self.service.send("DELETE", ("addresses", address), _group(subnet))
        return [self._reservation(each) for each in row["released"]]

    def reservation(self, subnet: Subnet, address: IPAddress) -> Reservation | None:
        """The reservation of an address."""
        try:
            return self._reservation(self.service.get("addresses", address, **_group(subnet)))
        except NotFound:
            return None

    def reservations(self, subnet: Subnet | None = None) -> Iterator[Reservation]:
        """The reservations of a subnet and those inside it, or of all, by subnet and address."""
        asked = {} if subnet is None else {"subnet": subnet.network, **_group(subnet)}
        return map(self._reservation, self.service.pages("addresses", **asked))

    def holds(self, subnet: Subnet | None = None) -> list[Hold]:
        """The live holds of a subnet, not of those inside it, or of all."""
        asked = {} if subnet is None else {"subnet": subnet.network, **_group(subnet)}
        found = map(hold_from, self.service.pages("holds", **asked))
        return [hold for hold in found if subnet is None or hold.subnet.network == subnet.network]

    def release_hold(self, subnet: Subnet, address: IPAddress, caller: Caller) -> Hold:
        """End the hold on an address; raises NotFound when there is none."""
        return hold_from(self.service.send("DELETE", ("holds", address), _group(subnet)))

    def events(self, *, limit: int = 50, subnet: Subnet | None = None, address: IPAddress | None = None) -> list[Event]:
        """The newest events, newest first."""
        asked = {} if subnet is None else {"subnet": subnet.network, **_group(subnet)}
        return [event_from(row) for row in self.service.pages("events", most=limit, address=address, **asked)]

    def _learned(self, row: Row) -> Subnet:
        subnet = subnet_from(row)
        key = (subnet.network, subnet.group.name)
        self._known[key] = subnet
        self._occupancy[key] = occupancy_from(row)
        return subnet

    def _reservation(self, row: Row) -> Reservation:
        """With its subnet as it was learned, so that the two can be compared."""
        found = reservation_from(row)
        return replace(found, subnet=self._learned_already(found.subnet))

    def _learned_already(self, subnet: Subnet) -> Subnet:
        return self._known.get((subnet.network, subnet.group.name), subnet)


def _path(network: IPNetwork) -> tuple[object, ...]:
    return ("subnets", network.network, network.prefixlen)


def _group(subnet: Subnet) -> dict[str, str]:
    return {"group": subnet.group.name}


def _told(spec: SubnetSpec) -> dict[str, Any]:
    """A description as the API takes it."""
    return {
        "description": spec.description,
        "dhcp": spec.dhcp,
        "strategy": str(spec.strategy),
        "pool": _text(spec.pool),
        "dynamic": _text(spec.dynamic),
        "exclusions": list(map(str, spec.exclusions)),
        "gateway": _text(spec.options.gateway),
        "dns": list(map(str, spec.options.dns)),
        "ntp": list(map(str, spec.options.ntp)),
        **{key: value for key, value in asdict(spec.options).items() if key in _TEXTS},
    }


_TEXTS = {"domain", "mtu", "next_server", "filename"}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
