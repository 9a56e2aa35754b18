"""Guests as Ansible's hosts: names, groups, and how to reach each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from hooks.addresses import normal_address

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")
_TEMPLATE = re.compile(r"\{[{%#]")
_PLUGINS = {
    "jail": ("community.general.jail", "ansible_jail_host"),
    "iocage": ("community.general.iocage", "ansible_iocage_host"),
}
"""The connection of a jail on the node itself, and the variable that names the jail."""

_NOT_FOR_GUESTS = {"localhost", "127.0.0.1", "::1", "all", "ungrouped"}
"""Where plays run what is not for guests: one of that name would be handed all of it, with whatever secrets it has."""

Inventory = dict[str, dict[str, Any]]


def inventory(guests: Iterable[Mapping[str, Any]], here: tuple[str, str] | None) -> Inventory:
    """What ``--list`` prints, for Ansible running on a node as a user who may enter its jails.

    ``here`` are the cluster and the name of that node, or None: then every host is reached by ssh.

    A host is named after its guest; guests of one name in several clusters, and those whose name means something else
    to Ansible, are ``NAME.CLUSTER``. Groups are named
    ``node_``, ``emulator_``, ``state_``, ``cluster_``, ``subnet_`` and ``group_`` and what they stand for; what Ansible
    allows in no name is ``_`` there.
    """
    known = list(guests)
    names = Counter(guest["name"] for guest in known)
    # Whoever calls a guest as another one may be called is not to be reached in its place.
    names.update({f"{guest['name']}.{guest['cluster']}" for guest in known})
    found: Inventory = {}
    variables: dict[str, dict[str, Any]] = {}
    for guest in known:
        host = _host_name(guest, alone=names[guest["name"]] == 1)
        variables[host] = host_variables(guest, here)
        for group in _groups(guest):
            found.setdefault(group, {"hosts": [], "vars": {}, "children": []})["hosts"].append(host)
    return {**dict(sorted(found.items())), "_meta": {"hostvars": variables}}


def host_variables(guest: Mapping[str, Any], here: tuple[str, str] | None) -> dict[str, Any]:
    """Variables of a host: what is known about it, and the connection, which is ssh unless it is a jail of ``here``."""
    addresses = [address for each in guest["addresses"] if (address := normal_address(str(each["address"])))]
    described = {
        f"ipam_{key}": _plain(guest[key])
        for key in ("cluster", "name", "node", "emulator", "hostname", "state", "note")
    }
    described |= {
        "ipam_addresses": addresses,
        "ipam_subnets": [
            _plain(each) for each in sorted({each["subnet"] for each in guest["addresses"] if each["subnet"]})
        ],
        "ipam_macs": [_plain(nic["mac"]) for nic in guest["nics"] if nic["mac"]],
    }
    plugin = _PLUGINS.get(guest["emulator"] or "")
    if plugin is not None and (guest["cluster"], guest["node"]) == here:
        connection, variable = plugin
        name = _plain(guest["name"])
        return described | {"ansible_connection": connection, variable: name, "ansible_host": name}
    first = next((each for each in addresses if ":" not in each), next(iter(addresses), None))
    return described | ({"ansible_host": first} if first else {})


def _host_name(guest: Mapping[str, Any], *, alone: bool) -> str:
    name: str = guest["name"]
    if not alone or name.lower() in _NOT_FOR_GUESTS:
        name = f"{name}.{guest['cluster']}"
    # The name of a host cannot be marked as no template.
    return _NOT_IN_NAMES.sub("_", name) if _TEMPLATE.search(name) else name


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """The value, marked as no template where Ansible would run it as one: a node may write what it likes in a note."""
    return {"__ansible_unsafe": value} if isinstance(value, str) and _TEMPLATE.search(value) else value


def _groups(guest: Mapping[str, Any]) -> list[str]:
    of_addresses = [
        (kind, each[key])
        for each in guest["addresses"]
        for kind, key in (("subnet", "subnet"), ("group", "group"))
        if each[key]
    ]
    of_guest = [(kind, guest[kind]) for kind in ("node", "emulator", "state", "cluster") if guest[kind]]
    return list(dict.fromkeys(f"{kind}_{_NOT_IN_NAMES.sub('_', value)}" for kind, value in of_guest + of_addresses))
