"""Addresses, networks, ranges and MACs as arguments and options, read by the book's own parsers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click
from netaddr import IPAddress

from providers.address_book.texts import (
    refuse_unfit_description,
    refuse_unfit_filename,
    refuse_unfit_mtu,
    refuse_unfit_name,
    refuse_unfit_next_server,
    refuse_unfit_note,
)
from providers.addresses import Range, parse_address, parse_mac, parse_network
from providers.clock import parse_moment
from providers.errors import InvalidValue

_LONGEST_NUMBER = 9


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
    parts = [part.strip() for part in text.split(",")]
    if "" in parts and len(parts) > 1:
        raise InvalidValue(f"there is nothing between two commas, or at the end, of {text}")
    return tuple(map(parse_address, parts))


def _mac(text: str) -> str:
    try:
        return parse_mac(text)
    except InvalidValue as error:
        raise InvalidValue(f"{error}: write it as 52:54:00:aa:00:01") from error


def _mtu(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise InvalidValue("an MTU is a whole number of bytes")
    refuse_unfit_mtu(int(text))
    return int(text)


def _guest(text: str) -> tuple[str, str]:
    cluster, _, name = text.partition("/")
    if not cluster or not name or "/" in name:
        raise InvalidValue("write a guest as CLUSTER/NAME; a node that is in no cluster is a cluster of its own")
    return cluster, name


def _checked(refuse: Callable[[str], None]) -> Callable[[str], str]:
    """Read a text as it is, after the book's own check, so that the message can name the option."""

    def parse(text: str) -> str:
        refuse(text)
        return text

    return parse


ADDRESS = Parsed("IP", parse_address)
ADDRESSES = Parsed("IP,IP", _addresses)
MAC = Parsed("MAC", _mac)
NETWORK = Parsed("CIDR", parse_network)
RANGE = Parsed("A-B", Range.parse)
MTU = Parsed("N", _mtu)
GUEST = Parsed("CLUSTER/NAME", _guest)
MOMENT = Parsed("TIME", parse_moment)
NAME = Parsed("NAME", _checked(partial(refuse_unfit_name, "name")))
NEXT_SERVER = Parsed("HOST", _checked(refuse_unfit_next_server))
FILENAME = Parsed("FILE", _checked(refuse_unfit_filename))
DESCRIPTION = Parsed("TEXT", _checked(refuse_unfit_description))
TEXT = Parsed("TEXT", _checked(refuse_unfit_note))

network_argument = click.argument("network", type=NETWORK, metavar="CIDR")
optional_network_argument = click.argument("network", type=NETWORK, metavar="[CIDR]", required=False)
address_argument = click.argument("address", type=ADDRESS, metavar="ADDRESS")
group_option = click.option(
    "--group", default="", metavar="G", help="Name of the group; without it all groups are searched."
)
