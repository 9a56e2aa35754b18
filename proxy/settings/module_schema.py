"""The settings of each module: ``settings.d/dhcp.yml``, ``externalipam.yml``, ``logs.yml`` and so on."""

from __future__ import annotations

from marshmallow import Schema, ValidationError

from providers.registry import DHCP_PROVIDERS, IPAM_PROVIDERS
from proxy.settings.fields import Choice, Enabled, ProviderName, Switch, Text, WholeNumber
from proxy.settings.list_fields import Networks
from proxy.settings.schema import about


def _no_probing_yet(value: bool) -> None:
    if value:
        raise ValidationError("needs probing, which this version does not offer")


class DHCPSchema(Schema):
    """``settings.d/dhcp.yml``."""

    enabled = Enabled(
        load_default=True,
        metadata=about("Whether /dhcp is served; http and https mean on that listener only."),
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
    sync_limit = WholeNumber(
        0,
        100,
        load_default=20,
        metadata=about(
            "How many percent of the hosts that the DHCP server serves leasehold sync may change or remove without "
            "--force. Ten are always allowed; adding is."
        ),
    )
    server = Text(
        load_default=None,
        metadata=about(
            "The address of the DHCP server, for providers that reach it over the network: dhcp_isc.",
            computed="none",
            example="127.0.0.1",
        ),
    )


class LogsSchema(Schema):
    """``settings.d/logs.yml``."""

    enabled = Enabled(
        load_default=True,
        metadata=about(
            "Whether /logs is served, which Foreman's Logs page reads; http and https mean on that listener only."
        ),
    )


class APISchema(Schema):
    """``settings.d/api.yml``."""

    enabled = Enabled(
        load_default=True,
        metadata=about("Whether /api/v1 is served; http and https mean on that listener only."),
    )


class PhpipamSchema(Schema):
    """``settings.d/phpipam.yml``."""

    enabled = Enabled(
        load_default=True,
        metadata=about(
            "Whether /phpipam/api is served, for clients of phpIPAM such as cbsd ipam; http and https mean on that "
            "listener only."
        ),
    )


class ExternalIPAMSchema(Schema):
    """``settings.d/externalipam.yml``."""

    enabled = Enabled(
        load_default=True,
        metadata=about("Whether /ipam is served; http and https mean on that listener only."),
    )
    use_provider = ProviderName(
        IPAM_PROVIDERS,
        load_default="externalipam_local",
        metadata=about(
            "Who keeps the truth about which addresses are taken, for /dhcp as well. externalipam_local: the book; "
            "externalipam_phpipam: a phpIPAM."
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
