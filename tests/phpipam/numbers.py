"""IP addresses as phpIPAM has them: whole numbers, shown with dots when they fit 32 bits."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_LARGEST_V4 = 2**32 - 1
_NUMERIC = r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*"


def dotted(number: int) -> str:
    """As text; a small number is IPv4, whatever it was meant to be."""
    return str(IPv4Address(number)) if number <= _LARGEST_V4 else str(IPv6Address(number))


def is_address(text: object) -> bool:
    """Whether it is written as an address."""
    return _written(text) is not None


def number_of(value: object) -> int:
    """The whole number of an address; digits are one already, and what is no address is 0."""
    text = "" if value is None else str(value)
    if text.isascii() and text.isdigit():
        return int(text)
    return _written(text) or 0


def is_numeric(value: object) -> bool:
    """Whether PHP takes it for a number: blanks around it do not matter, a truth value is none."""
    return not isinstance(value, bool) and re.fullmatch(_NUMERIC, str(value)) is not None


def key_of(value: object) -> int:
    """The id that a database finds with a value; 0 for what is no number."""
    return int(float(str(value))) if is_numeric(value) else 0


def _written(text: object) -> int | None:
    if not isinstance(text, str) or "%" in text:
        return None
    for kind in (IPv4Address, IPv6Address):
        try:
            return int(kind(text))
        except AddressValueError:
            continue
    return None
