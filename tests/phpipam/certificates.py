"""Certificates for a server on localhost, good ones and expired ones."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


def server_context(directory: Path, *, expired: bool = False) -> tuple[ssl.SSLContext, Path]:
    """What a server needs, and the file of the CA that a client is to trust."""
    authority = trustme.CA()
    now = datetime.now(UTC)
    ends = now - timedelta(days=1) if expired else now + timedelta(days=1)
    certificate = authority.issue_cert("localhost", "127.0.0.1", not_before=now - timedelta(days=9), not_after=ends)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    trusted = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    return context, trusted
