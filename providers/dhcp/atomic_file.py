"""Files that a DHCP server reads: there whole or not at all, and put back when the server refuses them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from providers.errors import Unavailable

DEFAULT_MODE = 0o640


def read(path: Path) -> bytes | None:
    """What is in the file; None when there is none. Raises Unavailable when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error


def write(path: Path, content: bytes) -> None:
    """Replace the file in one step, safe from a power cut; its mode, owner and group stay as they are.

    A new file belongs to the group of its directory, which may read it. Raises Unavailable, and leaves the old file,
    when that is not possible.
    """
    # Servers that read a whole directory pass over names with a dot in front.
    draft = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        with open(draft, "xb") as file:
            _like(path, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove the file if it is there; raises Unavailable when that is not possible."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(f"{path} cannot be removed: {error.strerror}") from error


@contextmanager
def replaced(contents: Mapping[Path, bytes]) -> Iterator[None]:
    """Replace files, and put back what was there when the block fails."""
    with ExitStack() as undoing:
        for path, content in contents.items():
            before = read(path)
            if before == content:
                continue
            write(path, content)
            if before is None:
                undoing.callback(remove, path)
            else:
                undoing.callback(write, path, before)
        yield
        undoing.pop_all()


def _like(path: Path, descriptor: int) -> None:
    try:
        there = path.stat()
        os.fchmod(descriptor, there.st_mode & 0o777)
        owner, group = there.st_uid, there.st_gid
    except FileNotFoundError:
        os.fchmod(descriptor, DEFAULT_MODE)
        owner, group = -1, path.parent.stat().st_gid
    # Whoever is neither root nor a member of the group cannot give a file away, and does not need to.
    with suppress(PermissionError):
        os.fchown(descriptor, owner, group)
