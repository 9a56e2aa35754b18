"""What a worker serves while it cannot open the book: 503 with the reason, until an attempt succeeds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from providers.clock import Clock, utc_now
from providers.errors import LeaseholdError
from proxy.errors import as_object, as_text
from proxy.logs.context import Traced
from proxy.paths import Paths
from proxy.peer import Peers
from proxy.request_id import HEADER, request_id
from proxy.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PAUSE = timedelta(seconds=1)

_log = logging.getLogger(__name__)


class Waiting:
    """WSGI application that becomes the one that ``open_app`` returns as soon as that raises no LeaseholdError.

    A worker that ended instead would take the whole service with it: gunicorn stops when one cannot start. It is tried
    with a request, by one thread at a time, and not within a second of the last failure.
    """

    def __init__(
        self,
        open_app: Callable[[], WSGIApplication],
        reason: LeaseholdError,
        settings: Settings,
        *,
        clock: Clock = utc_now,
    ) -> None:
        """``reason`` is what ``open_app`` has just raised."""
        self._open_app = open_app
        self._reason = reason
        self._clock = clock
        self._failed_at = clock()
        self._trying = threading.Lock()
        self._opened: WSGIApplication | None = None
        self._refusing = self._refusing_app(settings)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        if self._opened is None:
            self._try_again()
        return (self._opened or self._refusing)(environ, start_response)

    def _try_again(self) -> None:
        # Nobody waits for an attempt of somebody else: a database that does not answer can keep it for long.
        if not self._trying.acquire(blocking=False):
            return
        try:
            # Without abs(), a clock that was set back would end the attempts until it has caught up.
            if self._opened is None and abs(self._clock() - self._failed_at) >= _PAUSE:
                self._opened = self._open_app()
                _log.info("The book is open again")
        except LeaseholdError as error:
            self._reason = error
            self._failed_at = self._clock()
        finally:
            self._trying.release()

    def _refusing_app(self, settings: Settings) -> Flask:
        app = Flask("proxy", static_folder=None, template_folder=None)
        app.wsgi_app = Peers(Traced(Paths(app.wsgi_app)), settings)  # type: ignore[method-assign]
        app.before_request(self._refuse)
        return app

    def _refuse(self) -> Response:
        answer = as_object(self._reason) if request.path.startswith("/ipam/") else as_text(self._reason)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers[HEADER] = request_id()
        return answer
