"""The service under gunicorn: one master, several worker processes with several threads each."""

from __future__ import annotations

import gc
import logging
import logging.config
import os
import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from providers.book.database import without_password
from providers.errors import LeaseholdError, Misconfigured
from proxy import __version__
from proxy.app import create_app
from proxy.assembly import open_address_book
from proxy.logs import log_configuration
from proxy.settings import Settings

log = logging.getLogger(__name__)

_ACCESS_LINE = '%(h)s "%(r)s" %(s)s %(B)s bytes %(M)s ms request %({x-request-id}o)s'
_LONGEST_REQUEST_LINE = 8190
_MOST_WORKERS = 4
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def serve(read_settings: Callable[[], Settings]) -> None:
    """Run the service until it is told to stop; settings are read now, and again on SIGHUP.

    Raises Misconfigured or Unavailable when it cannot start.
    """
    settings = read_settings()
    _start_log(settings)
    open_address_book(settings).close()
    for host in settings.bind_host:
        _check_listener(host, settings.http_port)
    for warning in settings.warnings:
        log.warning("%s", warning)
    for host in settings.bind_host:
        if host not in _LOOPBACK:
            log.warning("Listening on %s without access control: whoever reaches it may change the book", host)
    book = without_password(settings.database)
    log.info("Leasehold %s on %s, book %s", __version__, ", ".join(_listeners(settings)), book)
    _Server(settings, read_settings).run()


def _start_log(settings: Settings) -> None:
    try:
        logging.config.dictConfig(log_configuration(settings))
    except ValueError as error:
        raise Misconfigured(f":log_file: {settings.log_file} cannot be written: {error.__cause__ or error}") from error


def _check_listener(host: str, port: int) -> None:
    """Raise Misconfigured when nobody can listen there: gunicorn would try for five seconds, with eleven lines."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_address(host), port))
        except OSError as error:
            raise Misconfigured(
                f"Cannot listen on {host} port {port}: {error.strerror}. Stop whoever listens there, or choose another "
                ":http_port: or :bind_host:"
            ) from error


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no type hints
    """Leasehold as gunicorn sees it."""

    def __init__(self, settings: Settings, read_settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._read_settings = read_settings
        self._started = False
        super().__init__()

    def load_config(self) -> None:
        """Called at the start, and in the master on SIGHUP."""
        if self._started:
            try:
                self._settings = self._read_settings()
                log.info("Settings read again")
            except LeaseholdError as error:
                log.error("Settings not read again, the old ones stay: %s", error)  # noqa: TRY400 - no traceback
        self._started = True
        for key, value in _gunicorn_settings(self._settings).items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """Called in every worker after it was forked: database connections must not be shared across a fork."""
        app = create_app(open_address_book(self._settings), self._settings)
        # What is there now stays: without this, the garbage collector walks through all of it again and again, for a
        # sixth of the time that requests take.
        gc.collect()
        gc.freeze()
        return app


def _gunicorn_settings(settings: Settings) -> dict[str, Any]:
    return {
        "bind": _listeners(settings),
        "workers": settings.workers or min(max(os.cpu_count() or 1, 2), _MOST_WORKERS),
        "worker_class": "gthread",
        "threads": settings.threads,
        "proc_name": "leasehold",
        "logconfig_dict": log_configuration(settings),
        "access_log_format": _ACCESS_LINE,
        "limit_request_line": _LONGEST_REQUEST_LINE,
        "control_socket_disable": True,
    }


def _listeners(settings: Settings) -> list[str]:
    hosts = [_address(host) for host in settings.bind_host]
    return [f"[{host}]:{settings.http_port}" if ":" in host else f"{host}:{settings.http_port}" for host in hosts]


def _address(host: str) -> str:
    return "0.0.0.0" if host == "*" else host  # noqa: S104 - as the operator says
