"""The DHCP host that the parameters of ``POST /dhcp/NETWORK`` describe.

Whatever is taken here may later be written into the configuration of a DHCP server, so every value is bounded and
free of what ends a string or a statement there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from providers.addresses import parse_mac
from providers.errors import InvalidValue
from providers.model import DHCPHost
from proxy.api.form import Parameters

LONGEST_NAME = 255
LONGEST_FILENAME = 128
"""RFC 2131, section 2: the ``file`` field of a DHCP message."""
LONGEST_NEXT_SERVER = 64
"""RFC 2131, section 2: the ``sname`` field of a DHCP message."""

SUN_OPTIONS = frozenset(
    {
        "install_path",
        "install_server_ip",
        "install_server_name",
        "jumpstart_server_path",
        "root_path_name",
        "root_server_hostname",
        "root_server_ip",
        "sysid_server_path",
    }
)
"""What Foreman tells a Solaris machine about its installation."""

_ZTP_FIRMWARE = ("core", "web")
_VENDOR_KEY = re.compile(r"<([^>]+)>(.*)", re.DOTALL)
_SUN = re.compile("sun|solar|sparc", re.IGNORECASE)
_NOT_IN_NAMES = frozenset("\"'`{};\\")
_NOT_IN_VALUES = frozenset('"')
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?")


def posted_host(form: Parameters) -> DHCPHost:
    """Return the host without its address; raises InvalidValue for the first wrong value, the MAC before all.

    ``name`` and ``hostname`` stand in for each other. ``<Vendor>attribute`` becomes an option when the vendor is
    Sun; ``ztp_vendor`` and ``ztp_firmware`` become options of those names. Unknown parameters are passed over.
    """
    mac = parse_mac(form.text("mac") or "")
    name, hostname = form.text("name"), form.text("hostname")
    if not (name or hostname):
        raise InvalidValue("Must provide hostname")
    return DHCPHost(
        mac=mac,
        name=_checked("name", name or hostname or "", LONGEST_NAME, _NOT_IN_NAMES),
        hostname=_checked("hostname", hostname or name or "", LONGEST_NAME, _NOT_IN_NAMES),
        filename=_optional(form, "filename", LONGEST_FILENAME),
        next_server=_next_server(form),
        options=dict(_options(form)),
    )


def related_macs(form: Parameters) -> frozenset[str]:
    """The MACs that may share the address with the posted one; raises InvalidValue."""
    return frozenset(parse_mac(mac) for mac in form.texts("related_macs"))


def _options(form: Parameters) -> Iterator[tuple[str, Any]]:
    vendor = {
        match[2]: _checked(match[2], value, LONGEST_NAME, _NOT_IN_VALUES)
        for match, value in _vendor_fields(form)
        if _SUN.search(match[1]) and match[2] in SUN_OPTIONS
    }
    if vendor:
        yield from vendor.items()
        yield "vendor", "sun"
    ztp_vendor = _optional(form, "ztp_vendor", LONGEST_NAME)
    if ztp_vendor is not None:
        yield "ztp_vendor", ztp_vendor
    firmware = _firmware(form.table("ztp_firmware"))
    if firmware:
        yield "ztp_firmware", firmware


def _vendor_fields(form: Parameters) -> Iterator[tuple[re.Match[str], str]]:
    for name in form:
        if name.startswith("<") and (match := _VENDOR_KEY.fullmatch(name)):
            value = form.text(name)
            if value:
                yield match, value


def _firmware(images: Mapping[str, str]) -> dict[str, str]:
    return {
        part: _checked(f"ztp_firmware[{part}]", images[part], LONGEST_NAME, _NOT_IN_VALUES)
        for part in _ZTP_FIRMWARE
        if images.get(part)
    }


def _next_server(form: Parameters) -> str | None:
    server = form.text("nextServer")
    if not server:
        return None
    if len(server) <= LONGEST_NEXT_SERVER and _HOST_NAME.fullmatch(server):
        return server
    raise InvalidValue(
        f"Invalid nextServer {_shown(server)}: write an IPv4 address or a host name of at most "
        f"{LONGEST_NEXT_SERVER} characters"
    )


def _optional(form: Parameters, name: str, longest: int) -> str | None:
    text = form.text(name)
    return _checked(name, text, longest, _NOT_IN_VALUES) if text else None


def _checked(name: str, text: str, longest: int, forbidden: frozenset[str]) -> str:
    if len(text.encode()) > longest:
        raise InvalidValue(f"Invalid {name} {_shown(text)}: it is longer than {longest} bytes")
    if not text.isprintable():
        raise InvalidValue(f"Invalid {name} {_shown(text)}: it has control characters")
    if not forbidden.isdisjoint(text):
        raise InvalidValue(f"Invalid {name} {_shown(text)}: none of {' '.join(sorted(forbidden))} may be in it")
    return text


def _shown(text: str) -> str:
    """The caller's text as an error may repeat it: on one line, not endless."""
    return "".join(char if char.isprintable() else "?" for char in text[:100])
