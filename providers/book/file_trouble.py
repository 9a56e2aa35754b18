"""Why the file of an SQLite book cannot be used, where the operating system can say more than SQLite does."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

_TELLING = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_FULL", "SQLITE_IOERR")
"""Errors of SQLite behind which there may be an account without rights, or a file system without room."""


def trouble(file: Path, reason: BaseException | None) -> str | None:
    """What is the matter with ``file`` or its directory, and what to do; None where nothing is, or ``reason`` differs.

    SQLite needs its directory too: it keeps files beside the book, also for those that only read.
    """
    told = str(getattr(reason, "sqlite_errorname", ""))
    if not (told.startswith(_TELLING) or (isinstance(reason, OSError) and not isinstance(reason, TimeoutError))):
        return None
    directory, account = file.parent, _account(os.geteuid())
    try:
        system = os.statvfs(directory)
        owner = _account(file.stat().st_uid)
    except PermissionError:
        return f"this account ({account}) may not look into {directory}: use that of the service, or root"
    except OSError:
        return None
    if system.f_flag & os.ST_RDONLY:
        return f"the file system of {directory} is read-only: mount it for writing, or name another :state_dir:"
    for path in (directory, file, *filter(Path.exists, _beside(file))):
        if not os.access(path, os.W_OK):
            return f"this account ({account}) may not write {path}: use {owner}, which the book belongs to, or root"
    # Some file systems do not count files: then there are none in all.
    if system.f_bavail == 0 or (system.f_files and system.f_favail == 0):
        return f"the file system of {directory} is full: make room"
    return None


def _beside(file: Path) -> list[Path]:
    return [Path(f"{file}{ending}") for ending in ("-wal", "-shm", ".lock")]


def _account(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
