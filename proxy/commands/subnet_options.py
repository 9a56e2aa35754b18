"""What ``subnet add`` and ``subnet set`` let people say about a subnet, and what it changes in its description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from providers.model import Options, Strategy, SubnetSpec
from proxy.commands.parameters import ADDRESS, ADDRESSES, FILENAME, MTU, NAME, NEXT_SERVER, RANGE, TEXT

_Command = TypeVar("_Command", bound=Callable[..., Any])

_TOLD_TO_CLIENTS = {field.name for field in fields(Options)}
_ASKED = (
    click.option("--description", type=TEXT, help="A few words for people."),
    click.option("--pool", type=RANGE.or_empty(), help="Addresses to hand out; without it all but the dynamic range."),
    click.option("--dynamic", type=RANGE.or_empty(), help="Addresses that the DHCP server hands out on its own."),
    click.option(
        "--exclude",
        "exclusions",
        type=RANGE.or_empty(),
        multiple=True,
        metavar="A[-B]",
        help="Addresses never to suggest; may be repeated.",
    ),
    click.option("--gateway", type=ADDRESS.or_empty(), help="Default gateway; never handed out."),
    click.option("--dns", type=ADDRESSES.or_empty(), help="Name servers."),
    click.option("--ntp", type=ADDRESSES.or_empty(), help="Time servers."),
    click.option("--domain", type=NAME.or_empty(), help="Domain name."),
    click.option("--mtu", type=MTU.or_empty(), help="MTU in bytes."),
    click.option("--next-server", type=NEXT_SERVER.or_empty(), help="Boot server: an address or a name."),
    click.option("--filename", type=FILENAME.or_empty(), help="Boot file."),
    click.option(
        "--strategy",
        type=click.Choice([str(strategy) for strategy in Strategy]),
        help="Which free address comes next; a new subnet takes the first.",
    ),
    click.option("--dhcp/--no-dhcp", default=None, help="Whether /dhcp serves it, IPv4 only; a new subnet is served."),
)


def subnet_options(command: _Command) -> _Command:
    """Add the options to a click command, in the order in which help lists them."""
    for option in reversed(_ASKED):
        command = option(command)
    return command


def typed(ctx: click.Context, options: Mapping[str, object]) -> dict[str, Any]:
    """Those of ``options`` that were typed, by their field in SubnetSpec or Options; an empty text has become empty."""
    given: dict[str, Any] = {
        name: value for name, value in options.items() if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    for name in ("dns", "ntp"):
        if name in given:
            given[name] = given[name] or ()
    if "exclusions" in given:
        given["exclusions"] = tuple(span for span in given["exclusions"] if span is not None)
    if "strategy" in given:
        given["strategy"] = Strategy(given["strategy"])
    return given


def described(spec: SubnetSpec, given: Mapping[str, Any]) -> SubnetSpec:
    """``spec`` with what was typed."""
    told = {name: value for name, value in given.items() if name in _TOLD_TO_CLIENTS}
    rest = {name: value for name, value in given.items() if name not in _TOLD_TO_CLIENTS}
    return replace(spec, options=replace(spec.options, **told), **rest)
