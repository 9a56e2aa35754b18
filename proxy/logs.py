"""Where the log goes and what a line looks like."""

from __future__ import annotations

from typing import Any

from proxy.settings import Settings

_LEVELS = {"WARN": "WARNING", "FATAL": "CRITICAL"}


def log_configuration(settings: Settings) -> dict[str, Any]:
    """What ``logging.config.dictConfig`` needs: one destination for the program, the server and its access log.

    A log file is opened again when something rotated it away.
    """
    destination: dict[str, Any] = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}
    if settings.log_file is not None:
        destination = {"class": "logging.handlers.WatchedFileHandler", "filename": str(settings.log_file)}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "%(asctime)s %(levelname)-7s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
        },
        "handlers": {"log": destination | {"formatter": "line"}},
        "root": {"level": _LEVELS.get(settings.log_level, settings.log_level), "handlers": ["log"]},
        "loggers": {
            "gunicorn.error": {"level": "NOTSET", "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "NOTSET", "handlers": [], "propagate": True},
        },
    }
