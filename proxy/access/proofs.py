"""Finding out who sent a request: by token, certificate, reverse DNS, or as somebody on this machine."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from providers.errors import Forbidden, NotAuthenticated
from providers.printable import printable
from providers.tokens import Token
from proxy.access.browsers import names_this_machine
from proxy.access.credentials import Credential
from proxy.access.identity import Identity, Proof
from proxy.access.refusals import Refusal
from proxy.access.trusted_hosts import ReverseNames, TrustedHosts, clean_name, is_loopback
from proxy.peer import Certificate, Peer

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]{1,512}=*) *")
_LONGEST_PATH = 200


class TokenCheck(Protocol):
    """What is needed of :class:`providers.tokens.Tokens`."""

    def check(self, secret: str) -> Token:
        """The token with this secret; raises NotAuthenticated."""

    def exist(self) -> bool:
        """Whether there is any token."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a request shows of its sender: the peer, a credential, the host it asks, and the path below the face."""

    peer: Peer
    credential: Credential
    host: str
    path: str


class Proofs:
    """Asks for the proofs that the settings want; ``trusted`` None is a ``:trusted_hosts:`` that is not set."""

    def __init__(
        self, tokens: TokenCheck, trusted: TrustedHosts | None, reverse: ReverseNames, bind_host: Collection[str]
    ) -> None:
        self._tokens = tokens
        self._trusted = trusted
        self._reverse = reverse
        self._bind_host = bind_host

    def of(self, call: Call) -> Identity | Refusal:
        """Who sent the request. A token decides alone when one is sent. Raises Unavailable when the book is away."""
        shown = call.credential
        if shown.authorization is not None and (not shown.optional or self._tokens.exist()):
            return self._by_token(shown.authorization, shown.name)
        if call.peer.scheme == "https":
            return self._by_certificate(call)
        if self._trusted is not None:
            return self._by_name(call, self._trusted)
        return Identity(Proof.LOOPBACK if self._is_local(call) else Proof.NONE, call.peer.address)

    def _is_local(self, call: Call) -> bool:
        """A reverse proxy on this machine makes everybody look as if they were on it, and a browser on it any page."""
        peer = call.peer
        return is_loopback(peer.address) and not peer.hidden and names_this_machine(call.host, self._bind_host)

    def _by_token(self, authorization: str, name: str | None) -> Identity | Refusal:
        match = _BEARER.fullmatch(authorization)
        if match is None:
            return Refusal(NotAuthenticated("Authorization is to be: Bearer TOKEN"), "no token in Authorization")
        try:
            token = self._tokens.check(match[1])
        except NotAuthenticated as error:
            return Refusal(error, "token not valid")
        if name is not None and token.name != name:
            return Refusal(NotAuthenticated("The token has another name"), "token of another name")
        return Identity(Proof.TOKEN, token.name, token)

    def _by_certificate(self, call: Call) -> Identity | Refusal:
        """The two texts without a certificate are those that were recorded from the smart proxy."""
        certificate, trusted = call.peer.certificate, self._trusted
        if certificate is None:
            text = "No client SSL certificate supplied"
            if trusted is not None:
                text = "could not read client cert from environment"
            return Refusal(Forbidden(text), "no client certificate")
        names = _names(certificate)
        if trusted is None:
            return Identity(Proof.CERTIFICATE, clean_name(names[0]))
        found = trusted.first_of(names)
        if found is not None:
            return Identity(Proof.CERTIFICATE, clean_name(found))
        return _untrusted(names[0], call.path, "its certificate")

    def _by_name(self, call: Call, trusted: TrustedHosts) -> Identity | Refusal:
        if call.peer.hidden:
            why = "the request came through a reverse proxy that is not in :tls_proxies: or does not name the client"
            return Refusal(Forbidden(f"Untrusted client: {why}"), why)
        reverse = self._reverse.of(call.peer.address)
        if reverse.name is None or reverse.problem is not None:
            text = f"Untrusted client {call.peer.address}: {reverse.problem}. Check :trusted_hosts: in settings.yml"
            return Refusal(Forbidden(text), str(reverse.problem))
        if reverse.name in trusted:
            return Identity(Proof.NAME, clean_name(reverse.name))
        return _untrusted(reverse.name, call.path, "reverse DNS")


def _names(certificate: Certificate) -> list[str]:
    names = [name for name in (certificate.common_name, *certificate.names) if name]
    return names or ["without a name"]


def _untrusted(name: str, path: str, by: str) -> Refusal:
    cleaned = clean_name(name).lower()
    shown = printable(path, _LONGEST_PATH)
    return Refusal(
        Forbidden(f"Untrusted client {cleaned} attempted to access {shown}. Check :trusted_hosts: in settings.yml"),
        f"{cleaned}, by {by}, is not in :trusted_hosts:",
    )
