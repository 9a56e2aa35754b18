"""The command ``leasehold-hook``: what a guest host runs.

Each command has its module, which is imported only when it is called: a hook runs at every start of every guest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "cbsd-dhcpd": ("hooks.cbsd.dhcpd", "the external helper of cbsd dhcpd and dhcpdv6: one address on standard output"),
    "cbsd": ("hooks.cbsd.hook", "the hook of all CBSD hook directories; named by the directory it is linked into"),
    "mount": ("hooks.mount", "mnt_start and mnt_stop on shared storage: the claim, then the site's own script"),
    "sync": ("hooks.sync.command", "from cron: confirm what this node has, renew claims, deliver what waits"),
    "iocage": ("hooks.iocage.command", "alloc NAME, or prestart, poststart, prestop, poststop NAME as a property"),
    "vmadm": ("hooks.vmadm.command", "a filter: a payload in, the payload with addresses out; confirm UUID"),
    "inventory": ("hooks.inventory.command", "an Ansible dynamic inventory: --list, --host NAME"),
    "install": ("hooks.install.command", "link the hooks into CBSD or iocage; --dry-run shows what would change"),
    "uninstall": ("hooks.install.removal", "undo install"),
    "claim": ("hooks.claim", "list, release or force the right of a node to run a guest"),
    "flush": ("hooks.flush", "deliver what could not be delivered before"),
    "check": ("hooks.check", "tell whether the service answers, and what is wrong with the settings"),
}
"""Name, module with ``run(arguments) -> exit status``, and what it is for."""

BY_NAME = {
    "leasehold-dhcpd": "cbsd-dhcpd",
    "leasehold-inventory": "inventory",
    "leasehold-mount": "mount",
    "mnt_start": "mount",
    "mnt_stop": "mount",
}
"""Commands by the name under which the program is linked, for tools that call a file without arguments."""

UNFORESEEN = {"cbsd-dhcpd": 2, "cbsd": 0}
"""What CBSD is told when a program of ours has a mistake or does not fit the interpreter.

Any status but 2 makes CBSD store the address that was not printed (guest-hooks, section 1).
"""

_WRONG_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status, 2 for wrong usage."""
    command, rest = _chosen(sys.argv[0], list(sys.argv[1:] if arguments is None else arguments))
    if command in ("-h", "--help", "help"):
        print(_usage())  # noqa: T201 - a command talks
        return 0
    if command not in COMMANDS:
        print(f"leasehold-hook: unknown command {command!r}\n{_usage()}" if command else _usage(), file=sys.stderr)  # noqa: T201
        return _WRONG_USAGE
    try:
        status: int = import_module(COMMANDS[command][0]).run(rest)
    except Exception as error:
        if command not in UNFORESEEN:
            raise
        _tell_unforeseen(command, error)
        return UNFORESEEN[command]
    return status


def _chosen(program: str, arguments: list[str]) -> tuple[str, list[str]]:
    """The command and its arguments. Linked under another name, or into a hook directory, the place is the command."""
    name, directory = os.path.basename(program), os.path.basename(os.path.dirname(os.path.abspath(program)))
    if name in BY_NAME:
        return BY_NAME[name], arguments
    if directory.endswith(".d") and not arguments:
        return "cbsd", [directory]
    return (arguments[0], arguments[1:]) if arguments else ("", [])


def _tell_unforeseen(command: str, error: Exception) -> None:
    """Where it happened, and not more: the text of an error may have a secret in it."""
    import syslog

    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f"{last.tb_frame.f_code.co_filename}, line {last.tb_lineno}" if last is not None else "an unknown place"
    line = f"{command}: {type(error).__name__} in {where}; please report it"
    syslog.openlog("leasehold-hook", syslog.LOG_PID, syslog.LOG_DAEMON)
    syslog.syslog(syslog.LOG_ERR, line)
    try:
        if sys.stderr is not None:
            os.write(sys.stderr.fileno(), f"leasehold-hook {line}\n".encode(errors="replace"))
    except OSError:
        # The status counts, and syslog has it.
        return


def _usage() -> str:
    listed = "\n".join(f"  {name:<11} {purpose}" for name, (_, purpose) in COMMANDS.items())
    return f"usage: leasehold-hook COMMAND ...\n\n{listed}"


if __name__ == "__main__":
    sys.exit(main())
