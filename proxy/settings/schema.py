"""Every setting of the settings files: one source for validation, defaults, help, sample files and reference page.

A field's ``metadata`` says what the files and pages show beside the field itself; :func:`about` builds it. The schema
of a provider (its class attribute ``settings_schema``) may use marshmallow's own fields or those of
:mod:`proxy.settings.fields`, with the same metadata.

=============  ========================================================================================
``help``       what the setting does, in plain sentences
``allowed``    what it accepts, when the field does not say so itself
``secret``     True: its value is never shown, and the environment may name a file that holds it
``computed``   the default in words, when it depends on something else
``example``    what the sample shows when there is no plain default
=============  ========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from proxy.logs.patterns import FILE_PATTERN, SYSTEM_PATTERN
from proxy.settings.database_url import DatabaseURL
from proxy.settings.fields import (
    Choice,
    FilePath,
    Minutes,
    Port,
    Switch,
    VersionText,
    WholeNumber,
)
from proxy.settings.list_fields import AnyNetworks, BindHosts, Ciphers, HostNames, TLSVersions
from proxy.settings.log_fields import LogFile, LogPattern, RollingAge

CERTIFICATE_FILES = ("ssl_certificate", "ssl_private_key", "ssl_ca_file")
"""There is an HTTPS listener when all of these are set."""


def about(
    help_text: str,
    *,
    allowed: str | None = None,
    secret: bool = False,
    computed: str | None = None,
    example: object = None,
) -> dict[str, object]:
    """The ``metadata`` of a setting; see the table above."""
    given = {"allowed": allowed, "computed": computed, "example": example}
    return {"help": help_text, "secret": secret, **{name: value for name, value in given.items() if value is not None}}


class SettingsSchema(Schema):
    """``settings.yml``."""

    settings_directory = FilePath(
        load_default=Path("settings.d"),
        metadata=about(
            "The directory with the files of the modules and providers, relative to the directory of settings.yml."
        ),
    )
    state_dir = FilePath(
        load_default=Path("var"),
        metadata=about("Where Leasehold keeps what it writes, relative to the working directory."),
    )
    database = DatabaseURL(
        load_default=None,
        metadata=about(
            "The book: SQLite on one machine, PostgreSQL when several proxies share it. MariaDB is untested. "
            "postgresql:// means postgresql+psycopg://; mysql:// and mariadb:// mean mysql+pymysql://. A "
            "relative SQLite path starts at the working directory.",
            secret=True,
            computed="an SQLite file leasehold.db in the state directory",
            example="postgresql+psycopg://leasehold@db.example.org/leasehold",
        ),
    )
    http_port = Port(
        load_default=None,
        metadata=about(
            "The TCP port of the HTTP listener; false switches it off.",
            computed="8000, or false when ssl_certificate is set",
            example=8000,
        ),
    )
    https_port = WholeNumber(
        1,
        65535,
        load_default=8443,
        metadata=about(
            "The TCP port of the HTTPS listener, which is there when ssl_certificate, ssl_private_key and ssl_ca_file "
            "are set."
        ),
    )
    ssl_certificate = FilePath(
        load_default=None,
        metadata=about(
            "The server's certificate, PEM, with those between it and its CA behind it. Certificate, key and CA are "
            "read again on SIGHUP.",
            allowed="the path of a PEM file",
            example="/etc/puppetlabs/puppet/ssl/certs/proxy.example.org.pem",
        ),
    )
    ssl_private_key = FilePath(
        load_default=None,
        metadata=about(
            "The key of that certificate, PEM, without a passphrase.",
            allowed="the path of a PEM file",
            example="/etc/puppetlabs/puppet/ssl/private_keys/proxy.example.org.pem",
        ),
    )
    ssl_ca_file = FilePath(
        load_default=None,
        metadata=about(
            "The certificates, PEM, of the CAs whose client certificates are accepted.",
            allowed="the path of a PEM file",
            example="/etc/puppetlabs/puppet/ssl/certs/ca.pem",
        ),
    )
    tls_disabled_versions = TLSVersions(
        load_default=(), metadata=about("Versions of TLS that are not spoken, besides 1.0 and 1.1, which never are.")
    )
    ssl_disabled_ciphers = Ciphers(load_default=(), metadata=about("Ciphers of TLS 1.2 that are not used."))
    tls_proxies = AnyNetworks(
        load_default=(),
        metadata=about(
            "The reverse proxies whose X-Forwarded-For, X-Forwarded-Proto, X-SSL-Client-Verify and X-SSL-Client-Cert "
            "are believed. From anybody else these headers count for nothing.",
            example=["127.0.0.1", "::1"],
        ),
    )
    request_timeout = WholeNumber(
        1,
        300,
        load_default=15,
        metadata=about("How many seconds a client may take to send a request, the TLS handshake included."),
    )
    bind_host = BindHosts(
        load_default=("127.0.0.1",),
        metadata=about(
            "Where to listen. * is every IPv4 address of the machine, :: every IPv6 one; with the default only this "
            "machine can connect."
        ),
    )
    trusted_hosts = HostNames(
        load_default=None,
        metadata=about(
            "Who may use anything but /features and /version without a token. Over HTTPS the client certificate has to "
            "have one of these names, as its CN or among its DNS names; over plain HTTP reverse DNS has to have one "
            "for the caller's address. Names are compared whole and without case. [] lets nobody in; when the key is "
            "not set, every certificate of :ssl_ca_file: counts, and over plain HTTP everybody may read.",
            computed="not set",
            example=["foreman.example.com"],
        ),
    )
    forward_verify = Switch(
        load_default=True,
        metadata=about(
            "Whether a name from reverse DNS counts only if it has the caller's address in turn. Whoever owns an "
            "address may give it any name, so leave it on."
        ),
    )
    insecure_http = Switch(
        load_default=False,
        metadata=about(
            "Whether everybody who can connect over plain HTTP may change the book, without a token. It has no effect "
            "where trusted_hosts is set. Callers on this machine do not need it."
        ),
    )
    log_file = LogFile(
        load_default="STDOUT",
        metadata=about("Where the log goes; SYSLOG is the system log of this machine, facility local5."),
    )
    log_level = Choice(
        "DEBUG",
        "INFO",
        "WARN",
        "ERROR",
        "FATAL",
        load_default="INFO",
        metadata=about("How much is logged. The backtrace of an error is part of its line with DEBUG only."),
    )
    log_format = Choice(
        "text",
        "json",
        load_default="text",
        metadata=about("Whether lines follow a pattern, or each is a JSON object."),
    )
    file_logging_pattern = LogPattern(
        load_default=FILE_PATTERN,
        metadata=about("What a line of text looks like in a file and on the standard output; see docs/logs.md."),
    )
    system_logging_pattern = LogPattern(
        load_default=SYSTEM_PATTERN, metadata=about("What a line of text looks like in the system log.")
    )
    file_rolling_size = WholeNumber(
        0,
        1024 * 1024,
        load_default=0,
        metadata=about("How many MiB a log file may have before it is rolled over; 0 leaves that to logrotate."),
    )
    file_rolling_age = RollingAge(
        load_default="weekly",
        metadata=about("How long a log file is written to before it is rolled over, if it is at all."),
    )
    file_rolling_keep = WholeNumber(
        1, 1000, load_default=6, metadata=about("How many old log files stay: NAME.1, the newest, NAME.2 and so on.")
    )
    log_buffer = WholeNumber(
        1,
        100_000,
        load_default=2000,
        metadata=about("How many lines Foreman's Logs page can show. Each takes up to 2 KiB of memory."),
    )
    log_buffer_errors = WholeNumber(
        0, 100_000, load_default=1000, metadata=about("How many errors stay there when they are older than that.")
    )
    reported_version = VersionText(
        load_default=None,
        metadata=about(
            "What /version says. Foreman warns unless the major version equals its own and the minor version is equal "
            "or one higher, so set it to Foreman's.",
            computed="Leasehold's own version",
            example="3.13.0",
        ),
    )
    workers = WholeNumber(
        1,
        64,
        load_default=None,
        metadata=about(
            "How many processes answer requests.", computed="one for each processor, from 2 to 4", example=2
        ),
    )
    threads = WholeNumber(1, 256, load_default=8, metadata=about("How many requests each process answers at once."))
    hold_ttl = Minutes(
        1,
        load_default=timedelta(minutes=30),
        metadata=about("How many minutes a suggested address is held for an asker that gave a MAC or a key."),
    )
    hold_ttl_anonymous = Minutes(
        1,
        load_default=timedelta(minutes=10),
        metadata=about("How many minutes a suggested address is held for an asker that gave neither."),
    )
    hold_ttl_guest = Minutes(
        1,
        load_default=timedelta(hours=24),
        metadata=about(
            "How many minutes an address is held that is asked for with use guest on /api/v1, as the nodes of guests "
            "do: a guest may exist long before it is first reported."
        ),
    )
    rest_minutes = Minutes(
        0,
        load_default=timedelta(minutes=5),
        metadata=about(
            "How many minutes a released address rests before it is suggested to somebody else. Foreman renames and "
            "rebuilds by deleting and creating, and whoever had the address may have it back at once."
        ),
    )
    join_minutes = Minutes(
        1,
        load_default=timedelta(minutes=60),
        metadata=about(
            "How many minutes after its DHCP reservation an address may still be taken through External IPAM as part "
            "of the same host. After that it counts as somebody else's."
        ),
    )
    events_days = WholeNumber(
        0,
        36_500,
        load_default=365,
        metadata=about("How many days events are kept, which tell who changed what; 0 keeps them for ever."),
    )

    @validates_schema(pass_original=True)
    def _listeners_fit(self, data: Mapping[str, Any], original: Mapping[str, Any], **_: object) -> None:
        """Refuse TLS that is half configured, and listeners that are none or two on one port."""
        certificate = [name for name in CERTIFICATE_FILES if data[name]]
        missing = [f":{name}:" for name in CERTIFICATE_FILES if not data[name]]
        if certificate and missing:
            raise ValidationError(f"needs {' and '.join(missing)} as well", certificate[0])
        if "http_port" in original and data["http_port"] is None and not certificate:
            raise ValidationError("leaves no listener, because there is no :ssl_certificate:", "http_port")
        if certificate and data["http_port"] == data["https_port"]:
            name = "https_port" if "https_port" in original else "http_port"
            raise ValidationError("is the port of the other listener", name)
        if {"1.2", "1.3"} <= set(data["tls_disabled_versions"]):
            raise ValidationError("are all the versions that are spoken", "tls_disabled_versions")
