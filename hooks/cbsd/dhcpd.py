"""``cbsd-dhcpd``: the external helper of ``cbsd dhcpd`` and ``cbsd dhcpdv6`` (guest-hooks, section 1).

Prints one address and nothing else. Every call takes another one: CBSD calls for each element of ``DHCP,DHCP``, and
its dialogs call to show a proposal. It is held for a day; the hooks make it permanent when the guest is created.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hooks.addresses import normal_address
from hooks.cbsd.pool import Span, joined, network_span, of_subnet, read_pool
from hooks.cbsd.words import Wanted, understood
from hooks.errors import BadInput, HookError, NotAllowed, Refused
from hooks.journal import Journal, journal_of
from hooks.node import cluster_of, node_name
from hooks.service import Call, Service, segment
from hooks.settings import Settings, load
from hooks.told import told_address

FINE, FAILED, FULL = 0, 1, 2
_USED_UP = "exhausted"
_NOT_FOUND, _UNFIT = 404, 422
_MINUTE = 60
_A_YEAR = 365 * 24 * 60
_MARK = "#dhcpd-"
"""In the key of every hold that a helper takes, after cluster and node."""


class Place(NamedTuple):
    """A subnet of the service, its group, and the part of it that is wanted: None for all of it."""

    subnet: str
    group: str
    span: Span | None


def run(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Print an address; returns 0, 2 when none is free, and 1 for any other failure, or 2 with ``fail_closed``."""
    journal, failed = Journal("cbsd-dhcpd"), FULL
    try:
        settings = load(environment)
        failed = FULL if settings.fail_closed else FAILED
        journal = journal_of(settings, "cbsd-dhcpd")
        wanted = understood(arguments, environment)
        service = Service(settings)
        if wanted.cleanup is not None:
            # Nobody takes an address from this, so there is nothing to be closed.
            failed = FAILED
            _give_back(service, journal, wanted.cleanup, f"key:{cluster_of(settings, environment)}/")
            return FINE
        address = _next_address(settings, service, wanted, environment)
    except HookError as error:
        journal.loud(str(error))
        return failed
    if address is None:
        journal.loud("no address is free in what was asked for")
        return FULL
    if not _printed(address):
        journal.loud(f"{address} could not be told: standard output is closed")
        return failed
    journal.info(f"{address} is held")
    return FINE


def _next_address(
    settings: Settings, service: Service, wanted: Wanted, environment: Mapping[str, str]
) -> str | None:
    """Hold the first address that is free in the pool, else in the subnets of the settings; None when all is full."""
    node, cluster = node_name(settings, environment), cluster_of(settings, environment)
    body: dict[str, object] = {
        # A key of its own for each call: the same one would be told the same address.
        "key": f"{cluster}/{node}{_MARK}{os.urandom(8).hex()}",
        "minutes": min(max(settings.hold_minutes, -(-wanted.lease_seconds // _MINUTE), 1), _A_YEAR),
        "use": "guest",
    }
    full, unfit = False, None
    for place in _places(settings, service, wanted):
        span = {"from": place.span.first, "to": place.span.last} if place.span is not None else {}
        query = {"group": place.group} if place.group else None
        try:
            answer = service.call(Call("POST", f"/subnets/{place.subnet}/next", query, body | span))
        except Refused as error:
            if error.code == _USED_UP:
                full = True
                continue
            if error.status == _UNFIT and span:
                # Such as the network's own address, which is in many a pool.
                unfit = error
                continue
            raise
        return told_address(answer, version=wanted.version)
    if unfit is not None and not full:
        raise unfit
    return None


def _places(settings: Settings, service: Service, wanted: Wanted) -> Iterator[Place]:
    """Where to look, in order. Raises BadInput when nothing says where."""
    pool = read_pool(wanted.pool, wanted.version)
    if not pool:
        subnets = [each for each in settings.subnets if (":" in each) == (wanted.version == 6)]
        if not subnets:
            raise BadInput(f"CBSD named no pool, and subnets of the settings names none of IPv{wanted.version}")
        for subnet in subnets:
            yield Place(subnet, settings.group, None)
        return
    for span in joined(pool, settings.pools):
        yield from _places_of(service, span, settings.pools.get(span.written, settings.group))


def _places_of(service: Service, span: Span, group: str) -> Iterator[Place]:
    """The subnet that holds a span or, if it takes several, all in which a part of it lies."""
    query = {"group": group} if group else {}
    try:
        found = service.call(Call("GET", "/subnets", query | {"ip": span.first}))["items"][0]
    except NotAllowed:
        raise
    except Refused as error:
        if error.status != _NOT_FOUND:
            raise
    else:
        if network_span(found["network"]).holds(span):
            yield Place(found["network"], found["group"], of_subnet(span, found["network"]))
            return
    nowhere = True
    for row in service.items("/subnets", query):
        try:
            part = of_subnet(span, row["network"])
        except BadInput:
            continue
        nowhere = False
        yield Place(row["network"], row["group"], part)
    if nowhere:
        raise BadInput(f"the pool {span.written} is in no subnet of the service")


def _give_back(service: Service, journal: Journal, words: Sequence[str], ours: str) -> None:
    """End what helpers of this cluster hold: what is reserved is a guest's, and what others hold is theirs."""
    for word in words:
        address = normal_address(word)
        if address is None:
            journal.warning(f"cleanup: {word[:60]} is no address")
            continue
        try:
            held = list(service.items("/holds", {"ip": address}))
            for hold in held:
                if hold["key"].startswith(ours) and _MARK in hold["key"]:
                    service.call(Call("DELETE", f"/holds/{segment(address)}", {"group": hold["group"]}))
                    journal.info(f"{address} is given back")
        except NotAllowed:
            raise
        except Refused as error:
            # Reserved by now, or free already: both are as they should be.
            journal.info(f"{address}: {error}")


def _printed(address: str) -> bool:
    """Whether somebody can read it. What is left in a buffer would change the status at the end of the program."""
    if sys.stdout is None:
        return False
    try:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
    except OSError:
        try:
            sys.stdout.close()
        except OSError:
            return False
        return False
    return True
