"""Everybody in the table of who may do what, made flesh: settings, a peer, and what it sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from netaddr import IPNetwork

from providers.model import Caller
from providers.tokens import Scope, Tokens
from proxy.peer import Certificate, Peer

LOOPBACK = "127.0.0.1"
ELSEWHERE = "192.0.2.10"
STRANGER = "192.0.2.66"
FORGER = "192.0.2.99"
NAMELESS = "192.0.2.200"

FOREMAN = "foreman.example.com"
LISTED = (FOREMAN,)

THIS_SUBNET, OTHER_SUBNET = IPNetwork("10.0.1.0/24"), IPNetwork("10.0.2.0/24")
THIS_GROUP, OTHER_GROUP = "Lab", "Elsewhere"

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
FOREIGN_PAGE: Mapping[str, str] = MappingProxyType({"Origin": "http://evil.example"})

_ADMIN = Caller("test")
_FOREMANS = Certificate(FOREMAN, (FOREMAN,))


class Names:
    """A resolver that knows what is in its tables, and counts how often it is asked."""

    def __init__(self) -> None:
        self.names = {
            LOOPBACK: "localhost",
            "::1": "localhost",
            ELSEWHERE: FOREMAN,
            STRANGER: "Stranger.example.com",
            FORGER: FOREMAN,
        }
        self.addresses = {
            "localhost": {LOOPBACK, "::1"},
            FOREMAN: {ELSEWHERE},
            "Stranger.example.com": {STRANGER},
        }
        self.asked = 0

    def name_of(self, address: str) -> str:
        self.asked += 1
        return self._found(self.names, address)

    def addresses_of(self, name: str) -> set[str]:
        return self._found(self.addresses, name)

    @staticmethod
    def _found(table: Mapping[str, Any], key: str) -> Any:
        try:
            return table[key]
        except KeyError:
            raise OSError(f"{key} not known") from None


@dataclass(frozen=True)
class Person:
    """One of the table: ``authorization`` makes the header, where one is sent."""

    peer: Peer
    keys: Mapping[str, Any] = field(default_factory=dict)
    authorization: Callable[[Tokens, Any], str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def _http(address: str, headers: Mapping[str, str] = NO_HEADERS, *, hidden: bool = False, **keys: Any) -> Person:
    return Person(Peer(address, "http", None, hidden=hidden), keys, headers=headers)


def _https(certificate: Certificate | None, **keys: Any) -> Person:
    return Person(Peer(STRANGER, "https", certificate), keys)


def bearer(name: str, *scopes: Scope, **limits: Any) -> Callable[[Tokens, Any], str]:
    """What makes a token and sends it."""
    return lambda tokens, clock: f"Bearer {tokens.create(name, scopes, _ADMIN, **limits)[1]}"


def _token(*scopes: Scope, **limits: Any) -> Person:
    """Somebody whom nothing but the token lets in."""
    return Person(Peer(STRANGER, "http", None), {"trusted_hosts": []}, bearer("a-token", *scopes, **limits))


def _reserve(**limits: Any) -> Person:
    return _token(Scope.RESERVE, **limits)


def _bad(authorization: Callable[[Tokens, Any], str]) -> Person:
    """Somebody whom everything but the token would let in."""
    return Person(Peer(LOOPBACK, "http", None), {}, _beside_others(authorization))


def _beside_others(authorization: Callable[[Tokens, Any], str]) -> Callable[[Tokens, Any], str]:
    """The same, in a book that has tokens: before that, names and passwords are not asked about."""

    def made(tokens: Tokens, clock: Any) -> str:
        tokens.create(f"another-{len(tokens.list())}", {Scope.READ}, _ADMIN)
        return authorization(tokens, clock)

    return made


def _revoked(tokens: Tokens, clock: Any) -> str:
    sent = bearer("gone", Scope.ADMIN)(tokens, clock)
    tokens.revoke("gone", _ADMIN)
    return sent


def _expired(tokens: Tokens, clock: Any) -> str:
    sent = bearer("old", Scope.ADMIN, expires_at=clock() + timedelta(minutes=1))(tokens, clock)
    clock.pass_(minutes=1)
    return sent


def _unknown(*_: Any) -> str:
    return "Bearer lh_" + "A" * 43


PEOPLE: Mapping[str, Person] = {
    "http-loopback": _http(LOOPBACK),
    "http-elsewhere": _http(ELSEWHERE),
    "http-passed-on": _http(LOOPBACK, hidden=True),
    "http-page": _http(LOOPBACK, FOREIGN_PAGE),
    "http-renamed": _http(LOOPBACK, {"Host": "evil.example:8000"}),
    "http-insecure": _http(STRANGER, insecure_http=True),
    "http-insecure-page": _http(STRANGER, FOREIGN_PAGE, insecure_http=True),
    "https-none": _https(None),
    "https-certificate": _https(_FOREMANS),
    "name-trusted": _http(ELSEWHERE, trusted_hosts=LISTED),
    "name-page": _http(ELSEWHERE, FOREIGN_PAGE, trusted_hosts=LISTED),
    "name-case": _http(ELSEWHERE, trusted_hosts=("FOREMAN.Example.com",)),
    "name-untrusted": _http(STRANGER, trusted_hosts=LISTED),
    "name-forged": _http(FORGER, trusted_hosts=LISTED),
    "name-unverified": _http(FORGER, trusted_hosts=LISTED, forward_verify=False),
    "name-none": _http(NAMELESS, trusted_hosts=LISTED),
    "name-loopback": _http(LOOPBACK, trusted_hosts=LISTED),
    "name-passed-on": _http(ELSEWHERE, hidden=True, trusted_hosts=LISTED),
    "name-insecure": _http(STRANGER, trusted_hosts=LISTED, insecure_http=True),
    "name-empty": _http(ELSEWHERE, trusted_hosts=()),
    "cert-none": _https(None, trusted_hosts=LISTED),
    "cert-cn": _https(Certificate(FOREMAN, ()), trusted_hosts=LISTED),
    "cert-case": _https(Certificate("Foreman.EXAMPLE.com", ()), trusted_hosts=("foreman.example.COM",)),
    "cert-san": _https(Certificate("anything", ("x.example.com", FOREMAN)), trusted_hosts=LISTED),
    "cert-untrusted": _https(Certificate("x.example.com", ("sub." + FOREMAN,)), trusted_hosts=LISTED),
    "cert-unnamed": _https(Certificate(None, ()), trusted_hosts=LISTED),
    "cert-empty": _https(_FOREMANS, trusted_hosts=()),
    "token-read": _token(Scope.READ),
    "token-reserve": _token(Scope.RESERVE),
    "token-guest": _token(Scope.GUEST, node="node1"),
    "token-foreign": _token(Scope.GUEST, node="node2", cluster="other"),
    "token-admin": _token(Scope.ADMIN),
    "subnet-this": _reserve(subnets=[THIS_SUBNET]),
    "subnet-other": _reserve(subnets=[OTHER_SUBNET]),
    "group-this": _reserve(groups=[THIS_GROUP.upper()]),
    "group-other": _reserve(groups=[OTHER_GROUP]),
    "both-group": _reserve(groups=[THIS_GROUP], subnets=[OTHER_SUBNET]),
    "both-subnet": _reserve(groups=[OTHER_GROUP], subnets=[THIS_SUBNET]),
    "token-unknown": _bad(_unknown),
    "token-revoked": _bad(_revoked),
    "token-expired": _bad(_expired),
    "token-malformed": _bad(lambda *_: "Basic bmFtZTpwYXNzd29yZA=="),
    "token-certificate": Person(
        Peer(STRANGER, "https", _FOREMANS), {"trusted_hosts": LISTED}, _beside_others(_unknown)
    ),
}
