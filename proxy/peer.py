"""Who sent a request: the address, the scheme and the client certificate, through listed reverse proxies or directly.

A reverse proxy that ends TLS says in headers what it saw. Anybody can send such headers, so they count only when they
come from an address in ``:tls_proxies:``:

========================  =================================================================================
``X-Forwarded-For``       the client, and behind it the proxies that passed the request on, each added at the end
``X-Forwarded-Proto``     ``http`` or ``https``
``X-SSL-Client-Verify``   ``SUCCESS`` when the client's certificate was verified (nginx's ``$ssl_client_verify``)
``X-SSL-Client-Cert``     that certificate: PEM, percent-encoded (nginx's ``$ssl_client_escaped_cert``), or DER in
                          base64 (HAProxy's ``ssl_c_der,base64``)
========================  =================================================================================
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

from asn1crypto import x509
from netaddr import IPAddress, IPNetwork

from providers.addresses import parse_address
from providers.errors import InvalidValue

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from proxy.settings import Settings

Scheme = Literal["http", "https"]

_ENVIRON_KEY = "leasehold.peer"
_FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
_FORWARDED_PROTO = "HTTP_X_FORWARDED_PROTO"
_VERIFY = "HTTP_X_SSL_CLIENT_VERIFY"
_CERTIFICATE = "HTTP_X_SSL_CLIENT_CERT"
_SIGNS_OF_A_PROXY = (
    _FORWARDED_FOR,
    _FORWARDED_PROTO,
    _VERIFY,
    _CERTIFICATE,
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_REAL_IP",
)
_PEM_BEGINS = "-----BEGIN"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A verified client certificate: the CN of its subject, and the DNS names among its SANs, as they are written."""

    common_name: str | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Peer:
    """Whoever sent the request. ``address`` is an IP address in its usual spelling, IPv4 also on IPv6 sockets.

    ``hidden`` is True when somebody passed the request on who is not believed, or who did not say for whom: then
    ``address`` is that of the one who passed it on. It is True as well when ``address`` is loopback, but on another
    machine. Nothing may be granted because of such an address.
    """

    address: str
    scheme: Scheme
    certificate: Certificate | None
    hidden: bool = False


class Peers:
    """WSGI layer that lets everything behind it see the client instead of a listed reverse proxy.

    ``REMOTE_ADDR`` and ``wsgi.url_scheme`` become those of the peer, for the routes and for the access log.
    """

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request; headers that cannot be read are left to whoever asks :func:`peer_of` again."""
        with suppress(InvalidValue):
            peer = peer_of(environ, self._settings)
            environ["REMOTE_ADDR"] = peer.address
            environ["wsgi.url_scheme"] = peer.scheme
        return self._app(environ, start_response)


def peer_of(environ: WSGIEnvironment, settings: Settings) -> Peer:
    """Who sent the request, the same however often it is asked.

    Raises InvalidValue when a listed proxy sent headers that cannot be read.
    """
    known = environ.get(_ENVIRON_KEY)
    if not isinstance(known, Peer):
        known = environ[_ENVIRON_KEY] = _peer(environ, settings.tls_proxies)
    return known


@lru_cache(maxsize=256)
def read_certificate(der: bytes) -> Certificate:
    """CN and DNS names of an X.509 certificate in DER. Raises InvalidValue when it is none."""
    try:
        certificate = x509.Certificate.load(der, strict=True)
        names = certificate.subject.native.get("common_name")
        alternatives = certificate.subject_alt_name_value or ()
        dns_names = [str(name.native) for name in alternatives if name.name == "dns_name"]
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidValue("The client certificate cannot be read") from error
    common_name = names[0] if isinstance(names, list) else names
    return Certificate(
        common_name if common_name and common_name.isprintable() else None,
        tuple(name for name in dns_names if name and name.isprintable()),
    )


def _peer(environ: WSGIEnvironment, proxies: tuple[IPNetwork, ...]) -> Peer:
    remote = environ.get("REMOTE_ADDR") or ""
    scheme: Scheme = "https" if environ.get("wsgi.url_scheme") == "https" else "http"
    passed_on = any(sign in environ for sign in _SIGNS_OF_A_PROXY)
    try:
        address = _address(remote)
    except InvalidValue:
        return Peer(remote, scheme, _of_connection(environ), hidden=True)
    if not (passed_on and _listed(address, proxies)):
        return Peer(str(address), scheme, _of_connection(environ), hidden=passed_on)
    scheme = _forwarded_scheme(environ, scheme)
    client, hidden = _client(environ, address, proxies)
    certificate = _of_headers(environ) if scheme == "https" else None
    return Peer(str(client), scheme, certificate, hidden=hidden)


def _client(environ: WSGIEnvironment, sender: IPAddress, proxies: tuple[IPNetwork, ...]) -> tuple[IPAddress, bool]:
    """The last address that no listed proxy has, or the first of all when every one is listed; and if it is hidden.

    A loopback address means this machine only if nobody on another one passed the request on.
    """
    address, hidden, here = sender, True, True
    for hop in reversed(environ.get(_FORWARDED_FOR, "").split(",")):
        if not hop.strip():
            continue
        here = here and address.is_loopback()
        try:
            address = _address(hop.strip())
        except InvalidValue as error:
            raise InvalidValue("X-Forwarded-For holds something that is no IP address") from error
        hidden = address.is_loopback() and not here
        if not _listed(address, proxies):
            break
    return address, hidden


def _forwarded_scheme(environ: WSGIEnvironment, scheme: Scheme) -> Scheme:
    told = environ.get(_FORWARDED_PROTO)
    if told is None:
        return scheme
    match told.rpartition(",")[2].strip().lower():
        case "https":
            return "https"
        case "http":
            return "http"
    raise InvalidValue("X-Forwarded-Proto is neither http nor https")


def _of_connection(environ: WSGIEnvironment) -> Certificate | None:
    """The certificate of the TLS connection itself: the handshake fails when it is not verified."""
    connection = environ.get("gunicorn.socket")
    der = connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLSocket) else None
    return None if der is None else read_certificate(der)


def _of_headers(environ: WSGIEnvironment) -> Certificate | None:
    text = environ.get(_CERTIFICATE, "").strip()
    if environ.get(_VERIFY, "").strip() != "SUCCESS" or not text:
        return None
    try:
        if text.startswith(_PEM_BEGINS):
            return read_certificate(ssl.PEM_cert_to_DER_cert(unquote(text).strip()))
        return read_certificate(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise InvalidValue("X-SSL-Client-Cert holds no certificate: percent-encoded PEM, or DER in base64") from error


def _listed(address: IPAddress, proxies: tuple[IPNetwork, ...]) -> bool:
    return any(address in network for network in proxies)


def _address(text: str) -> IPAddress:
    """An address; IPv4 that came over an IPv6 socket is IPv4, and a zone (fe80::1%eth0) says nothing to others."""
    address = parse_address(text.partition("%")[0])
    return address.ipv4() if address.is_ipv4_mapped() else address
