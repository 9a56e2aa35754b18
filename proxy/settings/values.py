"""The settings as the rest of the program sees them: typed, complete, unchangeable.

What each key means, and its default, is said once, in :mod:`proxy.settings.schema`; the names are the same here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from netaddr import IPNetwork
from sqlalchemy import URL

Enabled = bool | Literal["http", "https"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DHCPSettings:
    """``settings.d/dhcp.yml`` and the file of its provider."""

    enabled: Enabled
    use_provider: str
    subnets: tuple[IPNetwork, ...]
    ping_free_ip: bool
    sync_limit: int
    server: str | None
    provider_settings: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIPAMSettings:
    """``settings.d/externalipam.yml`` and the file of its provider."""

    enabled: Enabled
    use_provider: str
    ip_exists_form: Literal["bare", "result"]
    provider_settings: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsSettings:
    """``settings.d/logs.yml``."""

    enabled: Enabled


@dataclass(frozen=True, slots=True, kw_only=True)
class APISettings:
    """``settings.d/api.yml``."""

    enabled: Enabled


@dataclass(frozen=True, slots=True, kw_only=True)
class PhpipamSettings:
    """``settings.d/phpipam.yml``."""

    enabled: Enabled


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``settings.yml`` and all that belongs to it.

    Paths are absolute, except that of ``settings_directory``, which is as the operator would type it.
    ``http_port`` is None without that listener; ``ssl_certificate``, ``ssl_private_key`` and ``ssl_ca_file`` are all
    set, and then there is an HTTPS listener, or all None; ``request_timeout`` is in seconds; ``workers`` None leaves
    the number to the program; ``bind_host`` may hold ``*``.
    ``database`` is complete with its password. Whether ``str()`` shows that depends on SQLAlchemy's version, so pass
    the URL itself on, take ``render_as_string(hide_password=False)`` where a library wants text, and
    :func:`providers.book.database.without_password` for a log.

    ``file_rolling_size`` is in MiB, 0 for none; ``file_rolling_age`` is daily, weekly, monthly or a number of seconds.

    ``trusted_hosts`` None is one that is not set; an empty one trusts nobody.

    ``file`` is the settings.yml that was read, None when there is none; ``files`` are all that were read. ``origins``
    says for every key (``http_port``, ``dhcp.enabled``) where its value came from. ``warnings`` are for the operator.
    """

    settings_directory: Path
    state_dir: Path
    database: URL = field(repr=False)
    http_port: int | None
    https_port: int
    ssl_certificate: Path | None
    ssl_private_key: Path | None
    ssl_ca_file: Path | None
    tls_disabled_versions: tuple[str, ...]
    ssl_disabled_ciphers: tuple[str, ...]
    tls_proxies: tuple[IPNetwork, ...]
    request_timeout: int
    bind_host: tuple[str, ...]
    trusted_hosts: tuple[str, ...] | None
    forward_verify: bool
    insecure_http: bool
    log_file: Path | Literal["STDOUT", "SYSLOG"]
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
    log_format: Literal["text", "json"]
    file_logging_pattern: str
    system_logging_pattern: str
    file_rolling_size: int
    file_rolling_age: str | int
    file_rolling_keep: int
    log_buffer: int
    log_buffer_errors: int
    reported_version: str | None
    workers: int | None
    threads: int
    hold_ttl: timedelta
    hold_ttl_anonymous: timedelta
    hold_ttl_guest: timedelta
    rest_minutes: timedelta
    join_minutes: timedelta
    events_days: int
    dhcp: DHCPSettings
    externalipam: ExternalIPAMSettings
    logs: LogsSettings
    api: APISettings
    phpipam: PhpipamSettings
    file: Path | None = None
    files: tuple[Path, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()
