"""``leasehold-hook install``: everything a node needs, shown first, and made only where it is missing."""

from __future__ import annotations

import argparse
import grp
import os
import re
import stat
import sys
from collections.abc import Sequence

from hooks.errors import BadInput, HookError, printable
from hooks.install.cbsd import cbsd_changes, peers
from hooks.install.change import MARK, Change, InstallFailure, OwnFile, ReadableFile, SharedDirectory
from hooks.install.iocage import iocage_changes
from hooks.iocage.jail import root_of
from hooks.node import node_name
from hooks.settings import PATHS, Settings, load, secret_files
from hooks.sync.cbsd import workdir_of
from hooks.vmadm.machines import vmadm_path

_FAILED = 1
_CRON = ("/usr/local/etc/cron.d", "/etc/cron.d")
_EVERY = 5
_PATH = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
"""That of cron has no /usr/local, where Python and the tools are on FreeBSD."""
_GROUP = "cbsd"
_RUN_BY_ALL = 0o555
_PLAIN = re.compile(r"[\w./+@:-]+")


def run(arguments: Sequence[str]) -> int:
    """Install; returns 0 when all is so, 1 when something could not be changed."""
    parser = argparse.ArgumentParser(prog="leasehold-hook install", description="Link the hooks into CBSD or iocage.")
    add_options(parser)
    given = parser.parse_args(arguments)
    try:
        settings = load()
        planned = changes(settings, given)
        _refuse_no_program(_program(given))
        _refuse_no_cluster(settings)
    except HookError as error:
        return complain(error)
    if settings.source not in PATHS:
        print(_note(settings))  # noqa: T201 - a command talks
    return carry_out(planned, dry_run=given.dry_run)


def _note(settings: Settings) -> str:
    """What somebody has to know who tried it with settings that only this shell knows."""
    return (
        f"note: the settings are from {settings.source}. Cron and most calls of CBSD and iocage do not have the "
        f"environment of this shell: put them into {PATHS[0]} or {PATHS[1]}"
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that ``install`` and ``uninstall`` share."""
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--program", default="", help="the path of leasehold-hook; default: this one")
    parser.add_argument("--new-only", action="store_true", help="leave the guests alone that are there already")
    parser.add_argument("--cron-dir", default="", help="where cron reads files; default: what this system has")


def changes(settings: Settings, given: argparse.Namespace) -> list[Change]:
    """All that an installation is, for the tools that are here. Raises BadInput when there is none."""
    program = _program(given)
    found: list[Change] = [SharedDirectory(settings.spool_dir, _group())]
    found += [ReadableFile(path, _group()) for path in secret_files(settings)]
    workdir = workdir_of(settings)
    if workdir is not None:
        found += cbsd_changes(workdir, program, existing=not given.new_only)
    try:
        root = root_of(settings)
    except BadInput:
        root = ""
    if root and not given.new_only:
        found += iocage_changes(root, program)
    if workdir is None and not root and vmadm_path() is None:
        raise BadInput("install: neither CBSD, iocage nor vmadm is found: set cbsd_workdir or iocage_root")
    found.append(_cron(program, given.cron_dir))
    return found


def carry_out(planned: Sequence[Change], *, dry_run: bool) -> int:
    """Show what is missing, and make it; what fails is told, and the rest is made."""
    missing = [each for each in planned if not each.is_made()]
    for each in missing:
        print(printable(each.told()))  # noqa: T201 - a command talks
    if not missing:
        print("Everything is installed.")  # noqa: T201
    if dry_run:
        return 0
    failed = 0
    for each in missing:
        try:
            each.make()
        except (InstallFailure, OSError) as error:
            complain(error)
            failed = _FAILED
    return failed


def complain(error: Exception) -> int:
    """Tell what went wrong; returns 1."""
    print(f"leasehold-hook: {printable(str(error))}", file=sys.stderr)  # noqa: T201
    return _FAILED


def _program(given: argparse.Namespace) -> str:
    return os.path.abspath(given.program or sys.argv[0])


def _refuse_no_program(program: str) -> None:
    """Raise BadInput when links to it would lead to nothing: CBSD takes an executable file, and not only as root."""
    if not _PLAIN.fullmatch(program):
        # Cron, CBSD and iocage break it at blanks or take such characters for their own.
        raise BadInput(f"install: {program!r} has a blank or another unusual character: put the program elsewhere")
    try:
        found = os.stat(program).st_mode
    except OSError:
        found = 0
    if not stat.S_ISREG(found):
        raise BadInput(f"install: {program} is no file: name leasehold-hook by --program")
    if found & _RUN_BY_ALL != _RUN_BY_ALL:
        raise BadInput(f"install: not everybody may run {program}, and user {_GROUP} has to: chmod 755 {program}")


def _refuse_no_cluster(settings: Settings) -> None:
    """Raise BadInput when guests may move between nodes and nobody said that they do."""
    workdir = workdir_of(settings)
    own = node_name(settings)
    others = [each for each in peers(workdir) if each != own] if workdir is not None else []
    if settings.cluster or not others:
        return
    raise BadInput(
        f"CBSD knows other nodes ({', '.join(others[:5])}), between which guests may move: give all of them the same "
        f'cluster, by cluster = "NAME" in {settings.source}. Each one on its own: cluster = its own name'
    )


def _cron(program: str, directory: str) -> Change:
    place = directory or next((each for each in _CRON if os.path.isdir(each)), _CRON[0])
    line = f"*/{_EVERY} * * * * root {program} sync"
    told = f"{MARK}: tells the service what this node has"
    return OwnFile(os.path.join(place, "leasehold-hook"), f"{told}\nPATH={_PATH}\n{line}\n")


def _group() -> int:
    """The group of user ``cbsd``, whose hooks write the spool too; root's where CBSD is not."""
    try:
        return grp.getgrnam(_GROUP).gr_gid
    except KeyError:
        return 0

