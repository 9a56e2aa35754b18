"""Numbers that phpIPAM's clients know addresses by, made of subnet and address, so that nothing has to be kept.

The number is ``subnet id * 2**32 + place in the subnet``, which a JSON double holds exactly as long as the subnet's id
is below 2**21. A place beyond 2**32, which only IPv6 has, takes ``subnet id * 2**128 + place``. Numbers that a double
cannot hold are sent as text, which phpIPAM does with older PHP too.
"""

from __future__ import annotations

import re

from netaddr import IPAddress

from providers.model import Subnet

_SHORT, _LONG = 32, 128
_LARGEST_EXACT = 2**53
_NUMBER = re.compile(r"[0-9]{1,60}")


def address_id(subnet: Subnet, address: IPAddress) -> int | str:
    """The identifier of ``address``, which lies in ``subnet``."""
    place = int(address) - subnet.network.first
    bits = _SHORT if place < 2**_SHORT and subnet.id < 2**_SHORT else _LONG
    number = (subnet.id << bits) + place
    return number if number < _LARGEST_EXACT else str(number)


def is_number(text: str) -> bool:
    """Whether ``text`` can be an identifier at all."""
    return _NUMBER.fullmatch(text) is not None


def split(number: int) -> tuple[int, int]:
    """The subnet's id and the place in it that an identifier was made of."""
    bits = _LONG if number >= 2**_LONG else _SHORT
    return number >> bits, number & (2**bits - 1)
