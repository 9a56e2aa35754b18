"""What Foreman asks a smart proxy for DHCP, for External IPAM and about itself: one method for each question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.foreman.wire import ProxyError, Wire, encoded, escaped

NOT_FOUND = 404


@dataclass
class Record:
    """A DHCP reservation as Foreman keeps it. ``type`` is None on those that it made itself."""

    name: str | None
    hostname: str | None
    ip: str
    mac: str
    network: str
    next_server: str | None = None
    filename: str | None = None
    related_macs: list[str] = field(default_factory=list)
    type: str | None = None
    vendor: Mapping[str, Any] = field(default_factory=dict)
    _conflicts: list[Record] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def read(cls, network: str, found: Mapping[str, Any]) -> Record:
        """What a proxy told of an address in ``network``; of the rest Foreman understands nothing."""
        return cls(
            name=found.get("name"),
            hostname=found.get("hostname"),
            ip=found["ip"],
            mac=found["mac"],
            network=network,
            next_server=found.get("nextServer"),
            filename=found.get("filename"),
            related_macs=found.get("related_macs") or [],
            type=found.get("type"),
        )

    def fields(self) -> list[tuple[str, Any]]:
        """The form of its POST, in Foreman's order; what is unknown is not sent."""
        known = [
            ("hostname", self.hostname),
            ("mac", self.mac),
            ("ip", self.ip),
            ("network", self.network),
            ("nextServer", self.next_server),
            ("filename", self.filename),
            ("name", self.name),
            ("related_macs", self.related_macs),
            ("type", self.type),
            *self.vendor.items(),
        ]
        return [(name, value) for name, value in known if value is not None]

    def is_like(self, other: Record) -> bool:
        """Whether Foreman takes both for the same reservation; host names count for proxies that tell no type."""
        mine, others = ((each.mac, each.ip, each.network) for each in (self, other))
        named_alike = self.type is not None or not (self.hostname and other.hostname) or self.hostname == other.hostname
        return mine == others and named_alike

    def conflicts(self, dhcp: DHCP) -> list[Record]:
        """What stands in its way. It is asked for every time, and what was found the first time counts."""
        found = [dhcp.record(self.network, self.mac), *(dhcp.records_by_ip(self.network, self.ip) or [])]
        in_the_way: list[Record] = []
        for each in found:
            if each is None or each.type == "lease" or each.is_like(self) or each.mac in self.related_macs:
                continue
            if each not in in_the_way:
                in_the_way.append(each)
        if self._conflicts is None:
            self._conflicts = in_the_way
        return self._conflicts

    def is_served(self, dhcp: DHCP) -> bool:
        """Whether the proxy has it as it should be."""
        found = dhcp.record(self.network, self.mac)
        return found is not None and self.is_like(found)

    def create(self, dhcp: DHCP) -> bool:
        """Reserve it; an error when there is no name."""
        if not self.hostname:
            raise ProxyError(None, "Must define a hostname")
        return dhcp.set(self.network, self.fields())

    def destroy(self, dhcp: DHCP) -> bool:
        """Delete it by its MAC, whether or not it is there."""
        return dhcp.delete(self.network, self.mac)


@dataclass(frozen=True)
class DHCP:
    """``/dhcp``."""

    wire: Wire

    def subnets(self) -> list[dict[str, Any]]:
        """All subnets with their options."""
        return self.wire.get("/dhcp").parsed()

    def subnet(self, network: str) -> dict[str, Any]:
        """Reservations and leases of one."""
        return self.wire.get(f"/dhcp/{network}").parsed()

    def unused_ip(self, network: str, mac: str | None = None, first: str = "", last: str = "") -> dict[str, Any]:
        """A free address; nothing in the query is escaped."""
        fields = [("mac", mac)] if mac else []
        if first and last:
            fields += [("from", first), ("to", last)]
        return self.wire.get(f"/dhcp/{network}/unused_ip", "&".join(f"{key}={text}" for key, text in fields)).parsed()

    def record(self, network: str, mac: str) -> Record | None:
        """What a MAC has."""
        found = self._found(lambda: self.wire.get(f"/dhcp/{network}/mac/{mac}").parsed())
        return None if found is None else Record.read(network, found)

    def records_by_ip(self, network: str, ip: str) -> list[Record] | None:
        """Who has an address."""
        found = self._found(lambda: self.wire.get(f"/dhcp/{network}/ip/{ip}").parsed())
        return None if found is None else [Record.read(network, each) for each in found]

    def set(self, network: str, fields: list[tuple[str, Any]]) -> bool:
        """Reserve."""
        return self.wire.post(f"/dhcp/{network}", fields).parsed()

    def delete(self, network: str, mac: str) -> bool:
        """Delete what a MAC has."""
        return self.wire.delete(f"/dhcp/{network}/mac/{mac}").parsed()

    @staticmethod
    def _found(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except ProxyError as error:
            if error.status != NOT_FOUND:
                raise
            return None


@dataclass(frozen=True)
class IPAM:
    """``/ipam``. An answer that holds an error is one, whatever its status."""

    wire: Wire

    def next_ip(self, cidr: str, mac: str | None, group: str | None = "") -> str:
        """A free address."""
        return self._got(f"/subnet/{cidr}/next_ip", [("mac", mac), ("group", group)])["data"]

    def ip_exists(self, ip: str, cidr: str, group: str | None = "") -> bool:
        """Whether an address is taken; newer proxies wrap the answer."""
        answer = self._got(f"/subnet/{cidr}/{ip}", [("group", group)])
        return answer["result"] if isinstance(answer, dict) else answer

    def add_ip(self, ip: str, cidr: str, group: str | None = "") -> bool:
        """Take an address."""
        return self._fine(self.wire.post(f"/ipam/subnet/{cidr}/{ip}?group={escaped(group or '')}", []).parsed())

    def delete_ip(self, ip: str, cidr: str, group: str | None = "") -> bool:
        """Give an address back."""
        return self._fine(self.wire.delete(f"/ipam/subnet/{cidr}/{ip}?group={escaped(group or '')}").parsed())

    def groups(self) -> list[dict[str, Any]]:
        """All groups."""
        return self._got("/groups")

    def group(self, name: str) -> dict[str, Any]:
        """One group."""
        return self._got(f"/groups/{escaped(name)}")

    def group_subnets(self, name: str) -> list[dict[str, Any]]:
        """The subnets of a group."""
        return self._got(f"/groups/{escaped(name)}/subnets")

    def subnet(self, cidr: str, group: str | None = "") -> dict[str, Any]:
        """One subnet."""
        return self._got(f"/subnet/{cidr}", [("group", group)])

    def _got(self, path: str, query: list[tuple[str, Any]] | None = None) -> Any:
        return self._fine(self.wire.get(f"/ipam{path}", None if query is None else encoded(query)).parsed())

    @staticmethod
    def _fine(answer: Any) -> Any:
        if isinstance(answer, dict) and answer.get("error"):
            raise ProxyError(None, answer["error"])
        return answer


@dataclass(frozen=True)
class Root:
    """What a proxy can do and which version it is."""

    wire: Wire

    def features(self) -> dict[str, Any]:
        """The running modules with settings and capabilities, which proxies of old do not tell."""
        try:
            told = self.wire.get("/v2/features").parsed()
        except ProxyError as error:
            if error.status != NOT_FOUND:
                raise
            return {name: {} for name in self.wire.get("/features").parsed()}
        return {name: module for name, module in told.items() if module["state"] == "running"}

    def version(self) -> dict[str, Any]:
        """The version of the proxy and of its modules."""
        return self.wire.get("/version").parsed()
