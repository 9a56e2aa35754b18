"""A bound on how long a whole call takes, however slowly the other side drips.

The timeouts of ``requests`` bound the wait for each piece. Here a timer ends the connection that a call is using, and
the call fails at once, wherever it stands.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_current = threading.local()
_AGAIN = 0.2


class Deadline:
    """One call: the connection that it uses, and whether its time was over."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._connection: HTTPConnection | None = None
        self._done = threading.Event()
        self.passed = False

    def uses(self, connection: HTTPConnection) -> None:
        """The call goes through ``connection`` from now on."""
        self._connection = connection

    @contextlib.contextmanager
    def running(self) -> Iterator[Deadline]:
        """Within this block of this thread, calls are ended when the time is over."""
        timer = threading.Timer(self._seconds, self._end)
        timer.daemon = True
        timer.start()
        _current.deadline = self
        try:
            yield self
        finally:
            self._done.set()
            timer.cancel()
            _current.deadline = None

    def _end(self) -> None:
        self.passed = True
        # Again and again: the call may be between two connections, or in a handshake, just now.
        while not self._done.is_set():
            opened = getattr(self._connection, "sock", None)
            if opened is not None:
                with contextlib.suppress(OSError, ValueError):
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)
            self._done.wait(_AGAIN)


def _note(connection: HTTPConnection) -> None:
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is not None:
        deadline.uses(connection)


class _Connection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as urllib3 has it
        _note(self)
        super().request(*args, **kwargs)


class _TLSConnection(HTTPSConnection):
    def connect(self) -> None:
        _note(self)
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as urllib3 has it
        _note(self)
        super().request(*args, **kwargs)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class BoundedAdapter(HTTPAdapter):
    """Connections that a ``Deadline`` can end."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as requests has it
        """Make the pools from our own connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
