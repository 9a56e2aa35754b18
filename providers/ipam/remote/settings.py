"""The settings that every IPAM over HTTP has."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, validate

from providers.ipam.remote.client import Timeouts

_LOOPBACK_NAME = re.compile(r"(.+\.)?localhost\.?", re.IGNORECASE)


def about(
    help_text: str, *, allowed: str, secret: bool = False, computed: str | None = None, example: object = None
) -> dict[str, object]:
    """The ``metadata`` of a setting, as the settings files and pages show it."""
    shown = {"help": help_text, "allowed": allowed, "secret": secret, "computed": computed, "example": example}
    return {name: value for name, value in shown.items() if value is not None}


class SecretText(fields.Field[str]):
    """A password or a token, just as it is, with all its blanks. A number is its digits, as for the Ruby proxy."""

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not text or not text.isprintable():
            raise ValidationError("is not allowed")
        return text


class Word(fields.Field[str]):
    """Text on one line without blanks at its ends."""

    def __init__(self, pattern: str = r".{1,255}", **kwargs: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(**kwargs)
        self._pattern = re.compile(pattern)

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        text = value.strip() if isinstance(value, str) else value
        if not isinstance(text, str) or not text.isprintable() or not self._pattern.fullmatch(text):
            raise ValidationError("is not allowed")
        return text


class ServerURL(fields.Field[str]):
    """An http or https URL without user, password, query and fragment; a slash at its end is taken off."""

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        try:
            parts = urlsplit(value.strip() if isinstance(value, str) else "")
            sound = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1)
        except ValueError:
            sound = None
        if not sound or parts.username or parts.password or parts.query or parts.fragment:
            raise ValidationError("is not allowed")
        return parts.geturl().rstrip("/")


class ExistingFile(fields.Field[Path]):
    """A file that is there."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Path:
        path = Path(value).expanduser() if isinstance(value, str) and value.strip() else None
        if path is None or not path.is_file():
            raise ValidationError("is no file")
        return path

    def _serialize(self, value: Path | None, *_: object, **__: object) -> str | None:
        return None if value is None else str(value)


def _seconds(default: int, help_text: str, *, most: int = 300) -> fields.Integer:
    return fields.Integer(
        load_default=default,
        validate=validate.Range(1, most),
        metadata=about(help_text, allowed=f"whole seconds from 1 to {most}"),
    )


class RemoteSchema(Schema):
    """What is called and how long it may take."""

    url = ServerURL(
        required=True,
        metadata=about(
            "Where the IPAM is, as a browser shows its first page.",
            allowed="an http or https URL without user, password and query",
            example="https://phpipam.example.com",
        ),
    )
    verify_ssl = fields.Boolean(
        load_default=True,
        metadata=about(
            "Whether its certificate has to be good. Without it anybody in between can read the password.",
            allowed="true, false",
        ),
    )
    ca_file = ExistingFile(
        load_default=None,
        metadata=about(
            "The certificates that may have signed that of the IPAM, in PEM form.",
            allowed="the path of a file",
            computed="those that come with Leasehold",
            example="/etc/ssl/certs/ca-certificates.crt",
        ),
    )
    insecure_http = fields.Boolean(
        load_default=False,
        metadata=about(
            "Whether plain http is meant. Without it every start warns of it, unless the IPAM is on this machine.",
            allowed="true, false",
        ),
    )
    connect_timeout = _seconds(5, "How long connecting may take.")
    read_timeout = _seconds(
        10, "How long the IPAM may be silent when it is asked something. Writing may take the whole call_timeout."
    )
    call_timeout = _seconds(35, "How long a whole call may take; more than the IPAM lets writers wait for each other.")
    picture_minutes = fields.Integer(
        load_default=5,
        validate=validate.Range(1, 1440),
        metadata=about(
            "How old the book's picture of groups and subnets may be before they are read again.",
            allowed="whole minutes from 1 to 1440",
        ),
    )
    survey_minutes = fields.Integer(
        load_default=15,
        validate=validate.Range(1, 1440),
        metadata=about(
            "How old what the book knows about the rows of others in a subnet may be before the whole subnet is read "
            "again. It only steers: every address is looked up before it is handed out.",
            allowed="whole minutes from 1 to 1440",
        ),
    )


def timeouts(settings: Mapping[str, Any]) -> Timeouts:
    """The timeouts that ``settings`` (of RemoteSchema) name."""
    return Timeouts(settings["connect_timeout"], settings["read_timeout"], settings["call_timeout"])


def verification(settings: Mapping[str, Any]) -> bool | Path:
    """What certificates are checked against: a file, or True for the usual ones; False for not at all."""
    if not settings["verify_ssl"]:
        return False
    file: Path | None = settings["ca_file"]
    return file or True


def transport_warnings(section: str, settings: Mapping[str, Any]) -> list[str]:
    """What is to be said at every start about how the IPAM is reached."""
    parts = urlsplit(settings["url"])
    if parts.scheme == "http" and not settings["insecure_http"] and not _is_loopback(parts.hostname or ""):
        return [
            f"{section}: the password and everything else goes to {parts.hostname} unencrypted, because :url: has "
            "http; use https, or set :insecure_http: to say that this is meant"
        ]
    if parts.scheme == "https" and not settings["verify_ssl"]:
        return [f"{section}: :verify_ssl: is false, so anybody between here and {parts.hostname} can read the password"]
    return []


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return bool(_LOOPBACK_NAME.fullmatch(host))
