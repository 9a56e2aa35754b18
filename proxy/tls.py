"""The TLS context of the HTTPS listener, from the files and limits that the settings name."""

from __future__ import annotations

import ssl
from pathlib import Path

from providers.errors import Misconfigured
from proxy.settings import Settings

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class _Encrypted(Exception):
    """A key wants a passphrase, and nobody is there to type one."""


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """Read certificate, key and CA; None when the settings name none.

    TLS 1.2 and 1.3 are spoken. A client certificate is asked for; one that the CA did not sign, or that has expired,
    fails the handshake, and none at all is fine. Nothing is resumed: a client is verified on every connection.

    Raises Misconfigured, in one line with the file, when one of them cannot be used.
    """
    if settings.ssl_certificate is None or settings.ssl_private_key is None or settings.ssl_ca_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    spoken = [number for version, number in _VERSIONS.items() if version not in settings.tls_disabled_versions]
    context.minimum_version, context.maximum_version = spoken[0], spoken[-1]
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    _disable_ciphers(context, settings)
    _load_certificate(context, settings.ssl_certificate, settings.ssl_private_key)
    _load_ca(context, settings.ssl_ca_file)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _disable_ciphers(context: ssl.SSLContext, settings: Settings) -> None:
    """Take the disabled ones out of what TLS 1.2 may use; those of 1.3 are not in this list."""
    if not settings.ssl_disabled_ciphers:
        return
    offered = [str(cipher["name"]) for cipher in context.get_ciphers() if not str(cipher["name"]).startswith("TLS_")]
    left = [name for name in offered if name not in settings.ssl_disabled_ciphers]
    if left:
        context.set_ciphers(":".join(left))
    elif "1.3" in settings.tls_disabled_versions:
        raise Misconfigured(":ssl_disabled_ciphers: leaves no cipher for TLS 1.2, and 1.3 is disabled")
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _check_pem(certificate, "ssl_certificate", "CERTIFICATE-----")
    _check_pem(key, "ssl_private_key", "PRIVATE KEY-----")
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except _Encrypted:
        raise Misconfigured(
            f":ssl_private_key: {key} has a passphrase, and nobody can type it; remove it with openssl pkey"
        ) from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise Misconfigured(f":ssl_private_key: {key} is not the key of :ssl_certificate: {certificate}") from error
        raise Misconfigured(
            f":ssl_certificate: {certificate} with :ssl_private_key: {key} cannot be used: {_reason(error)}"
        ) from error
    except OSError as error:
        raise Misconfigured(f":ssl_certificate: {certificate} cannot be read: {error.strerror}") from error


def _load_ca(context: ssl.SSLContext, file: Path) -> None:
    _check_pem(file, "ssl_ca_file", "CERTIFICATE-----")
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError as error:
        raise Misconfigured(f":ssl_ca_file: {file} cannot be used: {_reason(error)}") from error
    except OSError as error:
        raise Misconfigured(f":ssl_ca_file: {file} cannot be read: {error.strerror}") from error


def _check_pem(file: Path, key: str, mark: str) -> None:
    """OpenSSL's own errors do not say which file they are about."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise Misconfigured(f":{key}: {file} cannot be read: {error.strerror}") from error
    if b"-----BEGIN " not in text or mark.encode() not in text:
        raise Misconfigured(f":{key}: {file} holds no {mark.strip('-').lower()} in PEM form")


def _no_passphrase() -> str:
    raise _Encrypted


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
