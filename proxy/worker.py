"""gunicorn's threaded worker, with TLS on some listeners, and with threads only for requests that are there.

gunicorn 27 gives a connection to a thread as soon as its first byte is there, waits for the rest without a limit, and
waits in its main loop for a client to close. Here the main loop takes in the requests of all connections, each with a
deadline, and a thread is given a whole one. What overrides gunicorn's own methods is written for that release.
"""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import ssl
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from proxy.connection import Connection, Step
from proxy.receiving import TOO_SLOW, Refusal
from proxy.sending import WaitingRoom

_log = logging.getLogger(__name__)

_LINGER_SECONDS = 2.0
_PASSING = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)
_EVENTS = {Step.READ: selectors.EVENT_READ, Step.WRITE: selectors.EVENT_WRITE}


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no type hints
    """A worker process. ``app`` is the :class:`proxy.server.Server` that it belongs to."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._arriving: set[Connection] = set()
        self._parting: set[Connection] = set()
        self._room = WaitingRoom(max(1, self.cfg.threads // 2))

    def load_wsgi(self) -> None:
        """Load the application, which sees the socket itself and not what answers go through: it asks for the peer."""
        application = self.app.wsgi()

        def with_socket(environ: dict[str, Any], start_response: object) -> object:
            environ["gunicorn.socket"] = environ["gunicorn.socket"].sock
            return application(environ, start_response)

        self.wsgi = with_socket

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and wait in the main loop for what it sends."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in _PASSING:
                raise
            return
        server = listener.getsockname()
        try:
            connection = Connection(self.cfg, sock, client, server, self.app.context_for(server[1]))
        except OSError:
            sock.close()
            return
        self.nr_conns += 1
        self._receive(connection)

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """The next request on a connection that was kept begins."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._receive(conn)

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        """A thread has done with a connection, which is kept or closed."""
        try:
            if fs.cancelled() or fs.exception() is not None or not fs.result():
                self._part(conn)
            elif conn.take_back():
                self._receive(conn)
            else:
                super().finish_request(conn, fs)
        except OSError:
            self._close(conn)

    def handle_request(self, req: Any, conn: Connection) -> bool:  # noqa: ANN401
        """Handle one request in a thread; False when the connection has to end."""
        if conn.secure:
            req.scheme = "https"
        if conn.told_to_continue:
            req._expected_100_continue = False  # It was told already
        if conn.last:
            req.force_close()
        try:
            return bool(super().handle_request(req, conn.answering(self._room)))
        except TimeoutError:
            _log.info("%s does not take its answer; given up", conn.address)
            return False

    def murder_pending(self) -> None:
        """End what has passed its deadline."""
        now = time.monotonic()
        for connection in [each for each in self._arriving if each.deadline <= now]:
            self._forget(connection)
            if connection.idle:
                self._close(connection)
                continue
            _log.info("%s was too slow with its request; given up", connection.address)
            connection.refuse(TOO_SLOW)
            self._part(connection)
        for connection in [each for each in self._parting if each.deadline <= now]:
            self._forget(connection)
            self._close(connection)

    def _cap_keepalive(self, deadline: float) -> None:
        """The worker stops: do not wait long for those who have sent nothing."""
        super()._cap_keepalive(deadline)
        for connection in self._arriving:
            if connection.idle:
                connection.deadline = min(connection.deadline, deadline)

    def _receive(self, connection: Connection) -> None:
        """Wait for a request on ``connection``, as long as the settings allow."""
        seconds = self.app.request_timeout if self.alive else STOP_KEEPALIVE_LINGER
        connection.deadline = time.monotonic() + seconds
        connection.sock.setblocking(False)
        self._go_on(connection, self._advance(connection))

    def _on_arrival(self, connection: Connection, _: socket.socket) -> None:
        self._go_on(connection, self._advance(connection))

    def _advance(self, connection: Connection) -> Step:
        try:
            return connection.advance()
        except ssl.SSLEOFError:
            return Step.GONE
        except ssl.SSLError as error:
            _log.info("TLS with %s failed: %s", connection.address, _reason(error))
            return Step.REFUSAL
        except OSError:
            return Step.GONE

    def _go_on(self, connection: Connection, step: Step) -> None:
        events = _EVENTS.get(step)
        if events is not None:
            if connection in self._arriving:
                self.poller.modify(connection.sock, events, partial(self._on_arrival, connection))
            else:
                self._arriving.add(connection)
                self.poller.register(connection.sock, events, partial(self._on_arrival, connection))
            return
        self._forget(connection)
        if step is Step.REQUEST:
            self.enqueue_req(connection)
        elif step is Step.GONE:
            self._close(connection)
        else:
            refusal = connection.incoming.refusal
            if refusal is not None:
                _refuse(connection, refusal)
            self._part(connection)

    def _part(self, connection: Connection) -> None:
        """Close a connection as soon as the client has taken everything and closes it too."""
        if not connection.part():
            self._close(connection)
            return
        connection.deadline = time.monotonic() + _LINGER_SECONDS
        self._parting.add(connection)
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self._on_farewell, connection))

    def _on_farewell(self, connection: Connection, _: socket.socket) -> None:
        if connection.drain():
            self._forget(connection)
            self._close(connection)

    def _forget(self, connection: Connection) -> None:
        """Stop to wait for anything from ``connection``."""
        if connection in self._arriving or connection in self._parting:
            self._arriving.discard(connection)
            self._parting.discard(connection)
            self.poller.unregister(connection.sock)

    def _close(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.close()


def _refuse(connection: Connection, refusal: Refusal) -> None:
    _log.info("Request from %s refused: %s (%s)", connection.address, refusal.status, refusal.text)
    connection.refuse(refusal)


def _reason(error: ssl.SSLError) -> str:
    verify = getattr(error, "verify_message", None)
    return str(verify or error.reason or "broken").replace("_", " ").lower()
