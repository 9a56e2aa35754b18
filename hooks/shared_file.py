"""Files that root and user ``cbsd`` both write, whoever makes them first and whatever the umask is.

User ``cbsd`` may write the directory, and could leave a link there to a file of root's: root would open that one, write
into it, and make it writable for a group. So no link is followed, and no file is taken that has another name.
"""

from __future__ import annotations

import errno
import os
import stat

_BOTH = 0o660


def open_shared(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file, making it writable for its group if it is new; returns the descriptor. Raises OSError.

    The group is that of the directory: ``leasehold-hook install`` gives it to ``cbsd`` and sets its set-group-id bit.
    """
    # Without O_NONBLOCK a pipe that somebody left there would be waited for, for ever.
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, _BOTH)
    found = os.fstat(descriptor)
    if found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise OSError(errno.EMLINK, "it is another file's name too (a hard link)", os.fspath(path))
    if found.st_uid == os.geteuid() and stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) != _BOTH:
        os.fchmod(descriptor, _BOTH)
    return descriptor
