"""What somebody known may do."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from providers.errors import Forbidden
from providers.tokens import Scope
from proxy.access.identity import Identity, Proof
from proxy.access.limits import limited
from proxy.access.policy import Declaration, Policy

_LOOK = frozenset({Policy.READ})
_CHANGE = frozenset({Policy.READ, Policy.WRITE})
_RESERVE = frozenset({Policy.READ, Policy.HOLD, Policy.WRITE})
_GUEST = frozenset({Policy.READ, Policy.HOLD, Policy.GUEST})
_ALL = frozenset(Policy)

_EVERY_FACE = "*"
_OF_SCOPE: Mapping[Scope, Mapping[str, frozenset[Policy]]] = {
    Scope.READ: {_EVERY_FACE: _LOOK},
    Scope.RESERVE: {"root": _LOOK, "dhcp": _CHANGE, "ipam": _CHANGE, "phpipam": _CHANGE, "api": _RESERVE},
    Scope.GUEST: {"root": _LOOK, "dhcp": _LOOK, "ipam": _LOOK, "phpipam": _LOOK, "api": _GUEST},
    Scope.ADMIN: {_EVERY_FACE: _ALL},
}
"""By face; a face that is not named gives nothing, so that a new one is closed until somebody decides."""

WHAT_HELPS = (
    "Writing over plain HTTP from another machine, or to a Host that is not localhost, needs a token (leasehold token "
    "create), :trusted_hosts: in settings.yml, or :insecure_http: true if everybody who can connect may change the book"
)


def permit(identity: Identity, declaration: Declaration, method: str, face: str, *, insecure_http: bool) -> None:
    """Raise Forbidden unless ``identity`` may send a request with that method to a route of ``face``.

    Routes that are open to everybody are not asked about.
    """
    policy = declaration.of(method)
    token = identity.token
    if token is not None:
        if not _in_scope(token.scopes, policy, face):
            scopes = " or ".join(_enough(policy, face))
            raise Forbidden(f"The token {token.name} may not do this: it takes scope {scopes}")
        if limited(token) and not declaration.keeps_limits:
            raise Forbidden(f"The token {token.name} may not do this: it is limited to subnets or groups")
        return
    if policy is Policy.ADMIN:
        raise Forbidden(f"This takes a token of scope {Scope.ADMIN}")
    if policy.changes and identity.proof is Proof.NONE and not insecure_http:
        raise Forbidden(WHAT_HELPS)


def _in_scope(scopes: Collection[Scope], policy: Policy, face: str) -> bool:
    return any(policy in _rights(scope, face) for scope in scopes)


def _rights(scope: Scope, face: str) -> frozenset[Policy]:
    of_faces = _OF_SCOPE.get(scope, {})
    return of_faces.get(face) or of_faces.get(_EVERY_FACE) or frozenset()


def _enough(policy: Policy, face: str) -> list[Scope]:
    return [scope for scope in Scope if policy in _rights(scope, face)]
