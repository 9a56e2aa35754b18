"""What is known of the files that dnsmasq has read, kept beside them: the files themselves do not tell.

The note names the very files, by what stat(2) says of them. When it does not fit the ones that are there, because a
process ended halfway or a file was changed by hand, nobody knows what dnsmasq has, and it has to read them again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from providers.errors import Unavailable

Signature = list[int] | None


def signature(path: Path) -> Signature:
    """What tells this file from any other that has its name, before or later; None when there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path} cannot be reached: {error.strerror}") from error
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns]


class Confirmed:
    """The note about ``paths``, in a file beside the first one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        # dnsmasq passes over names with a dot in front where it reads a directory.
        self._note = paths[0].parent / f".{paths[0].name}.read"

    def holds(self) -> bool:
        """Whether dnsmasq has read the files that are there."""
        try:
            kept = json.loads(self._note.read_bytes())
        except (OSError, ValueError):
            return False
        return bool(kept == self._now())

    def write(self) -> None:
        """Note that it has read them. Not waiting for the disk: without the note they are read once more."""
        draft = self._note.parent / f"{self._note.name}.{secrets.token_hex(4)}"
        try:
            draft.write_text(json.dumps(self._now()))
            os.replace(draft, self._note)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise Unavailable(f"{self._note} cannot be written: {error.strerror}") from error

    def _now(self) -> dict[str, Signature]:
        return {str(path): signature(path) for path in self._paths}
