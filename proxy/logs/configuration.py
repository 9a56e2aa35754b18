"""Setting up the log as the settings say: one destination for the program, the server and its access log."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from providers.errors import Misconfigured
from proxy.logs.destinations import Destination, Memory, StandardOutput, SystemLog, current_ring
from proxy.logs.lines import JSONLines, TextLines
from proxy.logs.patterns import parse_pattern
from proxy.logs.ring import Ring
from proxy.logs.rolling_file import Rolling, RollingFile
from proxy.settings import Settings

_MEBIBYTE = 1024 * 1024
_LEVELS = {"WARN": logging.WARNING, "FATAL": logging.CRITICAL}
_SERVER_LOGGERS = ("gunicorn.error", "gunicorn.access")


def start_log(settings: Settings) -> None:
    """Let everything that is logged go where ``settings`` say, and into the ring behind ``/logs``.

    To be called before worker processes are forked, which share the ring. Called again, it changes what the settings
    have changed, and the ring keeps its records. Raises Misconfigured when nothing can be written there.
    """
    destination = _destination(settings)
    destination.setFormatter(_lines(settings))
    handlers = (destination, Memory(_ring(settings)))
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, Destination):
            root.removeHandler(handler)
            handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level(settings))


def for_gunicorn(settings: Settings) -> dict[str, Any]:
    """The settings of gunicorn that let its lines go where all others go."""
    return {
        "errorlog": None,
        "logconfig_dict": {
            "version": 1,
            "incremental": True,
            "handlers": {},
            "root": {"level": level(settings)},
            "loggers": {name: {"level": "NOTSET", "propagate": True} for name in _SERVER_LOGGERS},
        },
    }


def level(settings: Settings) -> int:
    """The least level that is logged."""
    return _LEVELS.get(settings.log_level) or int(getattr(logging, settings.log_level))


def _destination(settings: Settings) -> Destination:
    try:
        if settings.log_file == "STDOUT":
            return StandardOutput()
        if settings.log_file == "SYSLOG":
            return SystemLog()
        return RollingFile(Path(settings.log_file), _rolling(settings))
    except OSError as error:
        reason = error.strerror or error
        raise Misconfigured(f":log_file: {settings.log_file} cannot be written: {reason}") from error


def _rolling(settings: Settings) -> Rolling | None:
    if not settings.file_rolling_size:
        return None
    return Rolling(settings.file_rolling_size * _MEBIBYTE, settings.file_rolling_age, settings.file_rolling_keep)


def _lines(settings: Settings) -> logging.Formatter:
    backtraces = level(settings) <= logging.DEBUG
    if settings.log_format == "json":
        return JSONLines(backtraces=backtraces)
    to_system = settings.log_file == "SYSLOG"
    pattern = settings.system_logging_pattern if to_system else settings.file_logging_pattern
    return TextLines(parse_pattern(pattern), backtraces=backtraces)


def _ring(settings: Settings) -> Ring:
    """The ring that there is, or one of another size with the same records."""
    there = current_ring()
    if there is not None and (there.size, there.errors_size) == (settings.log_buffer, settings.log_buffer_errors):
        return there
    ring = Ring(settings.log_buffer, settings.log_buffer_errors)
    if there is not None:
        ring.take_over(there)
    return ring
