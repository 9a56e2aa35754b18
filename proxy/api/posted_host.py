"""The DHCP host that the parameters of ``POST /dhcp/NETWORK`` describe; the address book checks its values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from providers.addresses import parse_mac
from providers.errors import InvalidValue
from providers.model import DHCPHost
from proxy.api.form import Parameters

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


def posted_host(form: Parameters) -> DHCPHost:
    """Return the host without its address; raises InvalidValue, for the MAC before all.

    ``name`` and ``hostname`` stand in for each other. ``<Vendor>attribute`` becomes an option when the vendor is
    Sun; ``ztp_vendor`` and ``ztp_firmware`` become options of those names. Unknown parameters are passed over.
    """
    mac = parse_mac(form.text("mac") or "")
    name, hostname = form.text("name"), form.text("hostname")
    if not (name or hostname):
        raise InvalidValue("Must provide hostname")
    return DHCPHost(
        mac=mac,
        name=name or hostname or "",
        hostname=hostname or name or "",
        filename=form.text("filename") or None,
        next_server=form.text("nextServer") or None,
        options=dict(_options(form)),
    )


def related_macs(form: Parameters) -> frozenset[str]:
    """The MACs that may share the address with the posted one; raises InvalidValue."""
    return frozenset(parse_mac(mac) for mac in form.texts("related_macs"))


def _options(form: Parameters) -> Iterator[tuple[str, Any]]:
    vendor = {
        match[2]: value
        for match, value in _vendor_fields(form)
        if _SUN.search(match[1]) and match[2] in SUN_OPTIONS
    }
    if vendor:
        yield from vendor.items()
        yield "vendor", "sun"
    ztp_vendor = form.text("ztp_vendor")
    if ztp_vendor:
        yield "ztp_vendor", ztp_vendor
    images = form.table("ztp_firmware")
    firmware = {part: images[part] for part in _ZTP_FIRMWARE if images.get(part)}
    if firmware:
        yield "ztp_firmware", firmware


def _vendor_fields(form: Parameters) -> Iterator[tuple[re.Match[str], str]]:
    for name in form:
        if name.startswith("<") and (match := _VENDOR_KEY.fullmatch(name)):
            value = form.text(name)
            if value:
                yield match, value
