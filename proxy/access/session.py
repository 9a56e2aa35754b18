"""Who sent the request that is being handled, for whoever asks later in it."""

from __future__ import annotations

from flask import g, request

from proxy.access.identity import Identity, Proof

_NAME = "leasehold_identity"


def remember(identity: Identity) -> None:
    """Let this request be that of ``identity``."""
    setattr(g, _NAME, identity)


def current_identity() -> Identity:
    """Whoever sent this request; where nobody asked them, the address they came from."""
    known: Identity | None = g.get(_NAME)
    return known or Identity(Proof.NONE, request.remote_addr or "local")
