"""Where the service listens: every host of ``:bind_host:``, on the port for HTTP, that for HTTPS, or both."""

from __future__ import annotations

import socket
from typing import NamedTuple

from providers.errors import Misconfigured
from proxy.settings import Settings


class Listener(NamedTuple):
    """One place to listen."""

    scheme: str
    host: str
    port: int

    @property
    def bind(self) -> str:
        """What gunicorn's ``bind`` wants."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bind}"


def listeners(settings: Settings) -> list[Listener]:
    """All listeners that the settings ask for."""
    ports = [("http", settings.http_port), ("https", settings.https_port if settings.ssl_certificate else None)]
    hosts = ["0.0.0.0" if host == "*" else host for host in settings.bind_host]  # noqa: S104 - as the operator says
    return [Listener(scheme, host, port) for scheme, port in ports if port is not None for host in hosts]


def check(listener: Listener) -> None:
    """Raise Misconfigured when nobody can listen there: gunicorn would try for five seconds, with eleven lines."""
    host, port = listener.host, listener.port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Misconfigured(
                f"Cannot listen on {host} port {port}: {error.strerror}. Stop whoever listens there, or choose another "
                f":{listener.scheme}_port: or :bind_host:"
            ) from error
