"""TCP ports for servers that a test starts, kept for them: nobody else on this machine gets one in between."""

from __future__ import annotations

import socket
import sys
from collections import deque

_MOST = 32
"""More than any test needs at a time."""

_kept: deque[socket.socket] = deque()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has, until a server with SO_REUSEADDR, as all of ours are, listens on it.

    It stays bound here without listening. So Linux gives it neither to whoever asks for any port nor to a connection
    to elsewhere as its own end, also while the server is away for a moment; connections to it are refused then.
    """
    kept = socket.socket()
    if sys.platform == "linux":
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _kept.append(kept)
    kept.bind(("127.0.0.1", 0))
    port = int(kept.getsockname()[1])
    if sys.platform != "linux":
        # Elsewhere two sockets cannot share it.
        kept.close()
    if len(_kept) > _MOST:
        _kept.popleft().close()
    return port
