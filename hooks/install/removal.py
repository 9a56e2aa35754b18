"""``leasehold-hook uninstall``: takes away what ``install`` made, and nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hooks.errors import HookError
from hooks.install.change import InstallFailure
from hooks.install.command import add_options, changes, complain
from hooks.settings import load

_FAILED = 1


def run(arguments: Sequence[str]) -> int:
    """Undo an installation; settings and reports that wait stay. Returns 0, or 1 when something cannot be undone."""
    parser = argparse.ArgumentParser(prog="leasehold-hook uninstall", description="Undo leasehold-hook install.")
    add_options(parser)
    given = parser.parse_args(arguments)
    try:
        planned = changes(load(), given)
    except HookError as error:
        return complain(error)
    made = [each for each in planned if each.is_here()]
    for each in made:
        print(f"undo: {each.told()}")  # noqa: T201 - a command talks
    if not made:
        print("Nothing is installed.")  # noqa: T201
    if given.dry_run:
        return 0
    failed = 0
    for each in made:
        try:
            each.undo()
        except (InstallFailure, OSError) as error:
            failed = complain(error)
    return failed
