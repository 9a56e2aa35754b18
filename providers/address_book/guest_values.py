"""What a report about a guest may have in it, and the one form that it is kept in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from providers.address_book.texts import refuse_unfit_name, refuse_unfit_note
from providers.addresses import parse_mac
from providers.errors import InvalidValue
from providers.guests import GuestReport, WantedAddress

MOST_ADDRESSES = 256
MOST_NICS = 64

_NOT_IN_HOST_NAMES = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_HOST_NAME = 200
_NO_NAMES = {".", ".."}


def refuse_unfit_guest_name(cluster: str, name: str) -> None:
    """Raise InvalidValue unless both are fit for a name, a path and ``cluster/name``."""
    for what, text in (("cluster", cluster), ("guest name", name)):
        refuse_unfit_name(what, text)
        if "/" in text or text in _NO_NAMES:
            raise InvalidValue(f"Invalid {what} {text[:100]}: it has a slash in it, or is only dots")


def refuse_unfit_node(node: str) -> None:
    """Raise InvalidValue unless the name of a node is fit for one."""
    refuse_unfit_name("node", node)


def fit_report(report: GuestReport, now: datetime) -> GuestReport:
    """The report as it is kept: MACs in their one spelling, no address twice, no moment that lies ahead.

    A node whose clock is ahead would shut out all others until theirs arrive there. Raises InvalidValue for the first
    value that cannot be kept.
    """
    refuse_unfit_guest_name(report.cluster, report.name)
    refuse_unfit_node(report.node)
    for what, text in (("hostname", report.hostname), ("emulator", report.emulator)):
        if text is not None:
            refuse_unfit_name(what, text)
    if report.note is not None:
        refuse_unfit_note(report.note)
    nics, addresses = report.nics, report.addresses
    if nics is not None:
        if len(nics) > MOST_NICS:
            raise InvalidValue(f"{len(nics)} network cards are too many: {MOST_NICS} at most")
        for nic in nics:
            _refuse_unfit_names("network card", nic.name, nic.parent)
        nics = tuple(replace(nic, mac=parse_mac(nic.mac) if nic.mac else None) for nic in nics)
    if addresses is not None:
        addresses = tuple(_once(addresses))
        if len(addresses) > MOST_ADDRESSES:
            raise InvalidValue(f"{len(addresses)} addresses are too many: {MOST_ADDRESSES} at most")
        for each in addresses:
            _refuse_unfit_names("network card", each.nic)
            if each.address.is_ipv4_mapped():
                plain = each.address.ipv4()
                raise InvalidValue(f"{each.address} is an IPv4-mapped address, which no host has: write {plain}")
    return replace(report, at=min(report.at, now), nics=nics, addresses=addresses)


def plain_host_name(name: str) -> str:
    """The name as a DHCP client may be told it: only letters, digits, dots and hyphens."""
    return _NOT_IN_HOST_NAMES.sub("-", name)[:_LONGEST_HOST_NAME].strip("-.") or "guest"


def dhcp_names(name: str, mac: str) -> Iterator[str]:
    """Names for the DHCP host of a guest, the best one first; ``mac`` tells those of equal names apart."""
    plain = plain_host_name(name)
    digits = mac.replace(":", "")
    yield plain
    yield f"{plain}-{digits[-6:]}"
    yield f"{plain}-{digits}"


def _once(addresses: tuple[WantedAddress, ...]) -> Iterator[WantedAddress]:
    seen = set()
    for each in addresses:
        if each.address not in seen:
            seen.add(each.address)
            yield each


def _refuse_unfit_names(what: str, *names: str | None) -> None:
    for name in names:
        if name is not None:
            refuse_unfit_name(f"name of a {what}", name)
