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

from datetime import timedelta
from pathlib import Path

from marshmallow import Schema, ValidationError

from providers.registry import DHCP_PROVIDERS, IPAM_PROVIDERS
from proxy.settings.database_url import DatabaseURL
from proxy.settings.fields import (
    BindHosts,
    Choice,
    Enabled,
    FilePath,
    LogFile,
    Minutes,
    Networks,
    ProviderName,
    Switch,
    Text,
    VersionText,
    WholeNumber,
)

HTTPS_OFFERED = False


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
            "The book: SQLite on one machine, PostgreSQL when several proxies share it, MariaDB where a site already "
            "has it. postgresql:// means postgresql+psycopg://; mysql:// and mariadb:// mean mysql+pymysql://. A "
            "relative SQLite path starts at the working directory.",
            secret=True,
            computed="an SQLite file leasehold.db in the state directory",
            example="postgresql+psycopg://leasehold@db.example.org/leasehold",
        ),
    )
    http_port = WholeNumber(1, 65535, load_default=8000, metadata=about("The TCP port of the HTTP listener."))
    bind_host = BindHosts(
        load_default=("127.0.0.1",),
        metadata=about(
            "Where to listen. * is every IPv4 address of the machine, :: every IPv6 one; with the default only this "
            "machine can connect."
        ),
    )
    log_file = LogFile(load_default=None, metadata=about("Where the log goes."))
    log_level = Choice(
        "DEBUG", "INFO", "WARN", "ERROR", "FATAL", load_default="INFO", metadata=about("How much is logged.")
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
        metadata=about("How many processes answer requests.", computed="chosen to suit the database", example=2),
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
            "How many minutes an address is held that a node's DHCP helper took for a guest. The guest may exist "
            "long before its first hook. A caller's own time only lengthens it."
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


def _no_probing_yet(value: bool) -> None:
    if value:
        raise ValidationError("needs probing, which this version does not offer")


class DHCPSchema(Schema):
    """``settings.d/dhcp.yml``."""

    enabled = Enabled(
        https=HTTPS_OFFERED,
        load_default=True,
        metadata=about("Whether /dhcp is served; http means on the HTTP listener only."),
    )
    use_provider = ProviderName(
        DHCP_PROVIDERS,
        load_default="dhcp_none",
        metadata=about("Who serves the reservations to clients. dhcp_none: nobody, the book alone keeps them."),
    )
    subnets = Networks(
        load_default=(),
        metadata=about(
            "When not empty, only these networks of the book are served on /dhcp.",
            computed="all",
            example=["10.0.1.0/255.255.255.0", "10.0.2.0/24"],
        ),
    )
    ping_free_ip = Switch(
        load_default=False,
        validate=_no_probing_yet,
        metadata=about("Whether an address is probed before it is suggested.", allowed="false"),
    )
    server = Text(
        load_default=None,
        metadata=about(
            "The address of the DHCP server for the Ruby proxy's providers. It is read, and nothing uses it yet.",
            computed="none",
            example="127.0.0.1",
        ),
    )


class ExternalIPAMSchema(Schema):
    """``settings.d/externalipam.yml``."""

    enabled = Enabled(
        https=HTTPS_OFFERED,
        load_default=True,
        metadata=about("Whether /ipam is served; http means on the HTTP listener only."),
    )
    use_provider = ProviderName(
        IPAM_PROVIDERS,
        load_default="externalipam_local",
        metadata=about(
            "Who keeps the truth about which addresses are taken, for /dhcp as well. externalipam_local: the book."
        ),
    )
    ip_exists_form = Choice(
        "bare",
        "result",
        load_default="bare",
        metadata=about(
            "How /ipam says whether an address exists: bare is true or false, which every Foreman release reads; "
            'result is {"result": true}, which newer ones read as well.'
        ),
    )
