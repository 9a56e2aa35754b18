"""The page docs/access.md: a short introduction, and the table of who may do what."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from proxy.access.policy import Policy
from proxy.access.table import SITUATIONS, Endpoint, Situation, endpoints

_INTRODUCTION = """\
# Who may do what

<!-- Made by `make docs` from proxy/access/. Change it there. -->

Every endpoint needs something of whoever calls it:

| policy | what it is for | who may |
|---|---|---|
| open | `/features`, `/version`, paths that do not exist | everybody |
| read | looking | see below |
| hold | on `/api/v1`: asking for an address, extending and ending holds | see below |
| guest | on `/api/v1`: reporting guests, and claims | see below |
| write | other changes, and elsewhere asking for an address, which is held from then on; `HEAD` is read | see below |
| admin | on `/api/v1`: making, changing and removing groups and subnets | tokens of scope `admin` |

Who somebody is, is asked in this order:

1. **A token**, sent as `Authorization: Bearer TOKEN`, decides alone. A good one gives what its scopes and limits say,
   from everywhere. A bad one is refused, even where nothing would have been needed. [tokens.md](tokens.md) tells how
   to make one. On `/phpipam` it may come in the ways of [phpIPAM's clients](phpipam-api.md#log-in).
2. **HTTPS**: the client certificate. It has to come from `:ssl_ca_file:`; if `:trusted_hosts:` is set, its CN or one
   of its DNS names has to be in that list.
3. **Plain HTTP with `:trusted_hosts:`**: the name that reverse DNS has for the caller's address has to be in the list,
   and with `:forward_verify:` to have that address in turn. Names are remembered for a minute. Somebody on this
   machine is asked too.
4. **Plain HTTP without it**: everybody may read. Changes are for callers on this machine, unless `:insecure_http:` is
   true. A request that says it was passed on (`X-Forwarded-For` and the like) by somebody who is not in
   `:tls_proxies:`, or for an address that is loopback on another machine, does not count as one from this machine.
   Nor does one whose `Host` is not `localhost`, a loopback address or in `:bind_host:`: a web page whose own name
   leads to 127.0.0.1 sends such requests.

Where an address or its name is all that says who somebody is (3 and 4), a web page of another site may not write
through their browser: a write whose `Origin` is not its own `Host`, port included, or that says
`Sec-Fetch-Site: cross-site`, is refused. Reading is not: browsers do not let a page see the answers of other sites.

A reverse proxy on this machine that adds no header at all, such as nginx with nothing but `proxy_pass`, cannot be told
from a caller on this machine: **whoever reaches it may do what this machine may.** [tls.md](tls.md) tells what it has
to send.

`/ipam` follows the same rules as `/dhcp`. In the Ruby proxy it is open to everybody.

## Scopes and limits of tokens

| scope | root | `/dhcp`, `/ipam`, `/phpipam` | `/api/v1` | `/logs` |
|---|---|---|---|---|
| read | read | read | read | read |
| reserve | read | read, write | read, hold, write | |
| guest | read | read | read, hold, guest | |
| admin | everything | everything | everything | everything |

A token of scope guest speaks for its node alone and about guests of its cluster alone: a report or claim that names
another node or cluster is refused. It may extend and end only holds for guests of its cluster, whose keys begin with
the name of the cluster and a slash (`east/web1/0`), and asks for the address of a MAC with such a key. With scope
reserve as well it is bound in guests and claims, not in holds; with scope admin in nothing.

A token limited to subnets is good for those and the ones inside them, one limited to groups for the subnets of those
groups, one with both for what is in both. Everything else is refused and left out of lists; endpoints that cannot be
limited are refused as a whole. A guest with reserved addresses counts as outside when none of them is inside, and a
report may not touch one that has an address outside. A token for one group means that group when a request names
none. With a token for several groups, name the group: without one, a network that is in several groups of the book is
the one that was added first, and if the token is not for that group the answer is 403.

## What a refusal looks like

| status | when | header |
|---|---|---|
| 401 | `Authorization` is there and no good token: unknown, revoked, expired... | `WWW-Authenticate: Bearer` |
| 403 | everybody else who may not; the text says what would help | |
| 429 | instead of these two, from the 11th attempt in a minute of one address (IPv6: one /64) | `Retry-After` |

The text is plain, on `/ipam` it is `{"error": text}`, on `/api/v1` as [api.md](api.md#errors) says, and on `/phpipam`
phpIPAM's object, with phpIPAM's status where a token or password is not good. Whoever shows a good token or certificate
is never slowed, whatever others behind the same address do; somebody known who wants more than they may hears 403,
however often. The log has one line per address and minute: the address, what was missing,
and at most a host name, never what was sent. Events name who made a change: `dhcp:token hooks`, `dhcp:certificate
foreman.example.com`, `dhcp:127.0.0.1`.

## The table

The status is that of a request with which nothing else is wrong. A path or method that does not exist is 404 for
everybody.
"""


def page(app: Flask) -> str:
    """The text of docs/access.md for the routes of ``app``."""
    rows = endpoints(app)
    return "\n".join([_INTRODUCTION, _policies(rows), *(_statuses(situation, rows) for situation in SITUATIONS)])


def _policies(rows: Sequence[Endpoint]) -> str:
    cells = [(f"`{row}`", str(row.policy), _for_limited(row)) for row in rows]
    return f"### Policies\n\n{_table(('endpoint', 'policy', 'limited tokens'), cells)}"


def _for_limited(row: Endpoint) -> str:
    return "yes" if row.keeps_limits or row.policy is Policy.OPEN else "no"


def _statuses(situation: Situation, rows: Sequence[Endpoint]) -> str:
    head = ("endpoint", *(who.words for who in situation.people))
    cells = [(f"`{row}`", *(str(who.status(row)) for who in situation.people)) for row in rows]
    return f"### {situation.title}\n\n{_table(head, cells)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
