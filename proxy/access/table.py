"""Who x endpoint x status: what access control is to do, said apart from the code that does it.

docs/access.md shows this table, and the tests try every line of it on every route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Flask

from proxy.access.policy import Policy, declared

_CREATED = "POST /ipam/subnet/<address>/<prefix>/<ip>"
_DELETED = "DELETE /ipam/subnet/<address>/<prefix>/<ip>"
_API = "/api/v1"
_APP = "/phpipam/api/<app>"
_TAKEN = (
    f"POST {_APP}/addresses/",
    f"POST {_APP}/addresses/first_free/",
    f"POST {_APP}/addresses/first_free/<subnet_id>/",
)
_NOT_THERE = {f"GET {_APP}/": 400, f"GET {_APP}/<path:rest>": 400}
"""Routes that only say, in phpIPAM's words, that there is nothing."""
_MADE = (
    f"POST {_API}/groups",
    f"POST {_API}/subnets",
    f"POST {_API}/subnets/<address>/<prefix>/addresses",
    f"POST {_API}/holds",
    f"PUT {_API}/addresses/<ip>",
)
_GOOD = {_CREATED: 201, _DELETED: 204} | dict.fromkeys(_MADE, 201) | dict.fromkeys(_TAKEN, 201) | _NOT_THERE
_BAD_TOKEN = {f"POST {_APP}/user/": 500} | {
    f"{method} {_APP}/user/{rest}": 403
    for method, rest in (("GET", ""), ("GET", "token_expires/"), ("PATCH", ""), ("PUT", ""), ("DELETE", ""))
}
"""Where phpIPAM has another status than 401 for a token or password that is not good."""
_LISTS = frozenset(
    f"GET {_APP}/{what}/"
    for what in (
        "sections",
        "subnets",
        "addresses/search_hostname/<name>",
        "addresses/search_hostbase/<name>",
        "addresses/search_mac/<mac>",
    )
)
"""Where phpIPAM says 404 when the list is empty."""
_SEARCHES = frozenset(
    {f"GET {_APP}/subnets/{how}/<address>/<mask>/" for how in ("cidr", "search", "overlapping")}
    | {f"GET {_APP}/addresses/search/<address>/"}
)
"""Where a subnet is looked for that a token may not see, and so is not found."""
_NAMED_BESIDE = frozenset(
    {
        f"POST {_API}/holds",
        *_TAKEN[:2],
        f"GET {_APP}/addresses/first_free/",
        f"HEAD {_APP}/addresses/first_free/",
    }
)
"""Where a subnet is named in the query or the body."""
_OF_SOMEBODY = frozenset({f"{method} {_API}/holds/<ip>" for method in ("PATCH", "DELETE")})
"""What only the cluster may do for whose guest the address is held."""
_NO_PLACES = re.compile("<(app|tag_id|path:rest)>")
_OK = 200
_UNKNOWN = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_NOT_OPEN = tuple(policy for policy in Policy if policy is not Policy.OPEN)

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
        return str(self) not in _LISTS and ("<" in _NO_PLACES.sub("", self.rule) or str(self) in _NAMED_BESIDE)


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
    sees_nothing: bool = False
    """Limited to what there is not."""
    foreign: bool = False
    """A token of another node and cluster than the one that is asked about."""

    def status(self, endpoint: Endpoint) -> int:
        """What they get from an endpoint when nothing else is wrong."""
        policy = endpoint.policy
        if policy is Policy.OPEN:
            return endpoint.good
        if self.limited and not endpoint.keeps_limits:
            return _FORBIDDEN
        if (self.elsewhere and str(endpoint) in _SEARCHES) or (self.sees_nothing and str(endpoint) in _LISTS):
            return _NOT_FOUND
        if self.elsewhere and endpoint.names_a_place:
            return _FORBIDDEN
        if self.foreign and (policy is Policy.GUEST or str(endpoint) in _OF_SOMEBODY):
            return _FORBIDDEN
        status = self.refused.get((endpoint.face, policy)) or self.refused.get(policy) or endpoint.good
        return _BAD_TOKEN.get(str(endpoint), status) if status == _UNKNOWN else status


@dataclass(frozen=True, slots=True)
class Situation:
    """Settings, in words, and who may call under them."""

    title: str
    people: tuple[Who, ...]


_NOWHERE = {"limited": True, "elsewhere": True, "sees_nothing": True}
_ADMIN_ONLY: Refused = {Policy.ADMIN: _FORBIDDEN}
_LOOKING: Refused = {policy: _FORBIDDEN for policy in Policy if policy.changes}
_NO_GUESTS: Refused = {Policy.GUEST: _FORBIDDEN}
_RESERVING: Refused = _ADMIN_ONLY | _NO_GUESTS
_ONLY_GUESTS: Refused = {Policy.WRITE: _FORBIDDEN, Policy.ADMIN: _FORBIDDEN}
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
            Who("token-reserve", "scope reserve", _RESERVING | _NO_LOGS | _NO_ROOT_CHANGES),
            Who("token-guest", "scope guest", _ONLY_GUESTS | _NO_LOGS),
            Who("token-foreign", "scope guest, of another node", _ONLY_GUESTS | _NO_LOGS, foreign=True),
            Who("token-admin", "scope admin"),
        ),
    ),
    Situation(
        "With a token of scope reserve that is limited",
        (
            Who("subnet-this", "to this subnet", _RESERVING | _NO_LOGS | _NO_ROOT_CHANGES, limited=True),
            Who("subnet-other", "to another subnet", _RESERVING | _NO_LOGS, limited=True, elsewhere=True),
            Who("group-this", "to this group", _RESERVING | _NO_LOGS | _NO_ROOT_CHANGES, limited=True),
            Who("group-other", "to another group", _RESERVING | _NO_LOGS, limited=True, elsewhere=True),
            Who("both-group", "to this group, but another subnet", _RESERVING, **_NOWHERE),
            Who("both-subnet", "to this subnet, but another group", _RESERVING, **_NOWHERE),
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


_FACES = {face: place for place, face in enumerate(("root", "dhcp", "ipam", "logs", "api", "phpipam"))}
