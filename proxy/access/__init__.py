"""Who may do what.

====================  ==================================================================
``policy``            what a route needs, declared where it is defined
``guard``             the check before every request
``credentials``       what a request shows as proof, by face
``identity``          who sent a request, as far as it was proved; ``session`` keeps it while it is handled
``proofs``            finding that out: token, certificate, reverse DNS, loopback
``browsers``          requests that a web page makes a browser send
``trusted_hosts``     the names of ``:trusted_hosts:``, and reverse DNS
``rights``            what somebody known may do: scopes of tokens, everybody else
``limits``            tokens limited to subnets or groups
``nodes``             tokens of a node, which speak for that node alone
``refusals``          what was refused: counted, slowed, logged
``throttle``          the count, per source
``notices``           what the log says about access at every start
``table``             who x endpoint x status, as the tests try it; ``page`` is docs/access.md
====================  ==================================================================
"""

from __future__ import annotations

from proxy.access.limits import may_see_group, may_use, only_group, permit_group, permit_subnet
from proxy.access.policy import Policy, access
from proxy.access.session import current_identity

__all__ = [
    "Policy",
    "access",
    "current_identity",
    "may_see_group",
    "may_use",
    "only_group",
    "permit_group",
    "permit_subnet",
]
