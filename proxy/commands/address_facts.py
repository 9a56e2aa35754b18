"""All that ``leasehold address show`` tells of one address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netaddr import IPAddress

from proxy.rows import guest_row, hold_row, reservation_row

if TYPE_CHECKING:
    from providers.guests import Guest
    from providers.model import Hold, Reservation, Subnet
    from proxy.commands.output import Row
    from proxy.commands.session import Desk

_MOST_GUESTS = 100


def facts(book: Desk, address: IPAddress, group: str) -> dict[str, Any]:
    """Who has an address; ``role`` is what the subnet says of it. Raises SubnetNotFound, GroupNotFound."""
    subnet = book.subnet_of(address, group)
    reservation = book.reservation(subnet, address)
    hold = None
    if reservation is None:
        hold = next((each for each in book.holds(subnet) if each.address == address), None)
    return {
        "address": str(address),
        "subnet": str(subnet.network),
        "group": subnet.group.name,
        "state": _state(reservation, hold),
        "role": _role(subnet, address),
        "reservation": None if reservation is None else reservation_row(reservation),
        "hold": None if hold is None else hold_row(hold),
        "guests": [guest_row(guest) for guest in _guests(book, subnet, address)],
    }


def lines(row: Row) -> dict[str, Any]:
    """The same for people: what there is nothing to say about is left out."""
    shown = {key: row[key] for key in ("address", "subnet", "group", "state")}
    if row["role"]:
        shown["role"] = row["role"]
    for key in ("reservation", "hold"):
        shown |= {name: value for name, value in (row[key] or {}).items() if name not in ("address", "subnet", "group")}
    if row["reservation"]:
        shown["uses"] = [f"{use} since {since}" for use, since in shown["uses"].items()]
        shown["hosts"] = [f"{host['mac']} {host['name']}" for host in shown["hosts"]]
    shown["guests"] = [f"{each['cluster']}/{each['name']} on {each['node']}, {each['state']}" for each in row["guests"]]
    return {key: value for key, value in shown.items() if value not in (None, "", [])}


def _state(reservation: Reservation | None, hold: Hold | None) -> str:
    if reservation is not None:
        return "reserved"
    return "not reserved" if hold is None else "held"


def _role(subnet: Subnet, address: IPAddress) -> str | None:
    options = subnet.options
    if address == options.gateway:
        return "gateway"
    if address in options.dns:
        return "name server"
    if address in options.ntp:
        return "time server"
    if subnet.dynamic is not None and address in subnet.dynamic:
        return f"in the dynamic range {subnet.dynamic}, which the DHCP server hands out by itself"
    excluded = next((span for span in subnet.exclusions if address in span), None)
    return None if excluded is None else f"excluded: {excluded}"


def _guests(book: Desk, subnet: Subnet, address: IPAddress) -> list[Guest]:
    """The guests that say that they have it there; several when it is shared, or after a clash."""
    place = subnet.network, subnet.group.name
    return [
        guest
        for guest in book.guests(address=address, limit=_MOST_GUESTS)
        if any(
            each.address == address and (each.subnet is None or (each.subnet.network, each.subnet.group.name) == place)
            for each in guest.addresses
        )
    ]
