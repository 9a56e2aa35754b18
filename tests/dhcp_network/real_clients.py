"""Clients that people run: BusyBox's udhcpc and ISC's dhclient, with a script that keeps what they were told."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.dhcp_network.namespaces import Namespace, need_program

_SCRIPT = """#!/bin/sh
# {reason}: udhcpc says it in its first argument, dhclient in the environment.
case "${{1:-$reason}}" in
    bound|BOUND) env -0 >'{kept}.new' && mv '{kept}.new' '{kept}' ;;
esac
exit 0
"""
_DHCLIENT = """timeout {seconds};
initial-interval 1;
backoff-cutoff 1;
select-timeout 0;
request subnet-mask, routers, domain-name, domain-name-servers, host-name, interface-mtu, ntp-servers,
    tftp-server-name, bootfile-name;
"""


_PATIENCE = 60
_ENVIRON = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a client was told, by the words of RFC 2131; ``environ`` is all that its script got, by its own names."""

    address: str
    next_server: str | None
    boot_file: str | None
    hostname: str | None
    routers: list[str]
    dns: list[str]
    environ: Mapping[str, str]


def udhcpc(namespace: Namespace, interface: str, mac: str, directory: Path, seconds: int) -> Told | None:
    """Run udhcpc once as ``mac``; None when it got no lease."""
    busybox = need_program("busybox", "busybox")
    script, kept = _script(directory)
    _become(namespace, interface, mac)
    command = [busybox, "udhcpc", "-f", "-q", "-n", "-t", seconds, "-T", 1, "-i", interface, "-s", script]
    asked = [part for name in ("hostname", "bootfile", "tftp", "mtu", "ntpsrv") for part in ("-O", name)]
    namespace.run(*command, *asked, seconds=seconds + 60, check=False, environ=_ENVIRON)
    if not kept.exists():
        return None
    told = _environ(kept)
    return Told(
        address=told["ip"],
        next_server=told.get("siaddr"),
        boot_file=told.get("boot_file") or told.get("bootfile"),
        hostname=told.get("hostname"),
        routers=told.get("router", "").split(),
        dns=told.get("dns", "").split(),
        environ=told,
    )


def dhclient(namespace: Namespace, interface: str, mac: str, directory: Path, seconds: int) -> Told | None:
    """Run dhclient once as ``mac``; None when it got no lease."""
    program = need_program("dhclient", "isc-dhcp-client")
    script, kept = _script(directory)
    configuration = script.with_suffix(".conf")
    configuration.write_text(_DHCLIENT.format(seconds=seconds))
    _become(namespace, interface, mac)
    running = namespace.start(
        [program, "-4", "-1", "-d", "-v", "-sf", script, "-cf", configuration, "-lf", script.with_suffix(".leases"),
         "--no-pid", interface],
        log=script.with_suffix(".log"),
        environ=_ENVIRON,
    )  # fmt: skip
    try:
        running.wait_until(lambda: kept.exists() or not running.is_alive(), "a lease", seconds + 60)
    finally:
        running.stop()
    if not kept.exists():
        return None
    told = _environ(kept)
    return Told(
        address=told["new_ip_address"],
        next_server=told.get("new_next_server"),
        boot_file=told.get("new_filename") or told.get("new_bootfile_name"),
        hostname=told.get("new_host_name"),
        routers=told.get("new_routers", "").split(),
        dns=told.get("new_domain_name_servers", "").split(),
        environ=told,
    )


def _script(directory: Path) -> tuple[Path, Path]:
    """The script, and the file in which it keeps the environment of the lease."""
    name = f"client-{secrets.token_hex(4)}"
    script, kept = directory / f"{name}.sh", directory / f"{name}.environ"
    script.write_text(_SCRIPT.format(reason="why it is called", kept=kept))
    script.chmod(0o755)
    return script, kept


def _environ(kept: Path) -> dict[str, str]:
    pairs = kept.read_bytes().decode(errors="replace").split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _become(namespace: Namespace, interface: str, mac: str) -> None:
    """Give the interface that MAC; a link has to be down for it."""
    for change in (("down",), ("address", mac), ("up",)):
        namespace.run("ip", "link", "set", interface, *change)
    # A link that was just set up takes a moment until it carries something.
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if "LOWER_UP" in namespace.run("ip", "-oneline", "link", "show", interface).stdout:
            return
    raise AssertionError(f"{interface} does not come up")
