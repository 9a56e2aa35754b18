"""The service under gunicorn: one master, several worker processes with several threads each."""

from __future__ import annotations

import gc
import logging
import os
import resource
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from providers.address_book.aside import InBackground
from providers.book.database import without_password
from providers.errors import LeaseholdError
from proxy import __version__
from proxy.access.guard import guard_for
from proxy.access.notices import access_notices
from proxy.access.throttle import Throttle
from proxy.app import create_app
from proxy.assembly import open_address_book
from proxy.clock_notice import clock_notice
from proxy.forking import heed_signals
from proxy.housekeeping import start_housekeeping
from proxy.listeners import check, listeners
from proxy.logs.configuration import for_gunicorn, start_log
from proxy.receiving import LONGEST_LINE, MOST_HEADERS
from proxy.settings import Settings
from proxy.syncing import start_sync
from proxy.tls import server_context
from proxy.waiting import Waiting
from proxy.worker import Worker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

_ACCESS_LINE = '%(h)s "%(r)s" %(s)s %(B)s bytes %(M)s ms request %({x-request-id}o)s'
_MOST_WORKERS = 4
_MOST_CONNECTIONS = 500


def serve(read_settings: Callable[[], Settings]) -> None:
    """Run the service until it is told to stop; settings are read now, and again on SIGHUP.

    Raises Misconfigured or Unavailable when it cannot start.
    """
    settings = read_settings()
    start_log(settings)
    _look_into_book(settings)
    context = server_context(settings)
    places = listeners(settings)
    for place in places:
        check(place)
    for warning in settings.warnings:
        log.warning("%s", warning)
    for notice in access_notices(settings):
        log.warning("%s", notice)
    book = without_password(settings.database)
    log.info("Leasehold %s on %s, book %s", __version__, ", ".join(str(place) for place in places), book)
    Server(settings, read_settings, context).run()


class Server(BaseApplication):  # type: ignore[misc] # gunicorn has no type hints
    """Leasehold as gunicorn sees it. Workers find in it what they were forked with."""

    def __init__(
        self, settings: Settings, read_settings: Callable[[], Settings], context: ssl.SSLContext | None
    ) -> None:
        self._settings = settings
        self._read_settings = read_settings
        self._context = context
        self._listeners = listeners(settings)
        self._throttle = Throttle()
        self._started = False
        super().__init__()

    @property
    def request_timeout(self) -> int:
        """How many seconds a client may take to send a request."""
        return self._settings.request_timeout

    def context_for(self, port: int) -> ssl.SSLContext | None:
        """What a connection to ``port`` needs to speak TLS; None when it does not."""
        secure = any(place.port == port for place in self._listeners if place.scheme == "https")
        return self._context if secure else None

    def load_config(self) -> None:
        """Called at the start, and in the master on SIGHUP."""
        if self._started:
            try:
                self._read_again()
                log.info("Settings read again")
            except LeaseholdError as error:
                log.error("Settings not read again, the old ones stay: %s", error)  # noqa: TRY400 - no traceback
        self._started = True
        for key, value in _gunicorn_settings(self._settings).items():
            self.cfg.set(key, value)
        self.cfg.set("bind", [place.bind for place in self._listeners])

    def _read_again(self) -> None:
        """Take new settings, certificate, key and CA, all of them or none; none when they name a book that is not fit.

        The listeners stay: gunicorn would close them all and could not open them again while the old workers listen.
        """
        settings = self._read_settings()
        context = server_context(settings)
        _look_into_book(settings)
        start_log(settings)
        for notice in access_notices(settings):
            log.warning("%s", notice)
        if listeners(settings) != self._listeners:
            log.warning("The listeners stay as they are until the next start: :bind_host:, :http_port:, :https_port:")
        self._settings = settings
        # Whoever takes the certificate out of the settings does not get plain HTTP on the port for HTTPS.
        self._context = context or self._context

    def load(self) -> WSGIApplication:
        """Called in every worker after it was forked: database connections must not be shared across a fork."""
        try:
            return self._open_app()
        except LeaseholdError as error:
            log.error("This worker answers 503 until the book can be opened: %s", error)  # noqa: TRY400 - no traceback
            return Waiting(self._open_app, error, self._settings)

    def _open_app(self) -> Flask:
        book = open_address_book(self._settings, aside=InBackground())
        guard = guard_for(book, self._settings, throttle=self._throttle)
        app = create_app(book, self._settings, guard=guard)
        # What is there now stays: without this, the garbage collector walks through all of it again and again, for a
        # sixth of the time that requests take.
        gc.collect()
        gc.freeze()
        start_sync(book, self._settings)
        start_housekeeping(book, self._settings)
        return app


def _look_into_book(settings: Settings) -> None:
    """Raise Misconfigured or Unavailable when the book is not fit; complain about the clock if there is need."""
    address_book = open_address_book(settings)
    try:
        there = address_book.book.server_clock
        notice = None if there is None else clock_notice(there.lead)
    finally:
        address_book.close()
    if notice is not None:
        log.warning("%s", notice)


def _gunicorn_settings(settings: Settings) -> dict[str, Any]:
    return {
        "workers": settings.workers or min(max(os.cpu_count() or 1, 2), _MOST_WORKERS),
        "worker_class": Worker,
        "worker_connections": _most_connections(),
        "threads": settings.threads,
        "post_fork": heed_signals,
        "proc_name": "leasehold",
        **for_gunicorn(settings),
        "access_log_format": _ACCESS_LINE,
        "limit_request_line": LONGEST_LINE,
        "limit_request_fields": MOST_HEADERS,
        "limit_request_field_size": LONGEST_LINE,
        # What reverse proxies tell is the business of proxy.peer.
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
    }


def _most_connections() -> int:
    """How many connections a worker takes: one that runs out of open files would end."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(_MOST_CONNECTIONS, files // 2)
