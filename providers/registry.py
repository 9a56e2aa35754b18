"""Which providers exist, and how a name or a dotted path in the settings becomes a class."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from providers.errors import Misconfigured

IPAM_PROVIDERS: Mapping[str, str] = {
    "externalipam_local": "providers.ipam.local:LocalIPAM",
    "externalipam_phpipam": "providers.ipam.phpipam.provider:PhpIPAM",
}
DHCP_PROVIDERS: Mapping[str, str] = {
    "dhcp_kea": "providers.dhcp.kea.provider:KeaDHCP",
    "dhcp_isc": "providers.dhcp.isc.provider:ISCDHCP",
    "dhcp_dnsmasq": "providers.dhcp.dnsmasq.provider:DnsmasqDHCP",
    "dhcp_none": "providers.dhcp.none:NoDHCP",
}


def load_class(name: str, known: Mapping[str, str]) -> type:
    """Return the class for a provider ``name`` of ``known``, or for the dotted path ``package.module.Class``.

    Raises Misconfigured when there is neither, naming what exists.
    """
    target = known.get(name)
    if target is None and "." in name:
        module, _, attribute = name.rpartition(".")
        target = f"{module}:{attribute}"
    if target is None:
        names = ", ".join(sorted(known))
        raise Misconfigured(f"{name!r} does not exist; known: {names}, or the dotted path of a class")
    module, _, attribute = target.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise Misconfigured(f"{name!r} cannot be loaded: {error}") from error
    if not isinstance(found, type):
        raise Misconfigured(f"{name!r} is not a class")
    return found
