"""Addresses, networks, ranges and MACs as arguments and options, read by the book's own parsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from netaddr import IPAddress

from providers.addresses import Range, parse_address, parse_mac, parse_network
from providers.errors import InvalidValue

_SMALLEST_MTU = 68  # RFC 2132, section 5.1


class Parsed(click.ParamType[Any]):
    """A value that ``parse`` reads; what it complains about becomes a usage error.

    With ``clearable`` an empty text is allowed and means None: take away what was set.
    """

    def __init__(self, name: str, parse: Callable[[str], Any], *, clearable: bool = False) -> None:
        self.name = name
        self.parse = parse
        self.clearable = clearable

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Read the text; raises click.BadParameter."""
        if not isinstance(value, str):
            return value
        if not value and self.clearable:
            return None
        try:
            return self.parse(value)
        except InvalidValue as error:
            self.fail(str(error), param, ctx)

    def or_empty(self) -> Parsed:
        """The same type, but an empty text is allowed."""
        return Parsed(self.name, self.parse, clearable=True)


def _addresses(text: str) -> tuple[IPAddress, ...]:
    return tuple(parse_address(part.strip()) for part in text.split(","))


def _mtu(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len("65535") and _SMALLEST_MTU <= int(text) <= 0xFFFF):
        raise InvalidValue(f"an MTU is a whole number from {_SMALLEST_MTU} to 65535")
    return int(text)


def _line(longest: int, *, without: str = "") -> Callable[[str], str]:
    def parse(text: str) -> str:
        if len(text.encode(errors="replace")) > longest:
            raise InvalidValue(f"it is longer than {longest} bytes")
        if not text.isprintable():
            raise InvalidValue("it has line breaks or control characters")
        if not set(without).isdisjoint(text):
            raise InvalidValue(f"none of {' '.join(without)} may be in it")
        return text

    return parse


ADDRESS = Parsed("IP", parse_address)
ADDRESSES = Parsed("IP,IP", _addresses)
MAC = Parsed("MAC", parse_mac)
NETWORK = Parsed("CIDR", parse_network)
RANGE = Parsed("A-B", Range.parse)
MTU = Parsed("N", _mtu)
# What may be written into the configuration of a DHCP server has nothing that ends a string or a statement there.
NAME = Parsed("NAME", _line(255, without="\"'`{};\\"))
NEXT_SERVER = Parsed("HOST", _line(64, without=" \"'`{};\\"))
FILENAME = Parsed("FILE", _line(128, without='"'))
TEXT = Parsed("TEXT", _line(1000))

network_argument = click.argument("network", type=NETWORK, metavar="CIDR")
optional_network_argument = click.argument("network", type=NETWORK, metavar="[CIDR]", required=False)
address_argument = click.argument("address", type=ADDRESS, metavar="ADDRESS")
group_option = click.option(
    "--group", default="", metavar="G", help="Name of the group; without it all groups are searched."
)
