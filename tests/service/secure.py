"""Certificates made for a test, a service that uses them, and a client that shows one."""

from __future__ import annotations

import http.client
import socket
import ssl
from datetime import datetime
from pathlib import Path

import trustme
from asn1crypto import x509
from crowd import Answer
from running import Service

from tests.ports import free_port

FOREMAN = "foreman.example.org"
_ANSWERS_WITHIN = 60


class Site:
    """A CA in ``directory``, with the certificate and the key of the service and those of its clients."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = trustme.CA()
        self.certificate = directory / "certificate.pem"
        self.key = directory / "key.pem"
        self.ca = directory / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca))
        self.renew()

    def renew(self) -> int:
        """Give the service another certificate and key; the serial number of the certificate."""
        made = self.authority.issue_cert("127.0.0.1", "localhost", common_name="proxy.example.org")
        self.key.write_bytes(made.private_key_pem.bytes())
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        return serial_of(made.cert_chain_pems[0].bytes().decode())

    def client(
        self,
        *names: str,
        common_name: str | None = None,
        authority: trustme.CA | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Path:
        """A file with the key and the certificate of a client, by this CA or another ``authority``."""
        made = (authority or self.authority).issue_cert(
            *names, common_name=common_name, not_before=not_before, not_after=not_after
        )
        file = self.directory / f"client-{len(list(self.directory.glob('client-*')))}.pem"
        made.private_key_and_cert_chain_pem.write_to_path(str(file))
        return file

    def equip(self, service: Service) -> int:
        """Let ``service`` listen for HTTPS as well; the port of that listener."""
        port = free_port()
        service.environ |= {
            "LEASEHOLD_HTTPS_PORT": str(port),
            "LEASEHOLD_SSL_CERTIFICATE": str(self.certificate),
            "LEASEHOLD_SSL_PRIVATE_KEY": str(self.key),
            "LEASEHOLD_SSL_CA_FILE": str(self.ca),
        }
        return port

    def context(self, client: Path | None = None) -> ssl.SSLContext:
        """What a client needs that trusts this CA and shows the certificate in the file ``client``."""
        context = ssl.create_default_context(cafile=self.ca)
        if client is not None:
            context.load_cert_chain(client)
        return context


class TLSClient:
    """Sends requests over TLS, each on a new connection, as Foreman does."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self.port = port
        self.context = context

    def get(self, path: str, **headers: str) -> Answer:
        """Send a GET."""
        return self.send("GET", path, headers)

    def send(self, method: str, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Send one request and return its answer; raises OSError when there is none."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=_ANSWERS_WITHIN, context=self.context)
        try:
            connection.request(method, path, headers={"Accept": "application/json", **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()


def served_serial(port: int, ca: Path) -> int:
    """The serial number of the certificate that is served now."""
    context = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=_ANSWERS_WITHIN) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        certificate = connection.getpeercert()
        assert certificate is not None
        return int(str(certificate["serialNumber"]), 16)


def serial_of(pem: str) -> int:
    """The serial number of a certificate in PEM."""
    return int(x509.Certificate.load(ssl.PEM_cert_to_DER_cert(pem)).serial_number)
