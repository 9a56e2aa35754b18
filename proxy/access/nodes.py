"""Tokens of a node: they speak for that node, about guests of its cluster, and about nothing else."""

from __future__ import annotations

from providers.errors import Forbidden
from providers.tokens import Scope, Token
from proxy.access.refusals import current_refusals
from proxy.access.session import current_identity


def permit_guest(cluster: str, node: str | None) -> None:
    """Raise Forbidden when this request's token is one of a node, and that is not ``node`` or in another cluster.

    A request that names no node speaks for any, which such a token may not.
    """
    token = _bound(Scope.ADMIN)
    if token is None:
        return
    own_cluster = cluster_of(token)
    if node != token.node:
        raise _forbidden(f"The token {token.name} speaks for node {token.node} alone: say so in the request")
    if cluster != own_cluster:
        raise _forbidden(f"The token {token.name} is for guests of cluster {own_cluster} alone")


def permit_hold(key: str) -> None:
    """Raise Forbidden when this request's token is one of a node and the hold is not one for guests of its cluster.

    Those have a key that begins with the cluster's name and a slash.
    """
    token = _bound(Scope.ADMIN, Scope.RESERVE)
    if token is not None and not key.startswith(f"key:{cluster_of(token)}/"):
        raise _forbidden(
            f"The token {token.name} may extend and release only holds for guests of its cluster, with a key that "
            f"begins with {cluster_of(token)}/"
        )


def permit_key(key: str | None, mac: str | None) -> None:
    """Raise Forbidden when this request's token is one of a node and the ``key`` to hold for is another cluster's.

    The hold of a ``mac`` without a key may be anybody's, and asking for it again can move it.
    """
    token = _bound(Scope.ADMIN, Scope.RESERVE)
    if token is None or (key is None and mac is None):
        return
    if key is None or not key.startswith(f"{cluster_of(token)}/"):
        raise _forbidden(f"The token {token.name} holds with keys that begin with {cluster_of(token)}/")


def _bound(*free: Scope) -> Token | None:
    """This request's token if it is one of a node, and has none of the scopes ``free`` of what binds a node."""
    token = current_identity().token
    return None if token is None or Scope.GUEST not in token.scopes or token.scopes & set(free) else token


def cluster_of(token: Token) -> str:
    """The cluster of the token's node: a node in none is a cluster of its own."""
    return token.cluster or token.node or ""


def _forbidden(text: str) -> Forbidden:
    current_refusals().of_known(current_identity(), "not its node, cluster or hold")
    return Forbidden(text)
