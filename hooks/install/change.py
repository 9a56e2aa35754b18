"""What an installation changes on a node: links, directories, lines of files. Each can be told, made and undone.

Making one twice changes nothing; undoing takes away only what was made here.
"""

from __future__ import annotations

import os
import re
import stat
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import NamedTuple

from hooks.errors import HookError

MARK = "# leasehold-hook"
"""Ends every line that was written here; what stood there before follows it."""


class InstallFailure(HookError):
    """Something on the node could not be changed."""


class Change(ABC):
    """One thing that is to be so."""

    @abstractmethod
    def told(self) -> str:
        """What making it does, for people."""

    @abstractmethod
    def is_made(self) -> bool:
        """Whether it is so already."""

    def is_here(self) -> bool:
        """Whether there is something to be taken away."""
        return self.is_made()

    @abstractmethod
    def make(self) -> None:
        """Make it so. Raises InstallFailure, OSError."""

    @abstractmethod
    def undo(self) -> None:
        """Take it away, if it is ours. Raises OSError."""


class _Link(NamedTuple):
    path: str
    target: str


class Link(_Link, Change):
    """A symbolic link to the program."""

    def told(self) -> str:
        """Where and whereto."""
        return f"link {self.path} to {self.target}"

    def is_made(self) -> bool:
        """Whether it points there."""
        return os.path.islink(self.path) and os.readlink(self.path) == self.target

    def make(self) -> None:
        """Make the link, also in place of one of ours that points elsewhere; never in place of a file."""
        if os.path.lexists(self.path) and not self.is_here():
            raise InstallFailure(f"{self.path} is there already and not ours: move it away")
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        coming = f"{self.path}.{os.getpid()}"
        os.symlink(self.target, coming)
        os.replace(coming, self.path)

    def undo(self) -> None:
        """Remove it if it points to a program of ours, even where that was before."""
        if self.is_here():
            os.unlink(self.path)

    def is_here(self) -> bool:
        """Whether it points to the program, or to another one of ours, wherever that is."""
        if not os.path.islink(self.path):
            return False
        target = os.readlink(self.path)
        return target == self.target or os.path.basename(target).startswith(_PROGRAM)


class _Directory(NamedTuple):
    path: str
    group: int


class SharedDirectory(_Directory, Change):
    """A directory that root and the members of a group write; files in it belong to that group."""

    def told(self) -> str:
        """Where, and whose."""
        return f"make directory {self.path}, written by root and group {self.group}"

    def is_made(self) -> bool:
        """Whether it is there with that group and mode."""
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        return found.st_gid == self.group and stat.S_IMODE(found.st_mode) == _SHARED

    def make(self) -> None:
        """Make it, or give it that group and mode."""
        os.makedirs(self.path, exist_ok=True)
        os.chown(self.path, -1, self.group)
        os.chmod(self.path, _SHARED)

    def undo(self) -> None:
        """Remove it when no report waits in it."""
        if set(os.listdir(self.path)) - _NOT_KEPT:
            return
        for name in os.listdir(self.path):
            os.unlink(os.path.join(self.path, name))
        os.rmdir(self.path)


class ReadableFile(_Directory, Change):
    """A file that root and a group can read and nobody else: the helper runs as user ``cbsd`` too."""

    def told(self) -> str:
        """Which, and for whom."""
        return f"let root and group {self.group} read {self.path}, and nobody else"

    def is_made(self) -> bool:
        """Whether it is so, or the file is not there."""
        try:
            found = os.stat(self.path)
        except OSError:
            return True
        mode = stat.S_IMODE(found.st_mode)
        return found.st_gid == self.group and mode & _READERS == stat.S_IRGRP

    def make(self) -> None:
        """Give it that group and mode."""
        mode = stat.S_IMODE(os.stat(self.path).st_mode)
        os.chown(self.path, -1, self.group)
        os.chmod(self.path, mode & ~_READERS | stat.S_IRGRP)

    def is_here(self) -> bool:
        """There is nothing to undo."""
        return False

    def undo(self) -> None:
        """Nothing: who may read a secret is not widened again."""


class _File(NamedTuple):
    path: str
    text: str


class OwnFile(_File, Change):
    """A file that is ours alone, such as one for cron."""

    def told(self) -> str:
        """Where, and what is in it."""
        return f"write {self.path}: {self.text.strip().splitlines()[-1]}"

    def is_made(self) -> bool:
        """Whether it has that text."""
        return _text(self.path) == self.text

    def is_here(self) -> bool:
        """Whether it is ours, whatever is in it."""
        return MARK in (_text(self.path) or "")

    def make(self) -> None:
        """Write it. Raises InstallFailure for a file of somebody else."""
        if os.path.lexists(self.path) and not self.is_here():
            raise InstallFailure(f"{self.path} is there already and not ours: move it away")
        _write(self.path, self.text)

    def undo(self) -> None:
        """Remove it if it is ours."""
        if self.is_here():
            os.unlink(self.path)


class _Setting(NamedTuple):
    path: str
    name: str
    value: str


class ShellSetting(_Setting, Change):
    """``NAME="VALUE"`` in a file of shell variables, as CBSD's are; what stood there before is kept behind it."""

    def told(self) -> str:
        """Where, and what, and what stands there now."""
        last = self._last()
        now = f" (now: {last.strip()})" if last is not None and MARK not in last else ""
        return f'set {self.name}="{self.value}" in {self.path}{now}'

    def is_made(self) -> bool:
        """Whether the last line that sets it, which counts, is ours."""
        return (self._last() or "").startswith(f'{self.name}="{self.value}" {MARK}')

    def is_here(self) -> bool:
        """Whether a line of ours sets it, even if another one counts."""
        return any(_sets(line, self.name) and MARK in line for line in (_text(self.path) or "").split("\n"))

    def make(self) -> None:
        """Replace the lines that set it, or add one."""
        text = _text(self.path)
        lines = (text or "").split("\n")
        ours = f'{self.name}="{self.value}" {MARK}'
        found = [place for place, line in enumerate(lines) if _sets(line, self.name)]
        for place in found:
            line = lines[place]
            before = line.partition(MARK)[2] if MARK in line else f"{_WAS}{line}"
            lines[place] = f"{ours}{before}"
        if not found:
            lines[-1:] = [lines[-1], ""] if lines[-1] else [""]
            lines[-1:-1] = [f"{ours}{_NEW_FILE if text is None else ''}"]
        _write(self.path, "\n".join(lines))

    def undo(self) -> None:
        """Put back what stood there before."""
        text = _text(self.path) or ""
        kept = []
        made_the_file = False
        for line in text.split("\n"):
            if not (_sets(line, self.name) and MARK in line):
                kept.append(line)
                continue
            _, was, before = line.partition(f"{MARK}{_WAS}")
            made_the_file |= line.endswith(f"{MARK}{_NEW_FILE}")
            if was:
                kept.append(before)
        if made_the_file and not "".join(kept):
            os.unlink(self.path)
        elif kept != text.split("\n"):
            _write(self.path, "\n".join(kept))

    def _last(self) -> str | None:
        lines = [line for line in (_text(self.path) or "").split("\n") if _sets(line, self.name)]
        return lines[-1] if lines else None


_SHARED = 0o2770
_READERS = stat.S_IRWXG | stat.S_IRWXO
_READABLE = 0o644
_PROGRAM = "leasehold-"
_NOT_KEPT = {".lock", "missing.state"}
"""Files of the spool directory that say nothing to anybody when no report waits."""
_WAS, _NEW_FILE = " was: ", " (the file is new)"


def _sets(line: str, name: str) -> bool:
    return re.match(rf"\s*{re.escape(name)}\s*=", line) is not None


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(path: str, text: str) -> None:
    """Replace a file in one step, with the owner and mode that it had; everybody can read a new one."""
    path = os.path.realpath(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    coming = f"{path}.{os.getpid()}"
    # A directory of CBSD's may be writable for others, who could have left a link to another file there.
    with suppress(FileNotFoundError):
        os.unlink(coming)
    with open(coming, "x", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
    if os.path.exists(path):
        there = os.stat(path)
        os.chown(coming, there.st_uid, there.st_gid)
        os.chmod(coming, stat.S_IMODE(there.st_mode))
    else:
        os.chmod(coming, _READABLE)
    os.replace(coming, path)
