"""Where log lines go: the standard output, a file, the system log, and the memory behind Foreman's Logs page."""

from __future__ import annotations

import logging
import logging.handlers
import os
import stat
import sys
from collections.abc import Iterable

from proxy.logs.lines import backtrace_of, level_name, message_of, request_values
from proxy.logs.ring import Ring

_SOCKETS = ("/dev/log", "/var/run/log", "/var/run/syslog")
_SECONDS_BETWEEN_COMPLAINTS = 60


class Destination(logging.Handler):
    """A handler that was set up here; when it cannot write, the service goes on and says so once in a while."""

    _complained_at = 0.0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        """Say on the standard error in one line that lines are lost."""
        if record.created - self._complained_at >= _SECONDS_BETWEEN_COMPLAINTS and sys.stderr:
            self._complained_at = record.created
            error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
            sys.stderr.write(f"Log lines are lost: {type(error).__name__}: {error}\n")


class StandardOutput(Destination, logging.StreamHandler):  # type: ignore[type-arg] # no subscript before 3.12
    """The standard output."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)


class SystemLog(Destination, logging.handlers.SysLogHandler):
    """The system log of this machine, through its socket, as facility local5 like the Ruby smart proxy."""

    def __init__(self, sockets: Iterable[str] = _SOCKETS) -> None:
        """Raises OSError when there is none of the ``sockets``: without this nobody would notice."""
        address = next((path for path in sockets if _is_socket(path)), None)
        if address is None:
            raise FileNotFoundError("there is no system log: no socket /dev/log")
        super().__init__(address, facility=logging.handlers.SysLogHandler.LOG_LOCAL5)

    def format(self, record: logging.LogRecord) -> str:
        """The line with the name and the number of the process, as system logs want it."""
        return f"leasehold[{os.getpid()}]: {super().format(record)}"


class Memory(Destination):
    """A :class:`~proxy.logs.ring.Ring`, for ``/logs``."""

    def __init__(self, ring: Ring) -> None:
        super().__init__()
        self.ring = ring

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record in the form in which ``/logs`` shows it."""
        try:
            kept: dict[str, object] = {
                "timestamp": record.created,
                "level": level_name(record.levelno),
                "message": message_of(record),
            }
            if frames := backtrace_of(record):
                kept["backtrace"] = "\n".join(frames)
            if request := request_values().get("request"):
                kept["request_id"] = request
            self.ring.add(record.created, record.levelno, kept)
        except (OSError, ValueError):
            self.handleError(record)


def current_ring() -> Ring | None:
    """The ring that the log goes to; None as long as nobody started the log."""
    return next((handler.ring for handler in logging.getLogger().handlers if isinstance(handler, Memory)), None)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
