"""The guest that a CBSD hook was called for, as its variables describe it (guest-hooks, section 2).

Only the variables named here are looked at: others hold passwords.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from hooks.addresses import normal_address
from hooks.cbsd.ip4_addr import DHCP, REAL_DHCP, Addresses, read_ip4_addr
from hooks.mac import normal_mac

JAIL = "jail"
_MOST_NICS = 32
_LONGEST = 255
_IN_NO_NAME = frozenset("\"'`{};\\")
"""What the service takes in no name, because of the configuration files that names end up in."""
_SLAVE = "2"
_FOREIGN_PROGRAMS = "-static"


class NIC(NamedTuple):
    """A network card; ``name`` as CBSD numbers it."""

    name: str
    mac: str | None
    parent: str | None

    def as_reported(self) -> dict[str, object]:
        """The card as ``/api/v1`` takes it."""
        return {"name": self.name, "mac": self.mac, "parent": self.parent}


class CBSDGuest(NamedTuple):
    """A jail or virtual machine. ``has_started``: CBSD says that it runs, or cannot tell."""

    name: str
    emulator: str
    hostname: str | None
    addresses: Addresses
    nics: tuple[NIC, ...]
    is_slave: bool
    has_started: bool
    has_cards: bool

    @property
    def served_cards(self) -> tuple[NIC, ...]:
        """The cards that get their address from a real DHCP server, by the place of the word in ``ip4_addr``.

        CBSD asks its helper for jails that say ``DHCP``, so only virtual machines are left with that word.
        """
        if not self.has_cards or not self.nics:
            return ()
        words = {REAL_DHCP} if self.emulator == JAIL else {REAL_DHCP, *DHCP}
        places = [place for place, word in self.addresses.words if word in words]
        # An address of each family may be on one card, so there may be more items than cards.
        return tuple(dict.fromkeys(self.nics[min(place, len(self.nics) - 1)] for place in places))


def read_guest(environment: Mapping[str, str], shared: Collection[str] = ()) -> CBSDGuest | None:
    """The guest; None without a name, as when somebody runs a hook by hand."""
    name = environment.get("jname", "").strip()
    if not name:
        return None
    emulator = emulator_of(environment.get("emulator", ""))
    addresses = read_ip4_addr(environment.get("ip4_addr", ""), shared)
    cards = _cards(environment)
    return CBSDGuest(
        name=name,
        emulator=emulator,
        hostname=host_name(environment.get("host_hostname", "")),
        addresses=addresses._replace(
            listed=tuple(each._replace(nic=cards.get(each.text)) for each in addresses.listed)
        ),
        nics=tuple(_nics(environment)),
        # A copy of what runs on another node: its end is not the end of the guest.
        is_slave=environment.get("status", "").strip() == _SLAVE,
        # bhyve has no reliable jid, so only a jail can be seen to have failed.
        has_started=emulator != JAIL or _number(environment.get("jid", "")) > 0,
        # A jail without a network stack of its own has no MAC to be served.
        has_cards=emulator != JAIL or environment.get("vnet", "").strip() == "1",
    )


def emulator_of(text: str) -> str:
    """What CBSD calls an emulator. With that of programs for another processor (qemu-aarch64-static) it is a jail."""
    text = text.strip()
    return JAIL if not text or text.endswith(_FOREIGN_PROGRAMS) else text


def host_name(text: str) -> str | None:
    """The host name, None where there is none, or one that the service would not take.

    For that its addresses are not to be refused: they would be told to somebody else in a day.
    """
    text = text.strip()
    fits = text.isprintable() and len(text) <= _LONGEST and _IN_NO_NAME.isdisjoint(text)
    return text if fits and text not in ("", "0") else None


def _nics(environment: Mapping[str, str]) -> list[NIC]:
    found = []
    for number in range(_MOST_NICS):
        mac, parent = environment.get(f"nic_hwaddr{number}"), environment.get(f"nic_parent{number}", "").strip()
        if mac is not None or parent:
            found.append(NIC(f"nic{number}", normal_mac(mac or ""), parent if parent not in ("", "0") else None))
    return found


def _cards(environment: Mapping[str, str]) -> dict[str, str]:
    """The cards by their addresses, which CBSD tells for jails that have cards."""
    found = {}
    for number in range(_MOST_NICS):
        for item in environment.get(f"nic_address{number}", "").split(","):
            address = normal_address(item.rpartition("#")[2])
            if address is not None and f"nic_hwaddr{number}" in environment:
                found[address] = f"nic{number}"
    return found


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isdecimal() else 0
