"""The check before every request: who sent it, and whether they may."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request

from providers.address_book import AddressBook
from providers.clock import Clock, utc_now
from providers.errors import Forbidden
from providers.tokens import Tokens
from proxy.access.browsers import FOREIGN_PAGE, is_foreign_page
from proxy.access.credentials import credential_of
from proxy.access.policy import Policy, declared
from proxy.access.proofs import Call, Proofs, TokenCheck
from proxy.access.refusals import Refusal, Refusals, keep_refusals
from proxy.access.rights import permit
from proxy.access.session import remember
from proxy.access.throttle import Throttle
from proxy.access.trusted_hosts import Resolver, ReverseNames, SystemResolver, TrustedHosts
from proxy.peer import Peer, peer_of
from proxy.settings import Settings

_log = logging.getLogger(__name__)

_MOUNTS = {"root": "/v2"}
"""Where the smart proxy mounts a face that has no prefix here: its refusals name the path below that."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Everything the check needs; every application has its own."""

    proofs: Proofs
    refusals: Refusals
    peer_of: Callable[[dict[str, Any]], Peer]
    insecure_http: bool


def guard_for(
    book: AddressBook,
    settings: Settings,
    *,
    throttle: Throttle | None = None,
    resolver: Resolver | None = None,
    tokens: TokenCheck | None = None,
    clock: Clock | None = None,
) -> Guard:
    """What ``settings`` ask for. A ``throttle`` made before the workers are forked counts for all of them.

    Tokens end by the clock of the book, which gave them their end, unless ``clock`` is given.
    """
    names = settings.trusted_hosts
    return Guard(
        proofs=Proofs(
            tokens or Tokens(book.book, clock or book.clock),
            None if names is None else TrustedHosts(names),
            ReverseNames(resolver or SystemResolver(), clock or utc_now, forward_verify=settings.forward_verify),
            settings.bind_host,
        ),
        refusals=Refusals(throttle or Throttle(clock or utc_now)),
        peer_of=lambda environ: peer_of(environ, settings),
        insecure_http=settings.insecure_http,
    )


def guard_app(app: Flask, guard: Guard) -> None:
    """Let ``guard`` check every request of ``app`` before its route sees it."""
    keep_refusals(app, guard.refusals)

    def check() -> None:
        _check(guard)

    app.before_request(check)


def _check(guard: Guard) -> None:
    """Raise NotAuthenticated, Forbidden or TooManyAttempts unless this request may pass."""
    if request.url_rule is None:  # an unknown path or a wrong method, which is 404 for everybody
        return
    declaration = declared(current_app.view_functions.get(request.endpoint or ""))
    if declaration is None:
        _log.error("The route %s declares no access policy, so nobody may use it", request.url_rule.rule)
        raise Forbidden("Nobody may use this: no access policy is declared for it")
    if declaration.of(request.method) is Policy.OPEN:
        return
    peer = guard.peer_of(request.environ)
    call = Call(peer, credential_of(request), request.environ.get("HTTP_HOST", ""), _path_below())
    identity = guard.proofs.of(call)
    if isinstance(identity, Refusal):
        raise guard.refusals.of_stranger(peer.address, identity)
    face = request.blueprint or ""
    try:
        permit(identity, declaration, request.method, face, insecure_http=guard.insecure_http)
    except Forbidden as error:
        if identity.token is None:
            refusal = Refusal(error, f"{declaration.of(request.method)} without proof")
            raise guard.refusals.of_stranger(peer.address, refusal) from error
        guard.refusals.of_known(identity, "not in its scopes or limits")
        raise
    if identity.by_address and declaration.of(request.method).changes and is_foreign_page(request.headers):
        refusal = Refusal(Forbidden(FOREIGN_PAGE), "write by a web page of another site")
        raise guard.refusals.of_stranger(peer.address, refusal)
    remember(identity)


def _path_below() -> str:
    name = request.blueprint or ""
    blueprint = current_app.blueprints.get(name)
    prefix = (blueprint.url_prefix if blueprint is not None else None) or _MOUNTS.get(name, "")
    return request.path.removeprefix(prefix)
