"""From what a path says to what the book knows: subnets by id, addresses by id or by address and subnet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from netaddr import IPAddress

from providers.address_book.search import Sought
from providers.addresses import parse_address
from providers.errors import InvalidValue
from providers.model import Reservation, Subnet
from proxy.access import may_use, permit_subnet
from proxy.api.phpipam.envelope import Refused
from proxy.api.phpipam.identifiers import is_number, split
from proxy.api.phpipam.shapes import Row, address_row
from proxy.service import current_book


def subnet_by_id(number: str, refused: Refused) -> Subnet:
    """The subnet with that id; raises ``refused`` when there is none, Forbidden when it is not for this caller."""
    subnet = next((each for each in current_book().subnets() if str(each.id) == number), None)
    if subnet is None:
        raise refused
    permit_subnet(subnet)
    return subnet


def place_by_id(number: str, refused: Refused) -> tuple[Subnet, IPAddress]:
    """The subnet and the address that an address id means, whether it is reserved or not."""
    if not is_number(number):
        raise refused
    subnet_id, place = split(int(number))
    subnet = subnet_by_id(str(subnet_id), refused)
    if place >= subnet.network.size:
        raise refused
    return subnet, IPAddress(subnet.network.first + place, subnet.network.version)


def place_in_subnet(address: str, subnet_id: str, refused: Refused) -> tuple[Subnet, IPAddress]:
    """The same for an address, or its id, and the id of its subnet."""
    subnet = subnet_by_id(subnet_id, refused)
    if is_number(address):
        there, wanted = place_by_id(address, refused)
        if there.id != subnet.id:
            raise refused
        return subnet, wanted
    try:
        return subnet, parse_address(address, version=subnet.network.version)
    except InvalidValue:
        raise refused from None


def reserved(place: tuple[Subnet, IPAddress], refused: Refused) -> Reservation:
    """What is reserved there; raises ``refused`` when nothing is."""
    subnet, address = place
    found = current_book().reservation(subnet, address) if address in subnet.network else None
    if found is None:
        raise refused
    permit_subnet(found.subnet)
    return found


def labelled_row(reservation: Reservation) -> Row:
    """A reservation as it is shown."""
    return address_row(reservation, current_book().label_of(reservation.subnet, reservation.address))


def by_address(address: IPAddress) -> Iterator[Reservation]:
    """The reservations of an address in all groups, as far as this caller may see them."""
    return _sought(Sought(address=address))


def by_mac(mac: str) -> Iterator[Reservation]:
    """The reservations of a MAC."""
    return _sought(Sought(mac=mac))


def by_name(name: str) -> Iterator[Reservation]:
    """The reservations of a name as it is written, or else of the same in lower case."""
    first = next(found := _sought(Sought(name=name)), None)
    if first is not None:
        return chain([first], found)
    return _sought(Sought(name=name.lower()))


def by_beginning(name: str) -> Iterator[Reservation]:
    """The reservations with a name that begins so, but for case. Looks at all of them."""
    begins = name.casefold()
    return (each for each in _sought(Sought(text=name)) if (each.name or "").casefold().startswith(begins))


def _sought(sought: Sought) -> Iterator[Reservation]:
    book = current_book()
    seen = [subnet for subnet in book.subnets() if may_use(subnet)]
    page = book.search(sought, subnets=seen)
    yield from page.items
    while page.after is not None:
        page = book.search(sought, subnets=seen, after=page.after)
        yield from page.items
