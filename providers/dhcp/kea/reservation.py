"""A DHCP host as Kea writes a reservation, and back.

Kea reads its configuration with a grammar of its own: JSON with comments (``#``, ``//``, ``/* */``) and
``<?include "file"?>``, none of which counts inside a string. What a caller gave stands inside strings only, which are
ASCII without control characters, so that nothing but the escapes for the quote and the backslash is ever needed: Kea
2.2 refuses ``\\u`` above 00ff and gives UTF-8 back as something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from netaddr import AddrFormatError, IPAddress, valid_ipv4

from providers.addresses import parse_mac
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import DHCPHost

LONGEST_FILENAME = 127
"""Kea keeps the last octet of the ``file`` field for the NUL."""

_OURS = "leasehold"
_NO_ADDRESS = "0.0.0.0"  # noqa: S104 - what Kea shows for an unset next-server
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def refuse_unfit(host: DHCPHost) -> None:
    """Raise InvalidValue for what Kea cannot serve."""
    if host.options:
        raise InvalidValue(f"Kea is not told further options: {', '.join(sorted(host.options))}")
    if not _HOSTNAME.fullmatch(host.hostname):
        raise InvalidValue(f"{host.hostname} is no host name that Kea could give to a client: letters, digits, - and .")
    if host.next_server is not None and not valid_ipv4(host.next_server):
        raise InvalidValue(f"Kea needs an IPv4 address as next server, not the name {host.next_server}")
    if host.filename is not None:
        if not (host.filename.isascii() and host.filename.isprintable()):
            raise InvalidValue("A boot file for Kea is ASCII")
        if len(host.filename) > LONGEST_FILENAME:
            raise InvalidValue(f"Kea takes boot files of at most {LONGEST_FILENAME} bytes, not {len(host.filename)}")


def written(host: DHCPHost) -> dict[str, Any]:
    """The reservation for a host whose values are fit. What only the book needs of it travels in ``user-context``."""
    reservation: dict[str, Any] = {
        "hw-address": host.mac,
        "ip-address": str(host.address),
        "hostname": host.hostname,
        "user-context": {_OURS: json.dumps({"name": host.name, "hostname": host.hostname})},
    }
    if host.next_server is not None:
        reservation["next-server"] = host.next_server
    if host.filename is not None:
        reservation["boot-file-name"] = host.filename
    return reservation


def is_as_written(reservation: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether Kea gives back what ``written`` wrote; much quicker than ``read``."""
    return (
        reservation.get("hw-address") == wanted["hw-address"]
        and reservation.get("ip-address") == wanted["ip-address"]
        and reservation.get("user-context") == wanted["user-context"]
        and str(reservation.get("hostname", "")).lower() == wanted["hostname"].lower()
        and (reservation.get("boot-file-name") or None) == wanted.get("boot-file-name")
        and (reservation.get("next-server") or _NO_ADDRESS) == wanted.get("next-server", _NO_ADDRESS)
    )


def is_ours(reservation: Mapping[str, Any]) -> bool:
    """Whether we wrote a reservation."""
    context = reservation.get("user-context")
    return isinstance(context, dict) and isinstance(context.get(_OURS), str)


def read(reservation: Mapping[str, Any]) -> DHCPHost | None:
    """The host of a reservation as Kea gives it back; None when it has no MAC and address.

    Of one that others wrote the name is its host name, or its address.
    """
    try:
        mac, address = _mac(str(reservation["hw-address"])), IPAddress(str(reservation["ip-address"]), 4)
    except (KeyError, InvalidValue, AddrFormatError, ValueError):
        return None
    hostname = str(reservation.get("hostname") or "")
    kept = _kept(reservation)
    # Kea gives host names back in lower case.
    if kept.get("hostname", "").lower() == hostname.lower():
        hostname = kept.get("hostname", hostname)
    next_server = str(reservation.get("next-server") or _NO_ADDRESS)
    return DHCPHost(
        mac=mac,
        name=kept.get("name") or hostname or str(address),
        hostname=hostname or str(address),
        filename=str(reservation.get("boot-file-name") or "") or None,
        next_server=None if next_server == _NO_ADDRESS else next_server,
        address=address,
    )


def ours(listed: Iterable[Mapping[str, Any]]) -> dict[str, DHCPHost]:
    """Our hosts by MAC: of two the first one, by which Kea goes."""
    hosts: dict[str, DHCPHost] = {}
    for host in map(read, filter(is_ours, listed)):
        if host is not None:
            hosts.setdefault(host.mac, host)
    return hosts


def refuse_taken(other: Mapping[str, Any] | None, host: DHCPHost) -> None:
    """Raise Conflict when somebody else has a reservation for the MAC or the address."""
    if other is None:
        return
    if other.get("hw-address") == host.mac:
        raise Conflict(f"Kea has a reservation of somebody else for {host.mac}: {other.get('ip-address')}")
    who = next((other[key] for key in ("hw-address", "duid", "client-id", "hostname") if other.get(key)), "another one")
    raise Conflict(f"Kea has a reservation of somebody else for {host.address}: {who}")


def refuse_other(there: DHCPHost | None, host: DHCPHost) -> None:
    """Raise Unavailable when ``there``, which was read back, is not what was added."""
    if there != host:
        raise Unavailable(f"Kea said it had added {host.address} for {host.mac}, and does not have it so")


def _mac(text: str) -> str:
    """Kea bears colons, dashes, and digits alone."""
    digits = text.replace("-", ":")
    return parse_mac(digits if ":" in digits else ":".join(re.findall("..?", digits)))


def _kept(reservation: Mapping[str, Any]) -> dict[str, str]:
    if not is_ours(reservation):
        return {}
    try:
        found = json.loads(reservation["user-context"][_OURS])
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
