"""What a route needs of whoever calls it, declared where the route is defined.

::

    @face.get("/<network>/unused_ip")
    @access(Policy.WRITE, head=Policy.READ, keeps_limits=True)
    def unused_ip(network: str) -> Response: ...

A route without a declaration is refused to everybody, and a test fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

_ATTRIBUTE = "leasehold_access"


class Policy(StrEnum):
    """What a request does, from the harmless to the dangerous."""

    OPEN = "open"
    """Anybody may, and nobody is asked who they are."""
    READ = "read"
    HOLD = "hold"
    """Promises an address on ``/api/v1``, or ends a promise: nothing is taken for good."""
    GUEST = "guest"
    """Changes what is known of guests, or who may run one."""
    WRITE = "write"
    """Changes the book. Asking for an address does, because it is held from then on."""
    ADMIN = "admin"
    """For tokens of scope ``admin`` alone."""

    @property
    def changes(self) -> bool:
        """Whether such a request changes the book."""
        return self not in {Policy.OPEN, Policy.READ}


@dataclass(frozen=True, slots=True)
class Declaration:
    """What :func:`access` was told about a route."""

    policy: Policy
    head: Policy
    keeps_limits: bool

    def of(self, method: str) -> Policy:
        """The policy for a request with that method."""
        return self.head if method == "HEAD" else self.policy


def access(policy: Policy, *, head: Policy | None = None, keeps_limits: bool = False) -> Callable[[View], View]:
    """Declare the ``policy`` of a route; ``head`` is that of HEAD where it differs.

    ``keeps_limits`` says that the route asks :func:`proxy.access.limits.permit_subnet` and its like about all that it
    shows or changes, or has nothing of any subnet. Tokens limited to subnets or groups are refused on all others.
    """
    declaration = Declaration(policy, head or policy, keeps_limits)

    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, declaration)
        return view

    return declare


def declared(view: Callable[..., Any] | None) -> Declaration | None:
    """What was declared for a view function; None when nothing was."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Declaration) else None
