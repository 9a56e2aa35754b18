"""Files that root and user ``cbsd`` both write, whoever makes them first and whatever the umask is."""

from __future__ import annotations

import os
import stat

_BOTH = 0o660


def open_shared(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file, making it writable for its group if it is new; returns the descriptor. Raises OSError.

    The group is that of the directory: ``leasehold-hook install`` gives it to ``cbsd`` and sets its set-group-id bit.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC, _BOTH)
    found = os.fstat(descriptor)
    if found.st_uid == os.geteuid() and stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) != _BOTH:
        os.fchmod(descriptor, _BOTH)
    return descriptor
