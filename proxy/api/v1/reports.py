"""Reports about guests: what their bodies mean, and whether the token reaches what they touch."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from providers.errors import GuestNotFound, SubnetNotFound
from providers.guests import NIC, Guest, GuestReport, GuestState, WantedAddress
from proxy.access import may_use, only_group, permit_subnet
from proxy.api.v1.operation import Loaded
from proxy.api.v1.places import current_token_is_limited
from proxy.service import current_book


def report_of(cluster: str, name: str, node: str, body: Loaded) -> GuestReport:
    """The report that a body makes about a guest."""
    addresses, nics = body["addresses"], body["nics"]
    return GuestReport(
        cluster,
        name,
        node,
        moment_of(body),
        emulator=body["emulator"],
        hostname=body["hostname"],
        state=None if body["state"] is None else GuestState(body["state"]),
        addresses=None if addresses is None else tuple(WantedAddress(**each) for each in addresses),
        nics=None if nics is None else tuple(NIC(**each) for each in nics),
        group=body["group"] or only_group(),
        note=body["note"],
    )


def moment_of(given: Loaded) -> datetime:
    """When it happened: now, if nobody says."""
    at: datetime | None = given["at"]
    return current_book().clock() if at is None else at


def permit_report(report: GuestReport) -> None:
    """Raise Forbidden when the token does not reach an address that the report takes, or may release."""
    if not current_token_is_limited():
        return
    book = current_book()
    permit_guests_addresses(report.cluster, report.name)
    for wanted in report.addresses or ():
        try:
            subnet = book.subnet_of(wanted.address, report.group)
        except SubnetNotFound:
            continue
        permit_subnet(subnet)


def permit_guests_addresses(cluster: str, name: str) -> None:
    """Raise Forbidden when a guest has an address that the token does not reach."""
    guest = _known_to_limited(cluster, name)
    for each in guest.addresses if guest is not None else ():
        if each.subnet is not None:
            permit_subnet(each.subnet)


def may_see_guest(cluster: str, name: str) -> bool:
    """Whether the token reaches a guest; one that is not known it does."""
    guest = _known_to_limited(cluster, name)
    return guest is None or _visible(guest)


def visible(guests: Iterable[Guest]) -> list[Guest]:
    """Those that the token reaches: guests without reserved addresses, or with one that it reaches."""
    return [guest for guest in guests if _visible(guest)]


def _known_to_limited(cluster: str, name: str) -> Guest | None:
    """The guest, if it is there and the token has limits at all."""
    if not current_token_is_limited():
        return None
    try:
        return current_book().guest(cluster, name)
    except GuestNotFound:
        return None


def _visible(guest: Guest) -> bool:
    subnets = [each.subnet for each in guest.addresses if each.subnet is not None]
    return not subnets or any(map(may_use, subnets))
