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
class Settings:
    """``settings.yml`` and all that belongs to it.

    Paths are absolute, except that of ``settings_directory``, which is as the operator would type it. ``log_file`` is
    None for the standard output; ``workers`` None leaves the number to the program; ``bind_host`` may hold ``*``.
    ``database`` is complete with its password. Whether ``str()`` shows that depends on SQLAlchemy's version, so pass
    the URL itself on, take ``render_as_string(hide_password=False)`` where a library wants text, and
    :func:`proxy.settings.database_url.without_password` for a log.

    ``file`` is the settings.yml that was read, None when there is none; ``files`` are all that were read. ``origins``
    says for every key (``http_port``, ``dhcp.enabled``) where its value came from. ``warnings`` are for the operator.
    """

    settings_directory: Path
    state_dir: Path
    database: URL = field(repr=False)
    http_port: int
    bind_host: tuple[str, ...]
    log_file: Path | None
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
    reported_version: str | None
    workers: int | None
    threads: int
    hold_ttl: timedelta
    hold_ttl_anonymous: timedelta
    hold_ttl_guest: timedelta
    rest_minutes: timedelta
    join_minutes: timedelta
    dhcp: DHCPSettings
    externalipam: ExternalIPAMSettings
    file: Path | None = None
    files: tuple[Path, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()
