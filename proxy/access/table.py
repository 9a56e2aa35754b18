"""Who x endpoint x status: what access control is to do, said apart from the code that does it.

docs/access.md shows this table, and the tests try every line of it on every route.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Flask

from proxy.access.policy import Policy, declared

_CREATED = "POST /ipam/subnet/<address>/<prefix>/<ip>"
_DELETED = "DELETE /ipam/subnet/<address>/<prefix>/<ip>"
_GOOD = {_CREATED: 201, _DELETED: 204}
_OK = 200
_UNKNOWN = 401
_FORBIDDEN = 403
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_NOT_OPEN = (Policy.READ, Policy.WRITE, Policy.ADMIN)

Refused = dict[Policy | tuple[str, Policy], int]
"""The status of what somebody may not do, by policy, or by face and policy."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and route with what it declares; ``good`` is the status when all is well."""

    method: str
    rule: str
    face: str
    policy: Policy
    keeps_limits: bool
    good: int

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def names_a_place(self) -> bool:
        """Whether its path names a subnet or a group."""
        return "<" in self.rule


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who calls."""

    key: str
    words: str
    refused: Refused = field(default_factory=dict)
    limited: bool = False
    """A token limited to subnets or groups."""
    elsewhere: bool = False
    """Limited to others than those that are asked about."""

    def status(self, endpoint: Endpoint) -> int:
        """What they get from an endpoint when nothing else is wrong."""
        policy = endpoint.policy
        if policy is Policy.OPEN:
            return endpoint.good
        if self.limited and not endpoint.keeps_limits:
            return _FORBIDDEN
        if self.elsewhere and endpoint.names_a_place:
            return _FORBIDDEN
        return self.refused.get((endpoint.face, policy)) or self.refused.get(policy) or endpoint.good


@dataclass(frozen=True, slots=True)
class Situation:
    """Settings, in words, and who may call under them."""

    title: str
    people: tuple[Who, ...]


_ADMIN_ONLY: Refused = {Policy.ADMIN: _FORBIDDEN}
_LOOKING: Refused = {Policy.WRITE: _FORBIDDEN, Policy.ADMIN: _FORBIDDEN}
_NOTHING: Refused = dict.fromkeys(_NOT_OPEN, _FORBIDDEN)
_BAD_CREDENTIAL: Refused = dict.fromkeys(_NOT_OPEN, _UNKNOWN)
_NO_LOGS: Refused = {("logs", policy): _FORBIDDEN for policy in _NOT_OPEN}
_NO_ROOT_CHANGES: Refused = {("root", Policy.WRITE): _FORBIDDEN}

SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "Plain HTTP, `:trusted_hosts:` not set",
        (
            Who("http-loopback", "on this machine", _ADMIN_ONLY),
            Who("http-elsewhere", "elsewhere", _LOOKING),
            Who("http-passed-on", "through a reverse proxy that is not in `:tls_proxies:`", _LOOKING),
            Who("http-page", "on this machine, a web page of another site in a browser", _LOOKING),
            Who("http-renamed", "on this machine, with a `Host` that is not this machine's", _LOOKING),
            Who("http-insecure", "elsewhere, with `:insecure_http: true`", _ADMIN_ONLY),
            Who("http-insecure-page", "the same, a web page of another site in a browser", _LOOKING),
        ),
    ),
    Situation(
        "HTTPS, `:trusted_hosts:` not set",
        (
            Who("https-none", "without a certificate", _NOTHING),
            Who("https-certificate", "with a certificate of our CA", _ADMIN_ONLY),
        ),
    ),
    Situation(
        "Plain HTTP, `:trusted_hosts:` set",
        (
            Who("name-trusted", "name in the list", _ADMIN_ONLY),
            Who("name-case", "name in the list, in other case", _ADMIN_ONLY),
            Who("name-page", "name in the list, a web page of another site in a browser", _LOOKING),
            Who("name-untrusted", "another name", _NOTHING),
            Who("name-forged", "name in the list that does not have the address", _NOTHING),
            Who("name-unverified", "the same, with `:forward_verify: false`", _ADMIN_ONLY),
            Who("name-none", "no name", _NOTHING),
            Who("name-loopback", "on this machine, not in the list", _NOTHING),
            Who("name-passed-on", "through a reverse proxy that is not in `:tls_proxies:`", _NOTHING),
            Who("name-insecure", "another name, with `:insecure_http: true`", _NOTHING),
            Who("name-empty", "the list is `[]`", _NOTHING),
        ),
    ),
    Situation(
        "HTTPS, `:trusted_hosts:` set",
        (
            Who("cert-none", "without a certificate", _NOTHING),
            Who("cert-cn", "CN in the list", _ADMIN_ONLY),
            Who("cert-case", "CN in the list, in other case", _ADMIN_ONLY),
            Who("cert-san", "only a DNS name in the list", _ADMIN_ONLY),
            Who("cert-untrusted", "other names", _NOTHING),
            Who("cert-unnamed", "a certificate without names", _NOTHING),
            Who("cert-empty", "the list is `[]`", _NOTHING),
        ),
    ),
    Situation(
        "With a token, by HTTP or HTTPS, from anywhere, whatever `:trusted_hosts:` says",
        (
            Who("token-read", "scope read", _LOOKING),
            Who("token-reserve", "scope reserve", _ADMIN_ONLY | _NO_LOGS | _NO_ROOT_CHANGES),
            Who("token-guest", "scope guest", _LOOKING | _NO_LOGS),
            Who("token-foreign", "scope guest, of another node", _LOOKING | _NO_LOGS),
            Who("token-admin", "scope admin"),
        ),
    ),
    Situation(
        "With a token of scope reserve that is limited",
        (
            Who("subnet-this", "to this subnet", _ADMIN_ONLY | _NO_LOGS | _NO_ROOT_CHANGES, limited=True),
            Who("subnet-other", "to another subnet", _ADMIN_ONLY | _NO_LOGS, limited=True, elsewhere=True),
            Who("group-this", "to this group", _ADMIN_ONLY | _NO_LOGS | _NO_ROOT_CHANGES, limited=True),
            Who("group-other", "to another group", _ADMIN_ONLY | _NO_LOGS, limited=True, elsewhere=True),
            Who("both-group", "to this group, but another subnet", _ADMIN_ONLY, limited=True, elsewhere=True),
            Who("both-subnet", "to this subnet, but another group", _ADMIN_ONLY, limited=True, elsewhere=True),
        ),
    ),
    Situation(
        "With something that is no good token, even on this machine or with a good certificate",
        (
            Who("token-unknown", "an unknown token", _BAD_CREDENTIAL),
            Who("token-revoked", "a revoked token", _BAD_CREDENTIAL),
            Who("token-expired", "an expired token", _BAD_CREDENTIAL),
            Who("token-malformed", "another `Authorization`", _BAD_CREDENTIAL),
            Who("token-certificate", "an unknown token and a trusted certificate", _BAD_CREDENTIAL),
        ),
    ),
)


def everybody() -> Iterator[Who]:
    """All who call, of all situations."""
    for situation in SITUATIONS:
        yield from situation.people


def endpoints(app: Flask) -> list[Endpoint]:
    """The endpoints of ``app`` by face and path; HEAD only where it declares something else than GET.

    Raises LookupError for a route that declares nothing.
    """
    found = []
    for rule in app.url_map.iter_rules():
        declaration = declared(app.view_functions[rule.endpoint])
        if declaration is None:
            raise LookupError(f"{rule.rule} declares no access policy")
        face = rule.endpoint.partition(".")[0]
        for method in sorted(rule.methods or (), key=_METHODS.index):
            if method == "HEAD" and declaration.head is declaration.policy:
                continue
            good = _GOOD.get(f"{method} {rule.rule}", _OK)
            policy = declaration.of(method)
            found.append(Endpoint(method, rule.rule, face, policy, declaration.keeps_limits, good))
    return sorted(found, key=lambda endpoint: (_FACES.get(endpoint.face, len(_FACES)), endpoint.rule, endpoint.method))


_FACES = {face: place for place, face in enumerate(("root", "dhcp", "ipam", "logs"))}
