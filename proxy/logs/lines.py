"""A record as one line of text, or as one JSON object on a line."""

from __future__ import annotations

import json
import logging
import os
import socket
from datetime import datetime
from functools import lru_cache

from providers.trace import current_trace
from proxy.logs.backtrace import backtrace, summary
from proxy.logs.cleaning import clean
from proxy.logs.patterns import Pattern

_LEVELS = ((logging.CRITICAL, "FATAL"), (logging.ERROR, "ERROR"), (logging.WARNING, "WARN"), (logging.INFO, "INFO"))
_BETWEEN_FRAMES = " < "


class TextLines(logging.Formatter):
    """Lines by a pattern of the Ruby smart proxy.

    What it has no place for and belongs to a request, the ids of the request and of the session, ends the line.
    ``backtraces`` says whether those belong into the line.
    """

    def __init__(self, pattern: Pattern, *, backtraces: bool) -> None:
        super().__init__()
        self._pattern = pattern
        self._backtraces = backtraces

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        known = request_values()
        ids = "".join(
            f" {name}={known[name]}"
            for name in ("request", "session")
            if name in known and name not in self._pattern.names
        )
        frames = backtrace_of(record) if self._backtraces else []
        values = {
            "c": record.name,
            "d": _local_time(int(record.created))[0],
            "h": _HOST,
            "l": level_name(record.levelno),
            "m": message_of(record) + "".join(f"{_BETWEEN_FRAMES}{frame}" for frame in frames[1:]),
            "p": str(os.getpid()),
        }
        return self._pattern.line(values | known) + ids


class JSONLines(logging.Formatter):
    """One object a line; ``backtraces`` says whether it has that of an exception."""

    def __init__(self, *, backtraces: bool) -> None:
        super().__init__()
        self._backtraces = backtraces

    def format(self, record: logging.LogRecord) -> str:
        """The object, without an end of line."""
        known = request_values()
        line: dict[str, object] = {
            "timestamp": _to_the_millisecond(record.created),
            "level": level_name(record.levelno),
            "logger": record.name,
            "process": os.getpid(),
            "message": message_of(record),
        }
        line |= {
            key: known[name]
            for key, name in (("request_id", "request"), ("session_id", "session"), ("remote_ip", "remote_ip"))
            if name in known
        }
        frames = backtrace_of(record) if self._backtraces else []
        if frames:
            line["backtrace"] = frames
        return json.dumps(line, ensure_ascii=False)


def level_name(level: int) -> str:
    """The name that the Ruby smart proxy has for a level."""
    return next((name for least, name in _LEVELS if level >= least), "DEBUG")


def message_of(record: logging.LogRecord) -> str:
    """What the record says, clean; with an exception, what that was and where. Worked out once for all destinations."""
    known: str | None = getattr(record, "clean_message", None)
    if known is None:
        try:
            message = clean(record.getMessage())
        except (TypeError, ValueError, KeyError) as error:
            # The mistake is in the line that logs, and nothing is to be lost for it.
            message = clean(f"{record.msg} ({record.pathname}:{record.lineno}: {error})")
        error_told = _exception_of(record)
        if error_told is not None and (told := summary(error_told)) not in message:
            message = f"{message}: {told}" if message else told
        known = record.clean_message = message
    return known


def backtrace_of(record: logging.LogRecord) -> list[str]:
    """The lines of the backtrace; none without an exception."""
    error = _exception_of(record)
    return [] if error is None else backtrace(error)


def request_values() -> dict[str, str]:
    """What is known of the request that this thread handles, by the names that patterns have for it."""
    trace = current_trace()
    if trace is None:
        return {}
    known = {"request": trace.request_id, "session": trace.session_id, "remote_ip": trace.remote_ip}
    return {name: value for name, value in known.items() if value}


def _exception_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _to_the_millisecond(at: float) -> str:
    second, zone = _local_time(int(at))
    return f"{second}.{int(at % 1 * 1000):03}{zone}"


@lru_cache(maxsize=16)
def _local_time(second: int) -> tuple[str, str]:
    """Date and time in the local zone, and how far that is from UTC."""
    text = datetime.fromtimestamp(second).astimezone().isoformat()
    return text[:19], text[19:]


_HOST = clean(socket.gethostname())
