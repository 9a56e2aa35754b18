"""Tokens limited to subnets or groups: what they may touch, and what they see in lists."""

from __future__ import annotations

from netaddr import IPNetwork

from providers.errors import Forbidden
from providers.model import Subnet
from providers.tokens import Token
from proxy.access.refusals import current_refusals
from proxy.access.session import current_identity


def permit_subnet(subnet: Subnet) -> None:
    """Raise Forbidden when this request's token is limited to other subnets or groups."""
    if not may_use(subnet):
        raise _forbidden(f"subnet {subnet.network}")


def may_use(subnet: Subnet) -> bool:
    """Whether this request may touch ``subnet``, and see it in lists."""
    token = current_identity().token
    return token is None or covers(token, subnet)


def may_see_place(network: str | None, group: str | None) -> bool:
    """Whether this request may see what happened in a network of a group, be it there still or not."""
    token = current_identity().token
    if token is None or not limited(token):
        return True
    if network is None or group is None:
        return False
    return _covers(token, IPNetwork(network), group)


def permit_group(name: str, subnets: list[Subnet]) -> None:
    """Raise Forbidden when this request's token is limited to other groups, or to none of the group's ``subnets``."""
    if not may_see_group(name, subnets):
        raise _forbidden(f"group {name}")


def may_see_group(name: str, subnets: list[Subnet]) -> bool:
    """Whether this request may see a group with those ``subnets`` in it."""
    token = current_identity().token
    if token is None:
        return True
    if token.groups and not _among(name, token.groups):
        return False
    return not token.subnets or any(covers(token, subnet) for subnet in subnets)


def only_group() -> str:
    """The group that a request means when it names none: that of a token for one group, else any (empty)."""
    token = current_identity().token
    return token.groups[0] if token is not None and len(token.groups) == 1 else ""


def limited(token: Token) -> bool:
    """Whether a token is limited to subnets or groups."""
    return bool(token.subnets or token.groups)


def covers(token: Token, subnet: Subnet) -> bool:
    """Whether the limits of ``token`` leave it ``subnet``; both limits count when both are set."""
    return _covers(token, subnet.network, subnet.group.name)


def _covers(token: Token, network: IPNetwork, group: str) -> bool:
    if token.groups and not _among(group, token.groups):
        return False
    return not token.subnets or any(_inside(network, each) for each in token.subnets)


def _inside(inner: IPNetwork, outer: IPNetwork) -> bool:
    return inner.version == outer.version and inner in outer


def _among(name: str, names: tuple[str, ...]) -> bool:
    return name.casefold() in {each.casefold() for each in names}


def _forbidden(what: str) -> Forbidden:
    identity = current_identity()
    current_refusals().of_known(identity, "not in its limits")
    return Forbidden(f"The token {identity.name} is limited to other subnets or groups than {what}")
