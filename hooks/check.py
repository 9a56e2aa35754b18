"""``leasehold-hook check``: whether the service answers, as whom it knows us, and what is wrong with the settings."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from hooks.addresses import normal_address
from hooks.bounded import bounded
from hooks.errors import HookError, Unreachable, printable
from hooks.exchange import exchange
from hooks.flush import lying_aside
from hooks.node import cluster_of, node_name
from hooks.service import Call, Service, segment
from hooks.settings import Settings, exposed, load, unknown_variables
from hooks.spool import Spool

_WRONG_USAGE = 2
_FINE = 200
_SECONDS = 30.0


def run(arguments: Sequence[str]) -> int:
    """Print what is found; returns 0 when all is well, 1 when something is not, 2 for settings that cannot be used."""
    parser = argparse.ArgumentParser(prog="leasehold-hook check", description="Tell whether the service answers.")
    parser.add_argument("--url", help="where the service is, instead of what the settings say")
    given = parser.parse_args(arguments)
    try:
        settings = load()
    except HookError as error:
        return _complain(error, _WRONG_USAGE)
    if given.url:
        if not given.url.startswith(("http://", "https://")):
            return _complain(f"{given.url} is no http or https URL", _WRONG_USAGE)
        settings = settings._replace(urls=(given.url,))
    answered = [_answers(settings, url) for url in settings.urls]
    known = any(answered) and _is_known(settings) and _has_subnets(settings)
    # Also when nobody answers: that is when somebody wants to know what waits.
    return 0 if _is_sound(settings) and known else 1


def _answers(settings: Settings, url: str) -> bool:
    try:
        version = bounded(lambda: _version(settings, url), settings.timeout, url)
    except (HookError, ValueError, RecursionError) as error:
        _complain(f"no Leasehold answers at {url}: {str(error).removeprefix(f'{url}: ')}", 1)
        return False
    _say(f"Leasehold {version} answers at {url}")
    return True


def _version(settings: Settings, url: str) -> str:
    target = f"{urlsplit(url).path.rstrip('/')}/version"
    answer = exchange(url, "GET", target, {"Accept": "application/json"}, b"", settings, settings.timeout)
    told = json.loads(answer.body)
    if answer.status != _FINE or not isinstance(told, dict) or "version" not in told:
        raise Unreachable(f"status {answer.status}, and no version")
    return str(told["version"])


def _is_known(settings: Settings) -> bool:
    """Whether a call that every node makes is allowed."""
    node = node_name(settings)
    try:
        Service(settings).call(Call("GET", "/guests", {"node": node, "limit": "1"}))
    except Unreachable as error:
        _complain(error, 1)
        return False
    except HookError as error:
        _complain(f"it does not let this node in: {error}", 1)
        return False
    _say(f"This node is {node} of cluster {cluster_of(settings)}; settings from {settings.source}")
    return True


def _has_subnets(settings: Settings) -> bool:
    """Whether the service has each subnet that the settings name: else it is noticed when a guest is made."""
    service = Service(settings, seconds=_SECONDS, longest=settings.timeout)
    query = {"group": settings.group} if settings.group else None
    named = [("subnets", each) for each in settings.subnets]
    named += [(f"nic_tags: {tag}", each) for tag, each in settings.nic_tags.items()]
    all_there = True
    for where, subnet in named:
        base, slash, prefix = subnet.partition("/")
        if not slash or normal_address(base) is None:
            _complain(f"{where}: {subnet} is no network, such as 10.0.1.0/24", 1)
            all_there = False
            continue
        try:
            service.call(Call("GET", f"/subnets/{segment(base)}/{segment(prefix)}", query))
        except Unreachable as error:
            _complain(error, 1)
            return False
        except HookError as error:
            _complain(f"{where}: no address can be had from {subnet}: {error}", 1)
            all_there = False
    return all_there


def _is_sound(settings: Settings) -> bool:
    strange = unknown_variables()
    for name in strange:
        _complain(f"the variable {name} sets nothing: there is no such setting", 1)
    wrong = exposed(settings)
    if wrong is not None:
        _complain(wrong, 1)
    try:
        spool = Spool(settings.spool_dir)
        waiting, aside = len(spool.entries()), spool.aside()
    except HookError as error:
        _complain(error, 1)
        return False
    if waiting:
        _say(f"Waiting to be delivered: {waiting}. To try now: leasehold-hook flush")
    if aside:
        _complain(lying_aside(aside), 1)
    return wrong is None and not aside and not strange


def _say(text: str) -> None:
    print(printable(text))  # noqa: T201 - a command talks


def _complain(text: object, status: int) -> int:
    print(f"leasehold-hook: {printable(str(text))}", file=sys.stderr)  # noqa: T201
    return status
