"""What a running Kea is configured to, from its ``config-get``."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from netaddr import AddrFormatError, IPNetwork

from providers.dhcp.kea.control import Control
from providers.errors import InvalidValue, Unavailable

log = logging.getLogger(__name__)

_HOSTS_DATABASES = ("hosts-database", "hosts-databases")
SHARE_ADVICE = 'For bonds Kea needs "ip-reservations-unique": false in Dhcp4 of its configuration'
"""What to do when Kea refuses a second MAC for an address."""

_DEFAULT_LEASE_FILE = "/var/lib/kea/kea-leases4.csv"


@dataclass(frozen=True, slots=True)
class KeaSubnet:
    """A subnet that Kea knows by ``id``, with its reservations as Kea gives them back."""

    id: int
    network: IPNetwork
    reservations: tuple[Mapping[str, Any], ...]


class Configuration:
    """One answer to ``config-get``."""

    def __init__(self, dhcp4: Mapping[str, Any]) -> None:
        self._dhcp4 = dhcp4
        self.subnets = {each.network: each for each in _subnets(dhcp4)}

    @classmethod
    def of(cls, control: Control) -> Configuration:
        """Ask a running Kea; raises Unavailable."""
        arguments = control.command("config-get").arguments
        found = arguments.get("Dhcp4") if isinstance(arguments, dict) else None
        if not isinstance(found, dict):
            raise Unavailable(f"{control.place} answers config-get without Dhcp4: it is no kea-dhcp4")
        return cls(found)

    def subnet(self, network: IPNetwork) -> KeaSubnet:
        """The subnet with that network; raises InvalidValue when Kea has none."""
        found = self.subnets.get(network)
        if found is None:
            raise InvalidValue(f"Kea has no subnet {network}: add it to subnet4 in Kea's configuration")
        return found

    @property
    def shares_addresses(self) -> bool:
        """Whether several MACs may have one address (``ip-reservations-unique`` is off)."""
        return self._dhcp4.get("ip-reservations-unique") is False

    @property
    def has_hosts_database(self) -> bool:
        """Whether Kea keeps reservations in a database."""
        return any(self._dhcp4.get(key) for key in _HOSTS_DATABASES)

    @property
    def changes_by_loading_alone(self) -> bool:
        """Whether subnets stay as they are until Kea reads or is given a whole configuration.

        The hook ``subnet_cmds`` changes single ones, and so does a configuration in a database.
        """
        libraries = (str(each.get("library", "")) for each in self._dhcp4.get("hooks-libraries") or ())
        return not self._dhcp4.get("config-control") and not any("subnet_cmds" in each for each in libraries)

    @property
    def lease_file(self) -> str | None:
        """The path of the lease file; None when leases are in a database or in memory alone."""
        database = self._dhcp4.get("lease-database") or {}
        if database.get("type", "memfile") != "memfile" or database.get("persist", True) is False:
            return None
        return str(database.get("name") or _DEFAULT_LEASE_FILE)

    def without_reservations(self) -> Configuration:
        """The same without the reservations of subnets, which can be very many."""
        return Configuration(self.with_reservations({})["Dhcp4"])

    def with_reservations(self, wanted: Mapping[int, Iterable[Mapping[str, Any]]]) -> dict[str, Any]:
        """The whole configuration with other reservations in some subnets, for ``config-test``.

        Reservations of the other subnets are left out: they have been accepted, and take time to be looked at again.
        """
        dhcp4 = copy.copy(dict(self._dhcp4))
        dhcp4["subnet4"] = [_tested(each, wanted) for each in dhcp4.get("subnet4") or ()]
        dhcp4["shared-networks"] = [
            {**shared, "subnet4": [_tested(each, wanted) for each in shared.get("subnet4") or ()]}
            for shared in dhcp4.get("shared-networks") or ()
        ]
        return {"Dhcp4": dhcp4}


def _tested(subnet: Mapping[str, Any], wanted: Mapping[int, Iterable[Mapping[str, Any]]]) -> dict[str, Any]:
    return {**subnet, "reservations": list(wanted.get(subnet.get("id", 0), ()))}


def _subnets(dhcp4: Mapping[str, Any]) -> Iterator[KeaSubnet]:
    for subnet in _described(dhcp4):
        try:
            network = IPNetwork(str(subnet["subnet"]))
        except (KeyError, AddrFormatError, ValueError):
            continue
        yield KeaSubnet(int(subnet.get("id", 0)), network.cidr, tuple(subnet.get("reservations") or ()))


def _described(dhcp4: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from dhcp4.get("subnet4") or ()
    for shared in dhcp4.get("shared-networks") or ():
        yield from shared.get("subnet4") or ()
