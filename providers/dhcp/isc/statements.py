"""What dhcpd tells the client of one host, as statements of its grammar and back.

Values are never written between quotes: dhcpd 4.4 escapes neither ``"`` nor ``\\`` when it writes its leases file, so
after its next start such a text swallows every host behind it (seen with 4.4.3-P1). As octets, ``77:65:62``, they have
no grammar; dhcpd itself writes those that are printable as text, and those that hold a quote or a backslash go inside
``substring (00:5c, 1, 1)``, which it keeps as octets.

``set leasehold = "1";`` marks a host that Leasehold made. It does nothing, and the Ruby smart proxy passes over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from netaddr import IPAddress

from providers.addresses import parse_address
from providers.dhcp.isc import values
from providers.dhcp.isc.grammar import Statement
from providers.errors import InvalidValue
from providers.model import DHCPHost

Values = Mapping[str, bytes | str]
"""What is superseded for a client, by dhcpd's names; text for what is no constant or no such statement."""

HOSTNAME, FILENAME, NEXT_SERVER = "host-name", "server.filename", "server.next-server"

_LONGEST_NAME = 255
_NAME = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*(\.[A-Za-z0-9-][A-Za-z0-9_-]*)*\.?")
_UNPRINTED = b'"\\'
_IPV4_OCTETS = 4
_MARK = "leasehold"
_SOME_SERVER = IPAddress("127.0.0.1")
_VENDOR_SPACE = "server.vendor-option-space"
_SUN_SPACE = "SUNW"
_FIRMWARE_OPTION = "option-143"
_FIRMWARE = re.compile(r"vrpfile=(?P<core>[^;]*);webfile=(?P<web>[^;]*);")
_SUN_TEXTS = {
    "install_path": "SUNW.install-path",
    "install_server_name": "SUNW.install-server-hostname",
    "jumpstart_server_path": "SUNW.JumpStart-server",
    "root_path_name": "SUNW.root-path-name",
    "root_server_hostname": "SUNW.root-server-hostname",
    "sysid_server_path": "SUNW.sysid-config-file-server",
}
_SUN_ADDRESSES = {
    "install_server_ip": "SUNW.install-server-ip-address",
    "root_server_ip": "SUNW.root-server-ip-address",
}


def refuse_unfit_name(name: str) -> None:
    """Raise InvalidValue for a name that dhcpd would write into its leases file and not read back."""
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        shown = "".join(char if char.isprintable() else "?" for char in name[:100])
        raise InvalidValue(
            f"{shown} cannot be the name of a host of dhcpd: it is made of letters, digits, - and _ with dots between, "
            "and neither it nor what follows a dot begins with _"
        )


def statements(told: Values) -> str:
    """The statements that supersede ``told``, as OMAPI takes them, and our mark."""
    superseding = (f"supersede {name} = {_octets(value)};" for name, value in told.items() if isinstance(value, bytes))
    return " ".join((f"set {_MARK} = 31;", *superseding))


def is_mark(statement: Statement) -> bool:
    """Whether a statement marks a host that Leasehold made."""
    return statement.keyword == "set" and bool(statement.arguments) and statement.arguments[0].text == _MARK


def told_to(host: DHCPHost, next_server: IPAddress | None) -> dict[str, bytes | str]:
    """What the client of ``host`` is told; ``next_server`` is the address of its boot server.

    Vendor options and those of zero-touch provisioning are told as the Ruby smart proxy does. Raises InvalidValue for
    an option whose value is no address where it has to be one.
    """
    told: dict[str, bytes | str] = {HOSTNAME: host.hostname.encode()}
    if host.filename:
        told[FILENAME] = host.filename.encode()
    if next_server is not None:
        told[NEXT_SERVER] = next_server.packed
    told.update(_sun(host.options))
    told.update(_provisioning(host, next_server))
    return told


def told_by(block: Iterable[Statement]) -> dict[str, bytes | str]:
    """What the statements of a host in the leases file tell its client."""
    told: dict[str, bytes | str] = {}
    for each in block:
        if each.keyword in ("dynamic", "hardware", "fixed-address") or is_mark(each):
            continue
        if each.keyword == "supersede" and each.block is None and each.arguments:
            name, expression = each.arguments[0].text, each.arguments[1:]
            constant = values.constant(expression)
            told[name] = " ".join(word.text for word in expression[1:]) if constant is None else constant
        else:
            told[each.keyword] = " ".join(word.text for word in each.arguments)
    return told


def host_told(name: str, mac: str, address: IPAddress, told: Values) -> DHCPHost:
    """The host that is told that; what has no place of its own becomes an option with dhcpd's name for it."""
    others = {key: _text(value) for key, value in told.items() if key not in (HOSTNAME, FILENAME, NEXT_SERVER)}
    server = told.get(NEXT_SERVER)
    if isinstance(server, bytes) and len(server) == _IPV4_OCTETS:
        next_server: str | None = ".".join(map(str, server))
    else:
        next_server = _text(server) if server else None
    filename = told.get(FILENAME)
    return DHCPHost(
        mac,
        name,
        _text(told[HOSTNAME]) if told.get(HOSTNAME) else name,
        _text(filename) if filename else None,
        next_server,
        others,
        address,
    )


def names_told(host: DHCPHost) -> frozenset[str]:
    """dhcpd's names of what the client of ``host`` is told."""
    try:
        return frozenset(told_to(host, _SOME_SERVER if host.next_server else None))
    except InvalidValue:
        return frozenset()


def options_told(told: Values) -> dict[str, Any]:
    """The options of a host, by the book's names, that let it be told this: those of Solaris and of Huawei."""
    found: dict[str, Any] = {key: _text(told[name]) for key, name in _SUN_TEXTS.items() if name in told}
    for key, name in _SUN_ADDRESSES.items():
        octets = told.get(name)
        if isinstance(octets, bytes) and len(octets) == _IPV4_OCTETS:
            found[key] = ".".join(map(str, octets))
    if found:
        found["vendor"] = "sun"
    firmware = _FIRMWARE.fullmatch(_text(told.get(_FIRMWARE_OPTION, "")))
    if firmware is not None:
        images = {part: text for part, text in firmware.groupdict().items() if text}
        found |= {"ztp_vendor": "huawei", "ztp_firmware": images}
    return found


def _octets(value: bytes) -> str:
    plain = value.hex(":")
    if any(octet in _UNPRINTED for octet in value):
        return f"substring (00:{plain}, 1, {len(value)})"
    return plain


def _text(value: bytes | str) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex(":")


def _sun(options: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
    """What Foreman tells a Solaris machine about its installation; dhcpd.conf has to define the options."""
    found = False
    for key, value in options.items():
        if key in _SUN_TEXTS:
            yield _SUN_TEXTS[key], str(value).encode()
        elif key in _SUN_ADDRESSES:
            yield _SUN_ADDRESSES[key], parse_address(str(value), version=4).packed
        else:
            continue
        found = True
    if found:
        yield _VENDOR_SPACE, _SUN_SPACE.encode()


def _provisioning(host: DHCPHost, next_server: IPAddress | None) -> Iterator[tuple[str, bytes]]:
    """Junos and Huawei (``ztp.cfg``) and Cisco NX-OS (``poap.cfg``) want their file and server in further options."""
    filename = host.filename or ""
    if filename.lower().startswith("ztp.cfg"):
        if next_server is None:
            raise InvalidValue(f"{host.address}: a host that boots {filename} needs a next server")
        yield "option-150", next_server.packed
        yield "FM_ZTP.config-file-name", filename.encode()
        firmware = host.options.get("ztp_firmware")
        if host.options.get("ztp_vendor") == "huawei" and isinstance(firmware, Mapping):
            yield _FIRMWARE_OPTION, f"vrpfile={firmware.get('core', '')};webfile={firmware.get('web', '')};".encode()
    elif filename.lower().startswith("poap.cfg"):
        if host.next_server:
            yield "tftp-server-name", host.next_server.encode()
        yield "bootfile-name", filename.encode()
