"""A jail as iocage keeps it in ``config.json`` (guest-hooks, section 6); its listing may crash, the file does not.

What the file does not say is in ``defaults.json`` beside ``jails``, where ``iocage set KEY=VALUE default`` writes it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from hooks.addresses import Address, normal_address
from hooks.errors import BadInput
from hooks.mac import normal_mac
from hooks.settings import Settings

ROOTS = ("/iocage", "/zroot/iocage", "/mnt/iocage", "/usr/local/iocage")
"""Where iocage's file systems are mounted, when the settings do not say."""

_CONFIG, _DEFAULTS = "config.json", "defaults.json"
_DHCP = "dhcp"
_BY_ROUTER = "accept_rtadv"
"""Such an address is made by the jail itself, and kept for nobody."""
_NONE = {"", "none"}
_TEMPLATES = {"template", "pluginv2-template"}
_MAC_OF = re.compile(r"(vnet\d+)_mac")
_BETWEEN_MACS = re.compile(r"[\s,]+")


class Jail(NamedTuple):
    """A jail; ``known`` is False when it has addresses that the file does not tell.

    ``nics`` maps cards to MACs; ``asking`` are the cards that ask a DHCP server.
    """

    name: str
    hostname: str
    addresses: tuple[Address, ...]
    known: bool
    nics: Mapping[str, str]
    is_template: bool
    asking: tuple[str, ...] = ()

    def reported_nics(self) -> list[dict[str, object]] | None:
        """The cards as ``/api/v1`` takes them; None without a network stack of its own."""
        return [{"name": name, "mac": mac, "parent": None} for name, mac in self.nics.items()] or None


def root_of(settings: Settings) -> str:
    """Where iocage's file systems are. Raises BadInput when that is nowhere."""
    if settings.iocage_root:
        return settings.iocage_root
    for root in ROOTS:
        if os.path.isdir(os.path.join(root, "jails")):
            return root
    raise BadInput(f"iocage: its jails are in none of {', '.join(ROOTS)}: name the directory in iocage_root")


def read_jail(root: str, name: str, shared: Collection[str] = ()) -> Jail:
    """The jail of that name, or else of that tag. Raises BadInput when there is none, or its file cannot be read."""
    refuse_no_name(name)
    if not _has_config(root, name):
        name = _tagged(root, name) or name
    return _jail(name, _config(root, name), shared)


def refuse_no_name(name: str) -> None:
    """Raise BadInput for what iocage calls no jail."""
    if not name or "/" in name or name.startswith((".", "-")) or name.split() != [name]:
        raise BadInput(f"iocage: {name[:60]!r} is no name of a jail")


def property_of(root: str, name: str, key: str) -> str:
    """A property of a jail as the files have it; empty when it is not set there. Raises BadInput."""
    return str(_config(root, name).get(key, ""))


def jail_names(root: str) -> list[str]:
    """The directories of jails, templates among them. Raises BadInput when they cannot be listed."""
    place = os.path.join(root, "jails")
    try:
        with os.scandir(place) as found:
            return sorted(each.name for each in found if each.is_dir() and not each.name.startswith("."))
    except OSError as error:
        raise BadInput(f"iocage: {place} cannot be read: {error.strerror}") from error


def unread_jails(root: str) -> list[str]:
    """Jails that are there without their file, as when their file system is not mounted. Raises BadInput."""
    return [name for name in jail_names(root) if not _has_config(root, name)]


def all_jails(root: str, shared: Collection[str] = ()) -> Iterator[Jail]:
    """Every jail that has its file and is no template. Raises BadInput when one cannot be read."""
    for name in jail_names(root):
        if _has_config(root, name):
            jail = _jail(name, _config(root, name), shared)
            if not jail.is_template:
                yield jail


def _has_config(root: str, name: str) -> bool:
    return os.path.lexists(os.path.join(root, "jails", name, _CONFIG))


def _tagged(root: str, tag: str) -> str | None:
    """The jail with that tag: older versions name jails by UUID, and people say the tag."""
    tagged = [name for name in jail_names(root) if _has_config(root, name) and _config(root, name).get("tag") == tag]
    return tagged[0] if len(tagged) == 1 else None


def _config(root: str, name: str) -> dict[str, Any]:
    path = os.path.join(root, "jails", name, _CONFIG)
    try:
        with open(path, "rb") as file:
            config = json.load(file)
    except OSError as error:
        raise BadInput(f"iocage: jail {name}: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"iocage: jail {name}: {path} is no JSON: {error}") from error
    if not isinstance(config, dict):
        raise BadInput(f"iocage: jail {name}: {path} is no JSON object")
    return _defaults(root) | config


def _defaults(root: str) -> dict[str, Any]:
    """Empty without that file: then each property has the value that iocage was built with."""
    path = os.path.join(root, _DEFAULTS)
    try:
        with open(path, "rb") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"iocage: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"iocage: {path} is no JSON: {error}") from error
    return found if isinstance(found, dict) else {}


def _jail(name: str, config: Mapping[str, Any], shared: Collection[str]) -> Jail:
    nics = _nics(config) if _is_set(config, "vnet") else {}
    found: dict[str, Address] = {}
    asking: list[str | None] = [None] if _is_set(config, "dhcp") else []
    readable = True
    for key in ("ip4_addr", "ip6_addr"):
        for interface, word in _items(str(config.get(key) or "none")):
            address = normal_address(word)
            if address is not None:
                nic = interface if interface in nics else None
                found.setdefault(address, Address(address, interface, address in shared, nic))
            elif word.lower() == _DHCP:
                asking.append(interface)
            elif word.lower() != _BY_ROUTER:
                readable = False
    cards = tuple(_cards(asking, nics))
    return Jail(
        name=name,
        hostname=str(config.get("host_hostname") or name),
        addresses=tuple(found.values()),
        # Without a MAC nothing can be kept for what asks, so the addresses that are there are all that can be.
        known=readable and not cards and (bool(found) or not asking),
        nics=nics,
        is_template=_is_set(config, "template") or str(config.get("type", "")).lower() in _TEMPLATES,
        asking=cards,
    )


def _is_set(config: Mapping[str, Any], key: str) -> bool:
    return str(config.get(key, "0")).lower() in ("1", "on", "yes", "true")


def _items(text: str) -> Iterator[tuple[str | None, str]]:
    """The interface, if one is named, and what stands behind it, of ``[IFACE|]WORD[,...]``."""
    for item in text.split(","):
        before, _, after = item.strip().rpartition("|")
        if after.strip().lower() not in _NONE:
            yield (before if before.upper() not in ("", "DEFAULT") else None), after.strip()


def _cards(asking: list[str | None], nics: Mapping[str, str]) -> list[str]:
    """The cards that ask and whose MAC is known: the named ones, and the first one where none is named."""
    first = next(iter(nics), None)
    named = [first if interface is None else interface for interface in asking]
    return [each for each in dict.fromkeys(named) if each is not None and each in nics]


def _nics(config: Mapping[str, Any]) -> dict[str, str]:
    """The cards of a jail with a network stack of its own: of each pair of MACs the second one is the jail's."""
    found: dict[str, str] = {}
    for key in sorted(config, key=lambda each: (len(each), each)):
        named = _MAC_OF.fullmatch(key)
        if named is not None:
            macs = _BETWEEN_MACS.split(str(config[key]).strip())
            mac = normal_mac(macs[1]) if len(macs) > 1 else None
            if mac is not None:
                found[named[1]] = mac
    return found
