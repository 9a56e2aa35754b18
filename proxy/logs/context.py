"""Every line that is logged while a request is handled belongs to it, up to the last byte of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from providers.trace import Trace, begin, end
from proxy.request_id import request_id_of, session_id_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Traced:
    """WSGI layer around all others that says which request this thread works for.

    The server writes its access line before it closes the answer, so that line belongs to the request as well.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        trace = Trace(request_id_of(environ), session_id_of(environ), environ.get("REMOTE_ADDR"))
        begin(trace)
        try:
            return _Answer(self._app(environ, start_response), trace)
        except BaseException:
            end(trace)
            raise


class _Answer:
    """The body of an answer; closing it ends the request."""

    def __init__(self, body: Iterable[bytes], trace: Trace) -> None:
        self._body = body
        self._trace = trace

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            end(self._trace)
