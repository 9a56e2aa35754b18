"""``settings.d/dhcp_kea.yml``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

_UNIX = "/"
_HTTP = ("http://", "https://")


def _refuse_no_control(value: str) -> None:
    if not value.startswith((_UNIX, *_HTTP)):
        raise ValidationError("is neither the absolute path of a socket nor a URL with http:// or https://")
    if value.startswith(_HTTP):
        _refuse_unfit_url(value)


def _refuse_unfit_url(value: str) -> None:
    try:
        url = urlsplit(value)
        named = bool(url.hostname) and url.port != 0
    except ValueError as error:
        raise ValidationError(f"is no URL: {error}") from error
    if not named:
        raise ValidationError("is a URL without a host, or with the port 0")
    if "@" in url.netloc:
        # It would be in every message about Kea.
        raise ValidationError("is a URL with a user or password: they belong into :user: and :password:")


def _refuse_relative(value: str) -> None:
    if not value.startswith("/"):
        raise ValidationError("is no absolute path")


def _path(help_text: str, default: str | None, **metadata: Any) -> fields.String:  # noqa: ANN401
    return fields.String(
        load_default=default,
        allow_none=default is None,
        validate=_refuse_relative,
        metadata={"help": help_text, "allowed": "an absolute path", **metadata},
    )


class KeaSchema(Schema):
    """What has to be known of a Kea."""

    control = fields.String(
        load_default="/run/kea/kea4-ctrl-socket",
        validate=_refuse_no_control,
        metadata={
            "help": "Where the kea-dhcp4 takes commands: the path of its Unix socket, or the URL of its HTTP socket or "
            "of the Control Agent.",
            "allowed": "an absolute path, or a URL with http:// or https://",
        },
    )
    user = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"help": "The user name for HTTP basic authentication.", "allowed": "text", "example": "leasehold"},
    )
    password = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"help": "The password of that user.", "allowed": "text", "secret": True},
    )
    ca_file = _path(
        "The certificates, PEM, of the CAs that may have signed Kea's, for https.",
        None,
        computed="those of the system",
        example="/etc/leasehold/kea-ca.pem",
    )
    certificate = _path(
        "The client certificate, PEM, for https, if Kea asks for one.", None, example="/etc/leasehold/kea-client.pem"
    )
    private_key = _path("Its key, PEM.", None, example="/etc/leasehold/kea-client.key")
    timeout = fields.Integer(
        load_default=10,
        validate=validate.Range(1, 120),
        metadata={"help": "How many seconds Kea may take for a command."},
    )
    reservations = fields.String(
        load_default="auto",
        validate=validate.OneOf(["auto", "files", "commands"]),
        metadata={
            "help": "How reservations get to Kea. files: a file for each subnet that Kea's configuration includes. "
            "commands: reservation-add and reservation-del of the hook host_cmds. auto: commands where Kea has them.",
        },
    )
    include_directory = _path("Where the files for the subnets are written.", "/etc/kea/leasehold")
    leases = fields.String(
        load_default="auto",
        metadata={
            "help": "Where leases are read from. commands: the hook lease_cmds. auto: commands where Kea has them, "
            "else the lease file that Kea's configuration names. none: nowhere.",
            "allowed": "auto, commands, none, or the absolute path of a lease file",
        },
    )

    @validates_schema
    def _fit(self, data: dict[str, Any], **_: object) -> None:
        """Refuse halves of pairs, and names that are none."""
        if (data["user"] is None) != (data["password"] is None):
            raise ValidationError("needs the other one of :user: and :password:", "user")
        if (data["certificate"] is None) != (data["private_key"] is None):
            raise ValidationError("needs the other one of :certificate: and :private_key:", "certificate")
        if data["leases"] not in ("auto", "commands", "none") and not data["leases"].startswith("/"):
            raise ValidationError("is neither auto, commands, none nor an absolute path", "leases")
