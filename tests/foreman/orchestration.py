"""The order in which Foreman does things when a host is built, changed or deleted, and how it takes them back.

Steps run one after the other. When one fails, the finished ones are undone in reverse; the failed one is not, whatever
it did before it failed. Undoing an entry in External IPAM does next to nothing: Foreman only looks after the other
address family of the same interface. Tests expect what that leaves behind, and say so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from netaddr import IPNetwork

from tests.foreman.client import DHCP, IPAM, Record, Root
from tests.foreman.wire import ProxyError, Wire


@dataclass(frozen=True)
class ForemanSubnet:
    """A subnet in Foreman: ``dhcp`` when it has a DHCP proxy, ``ipam`` when its IPAM is External IPAM."""

    network: IPNetwork
    dhcp: bool = True
    ipam: bool = False
    group: str = ""
    first: str = ""
    last: str = ""

    @property
    def cidr(self) -> str:
        """As External IPAM is asked for it."""
        return str(self.network)

    @property
    def path(self) -> str:
        """As ``/dhcp`` is asked for it."""
        return str(self.network.network)


@dataclass(frozen=True)
class Interface:
    """An interface of a host; a bond has ``members``, the MACs of what is attached to it."""

    name: str
    mac: str | None = None
    ip: str | None = None
    subnet: ForemanSubnet | None = None
    ip6: str | None = None
    subnet6: ForemanSubnet | None = None
    members: tuple[str, ...] = ()
    filename: str | None = None
    next_server: str | None = None

    @property
    def macs(self) -> list[str]:
        """All under which it may boot."""
        return list(dict.fromkeys(mac for mac in (self.mac, *self.members) if mac))

    @property
    def on_dhcp(self) -> bool:
        """Whether it has DHCP reservations."""
        return bool(self.subnet and self.subnet.dhcp and self.ip and self.macs and self.name)

    def records(self) -> list[Record]:
        """One reservation for each MAC; several are numbered."""
        if not self.on_dhcp:
            return []
        several = len(self.macs) > 1
        return [
            Record(
                name=f"{self.name}-{number:02}" if several else self.name,
                hostname=self.name,
                ip=self.ip,
                mac=mac,
                network=self.subnet.path,
                next_server=self.next_server,
                filename=self.filename,
                related_macs=[other for other in self.macs if other != mac],
            )
            for number, mac in enumerate(self.macs, start=1)
        ]


@dataclass
class Step:
    """Something to do, and how it is taken back."""

    do: Callable[[], bool]
    undo: Callable[[], object]


@dataclass
class Outcome:
    """How an action ended: what went wrong, by the field of the form that is marked."""

    errors: list[tuple[str, str]] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether the host was saved."""
        return not self.errors

    @property
    def marked(self) -> set[str]:
        """Fields of the form with an error: ip, ip6, conflict, or base for none in particular."""
        return {where for where, _ in self.errors}

    def fail(self, where: str, what: object) -> None:
        """Note an error."""
        self.errors.append((where, str(what)))


class Foreman:
    """Builds, changes and deletes hosts. ``ipam_first`` exchanges the faces within each of its phases."""

    def __init__(self, wire: Wire, *, ipam_first: bool = False) -> None:
        self.wire = wire
        self.root, self.dhcp, self.ipam = Root(wire), DHCP(wire), IPAM(wire)
        self._ipam_first = ipam_first

    def suggest(self, interface: Interface) -> Interface:
        """The form with what the proxy suggests for every address that is still blank; a failure leaves it blank."""
        self.wire.new_action()
        if interface.subnet and not interface.ip:
            interface = replace(interface, ip=self._suggested(interface.subnet, interface.mac))
        if interface.subnet6 and not interface.ip6:
            interface = replace(interface, ip6=self._suggested(interface.subnet6, interface.mac))
        return interface

    def build(self, interface: Interface, **how: object) -> tuple[Interface, Outcome]:
        """Fill the form and submit it."""
        filled = self.suggest(interface)
        return filled, self.create(filled, **how)

    def create(self, new: Interface, *, overwrite: bool = False, later: Callable[[], bool] | None = None) -> Outcome:
        """Submit the form of a new host. ``later`` is a step that has nothing to do with us, such as DNS."""
        self.wire.new_action()
        outcome, records = Outcome(), new.records()
        if self._stopped_by_conflicts(records, outcome, overwrite=overwrite):
            return outcome
        steps = self._removing_conflicts(records) if overwrite else []
        creating = [self._creating_records(records)] if records else []
        adding = [
            Step(lambda a=address: self._add(*a, outcome), lambda: self._undo_add_of_new(new, outcome))
            for address in _ipam_addresses(new)
        ]
        steps += self._ordered(creating, adding)
        return self._run(steps, outcome, later)

    def update(
        self,
        old: Interface,
        new: Interface,
        *,
        overwrite: bool = False,
        build: bool = False,
        later: Callable[[], bool] | None = None,
    ) -> Outcome:
        """Submit the form of a host that is there already; ``build`` sets it to be installed again."""
        self.wire.new_action()
        outcome, records, old_records = Outcome(), new.records(), old.records()
        if self._stopped_by_conflicts(records, outcome, overwrite=overwrite):
            return outcome
        steps = self._removing_conflicts(records) if overwrite and records else []
        removing, creating = [], []
        if _dhcp_differs(old, new) or (build and not all(each.is_served(self.dhcp) for each in records)):
            removing = [self._removing_records(old_records)] if old_records else []
            creating = [self._creating_records(records)] if records else []
        before, now = set(_ipam_addresses(old)), set(_ipam_addresses(new))
        deleting = [self._deleting(*each) for each in _ipam_addresses(old) if each not in now]
        adding = [
            Step(lambda a=each: self._add(*a, outcome), lambda: self._undo_add_of_changed(old, new, outcome))
            for each in _ipam_addresses(new)
            if each not in before
        ]
        steps += self._ordered(removing, deleting) + self._ordered(creating, adding)
        return self._run(steps, outcome, later)

    def destroy(self, old: Interface, *, later: Callable[[], bool] | None = None) -> Outcome:
        """Delete a host."""
        self.wire.new_action()
        records = old.records()
        removing = [self._removing_records(records)] if records else []
        deleting = [self._deleting(*address) for address in _ipam_addresses(old)]
        return self._run(self._ordered(removing, deleting), Outcome(), later)

    def rebuild_configuration(self, interface: Interface) -> bool:
        """Delete and make the DHCP reservations anew, whatever the deletion says; External IPAM is left alone."""
        self.wire.new_action()
        with suppress(ProxyError):
            self._destroy(interface.records())
        try:
            return self._create(interface.records())
        except ProxyError:
            return False

    def _suggested(self, subnet: ForemanSubnet, mac: str | None) -> str | None:
        try:
            if subnet.ipam:
                return self.ipam.next_ip(subnet.cidr, mac, subnet.group)
            return self.dhcp.unused_ip(subnet.path, mac, subnet.first, subnet.last)["ip"]
        except ProxyError:
            return None

    def _stopped_by_conflicts(self, records: list[Record], outcome: Outcome, *, overwrite: bool) -> bool:
        """Look before anything is done, also when the user said to overwrite what is found; else that is an error."""
        if not any(record.conflicts(self.dhcp) for record in records) or overwrite:
            return False
        for record in records:
            for other in record.conflicts(self.dhcp):
                outcome.fail("conflict", f"{other.hostname}-{other.mac}/{other.ip}")
        return True

    def _removing_conflicts(self, records: list[Record]) -> list[Step]:
        def do() -> bool:
            return all(all(other.destroy(self.dhcp) for other in each.conflicts(self.dhcp)) for each in records)

        def undo() -> None:
            for each in records:
                for other in each.conflicts(self.dhcp):
                    other.create(self.dhcp)

        return [Step(do, undo)]

    def _creating_records(self, records: list[Record]) -> Step:
        return Step(lambda: self._create(records), lambda: self._destroy(records))

    def _removing_records(self, records: list[Record]) -> Step:
        return Step(lambda: self._destroy(records), lambda: self._create(records))

    def _create(self, records: list[Record]) -> bool:
        return all(record.create(self.dhcp) for record in records)

    def _destroy(self, records: list[Record]) -> bool:
        return all(record.destroy(self.dhcp) for record in records)

    def _deleting(self, where: str, ip: str, subnet: ForemanSubnet) -> Step:
        """What is deleted from External IPAM is not brought back: Foreman logs that, and leaves it."""
        return Step(lambda: self.ipam.delete_ip(ip, subnet.cidr, subnet.group), lambda: None)

    def _add(self, where: str, ip: str, subnet: ForemanSubnet, outcome: Outcome) -> bool:
        """Ask, then take. An address that is taken marks the field; the step counts as done, and so do later ones."""
        if self.ipam.ip_exists(ip, subnet.cidr, subnet.group):
            outcome.fail(where, f"{ip} has already been reserved in External IPAM")
            return True
        return self.ipam.add_ip(ip, subnet.cidr, subnet.group)

    def _undo_add_of_new(self, new: Interface, outcome: Outcome) -> None:
        """Only the family without an error is looked after, and only if the other one has an error."""
        rest = self._family_to_look_after(new, outcome)
        if rest is not None and self.ipam.ip_exists(rest[1], rest[2].cidr, rest[2].group):
            self.ipam.delete_ip(rest[1], rest[2].cidr, rest[2].group)

    def _undo_add_of_changed(self, old: Interface, new: Interface, outcome: Outcome) -> None:
        """As with a new host, but what comes back is the old address of the family with the error."""
        if self._family_to_look_after(new, outcome) is None:
            return
        failed = "ip" if "ip" in outcome.marked else "ip6"
        for where, ip, subnet in _ipam_addresses(old):
            if where == failed and not self.ipam.ip_exists(ip, subnet.cidr, subnet.group):
                self.ipam.add_ip(ip, subnet.cidr, subnet.group)

    def _family_to_look_after(self, new: Interface, outcome: Outcome) -> tuple[str, str, ForemanSubnet] | None:
        marked = {"ip", "ip6"} & outcome.marked
        return next((each for each in _ipam_addresses(new) if len(marked) == 1 and each[0] not in marked), None)

    def _ordered(self, on_dhcp: list[Step], in_ipam: list[Step]) -> list[Step]:
        return in_ipam + on_dhcp if self._ipam_first else on_dhcp + in_ipam

    def _run(self, steps: list[Step], outcome: Outcome, later: Callable[[], bool] | None) -> Outcome:
        """Do the steps, and undo them when one fails or leaves an error behind."""
        done: list[Step] = []
        for step in [*steps, *([Step(later, lambda: None)] if later else [])]:
            try:
                if not step.do():
                    outcome.fail("base", "failed")
                    break
            except ProxyError as error:
                outcome.fail("base", error)
                break
            done.append(step)
        if not outcome.fine:
            for step in reversed(done):
                try:
                    step.undo()
                except ProxyError as error:
                    outcome.fail("base", error)
        return outcome


def _ipam_addresses(interface: Interface) -> list[tuple[str, str, ForemanSubnet]]:
    """The addresses that External IPAM is told of: field of the form, address, subnet."""
    both = (("ip", interface.ip, interface.subnet), ("ip6", interface.ip6, interface.subnet6))
    return [(where, ip, subnet) for where, ip, subnet in both if ip and subnet and subnet.ipam]


def _dhcp_differs(old: Interface, new: Interface) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in ("ip", "name", "macs", "subnet", "filename"))
