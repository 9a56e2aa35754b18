"""What iocage needs: a property of each jail for each event."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

from hooks.install.change import Change, InstallFailure
from hooks.iocage.command import EVENTS, STRICT
from hooks.iocage.jail import all_jails, property_of

_SECONDS = 60
_DEFAULTS = {"", "none", "/usr/bin/true", "/bin/true"}
_NOTHING = "/usr/bin/true"


class _Property(NamedTuple):
    root: str
    jail: str
    event: str
    program: str


class Property(_Property, Change):
    """``exec_EVENT`` of a jail. A property value is the only place where iocage leaves the jail's name."""

    @property
    def value(self) -> str:
        """What it is to be."""
        return f"{self.program} iocage {self.event} {self.jail}"

    def told(self) -> str:
        """Which, and to what."""
        return f'iocage set exec_{self.event}="{self.value}" {self.jail}'

    def is_made(self) -> bool:
        """Whether the jail has that value; ``--strict`` may stand behind it."""
        return self._is_set() and self._in_the_way() is None

    def is_here(self) -> bool:
        """Whether a program of ours is there, wherever that is and whichever jail it names."""
        return self._is_set() or self._ours() is not None

    def make(self) -> None:
        """Set it, also in place of one of ours that came with a clone and names its original.

        Raises InstallFailure where the site has set something else.
        """
        present, ours, other = self._present(), self._ours(), self._in_the_way()
        if present not in _DEFAULTS and ours is None:
            raise InstallFailure(
                f"exec_{self.event} of jail {self.jail} is {present!r}: let that script call {self.value!r} as well"
            )
        if other is not None:
            raise InstallFailure(f"{other} is run in place of exec_{self.event}: let it call {self.value!r} as well")
        self._set(f"{self.value} {STRICT}" if ours is not None and ours[1] else self.value)

    def undo(self) -> None:
        """Put the default back."""
        if self.is_here():
            self._set(_NOTHING)

    def _is_set(self) -> bool:
        return self._present() in (self.value, f"{self.value} {STRICT}")

    def _ours(self) -> re.Match[str] | None:
        return re.fullmatch(rf"\S*leasehold-hook\S* iocage {self.event} \S+( {STRICT})?", self._present())

    def _in_the_way(self) -> str | None:
        """The executable in the jail's directory that older versions run instead, if there is one."""
        path = os.path.join(self.root, "jails", self.jail, self.event)
        return path if os.path.isfile(path) and os.access(path, os.X_OK) else None

    def _present(self) -> str:
        return property_of(self.root, self.jail, f"exec_{self.event}")

    def _set(self, value: str) -> None:
        iocage = shutil.which("iocage")
        if iocage is None:
            raise InstallFailure("iocage is not in the PATH")
        try:
            asked = subprocess.run(  # noqa: S603 - each argument stays one word
                [iocage, "set", f"exec_{self.event}={value}", self.jail],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise InstallFailure(f"iocage set exec_{self.event} {self.jail} took more than {_SECONDS} s") from error
        if asked.returncode != 0:
            said = (asked.stderr or asked.stdout).decode(errors="replace").strip()
            raise InstallFailure(f"iocage set exec_{self.event} {self.jail} failed: {said[:200]}")


def iocage_changes(root: str, program: str) -> Iterator[Change]:
    """The properties of every jail that is no template."""
    for jail in all_jails(root):
        for event in EVENTS:
            yield Property(root, jail.name, event, os.fspath(program))
