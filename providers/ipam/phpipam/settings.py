"""``externalipam_phpipam.yml``: the keys of the Ruby proxy's plugin, and ours beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from providers.ipam.phpipam.fields import TEXTS
from providers.ipam.remote.settings import RemoteSchema, SecretText, Word, about

_COLUMN = r"hostname|description|owner|note|port|custom_\w{1,60}|none"
_COLUMNS = "hostname, description, owner, note, port, a custom field (custom_...), none"
_USUAL = {"name": "hostname", "description": "description", "note": "note", "owner": "owner"}
_MEANING = {
    "name": "the name of what has the address",
    "description": "the description of a reservation",
    "note": "the note of a reservation",
    "owner": "the guest that has the address",
    "node": "the host that a guest is on",
    "emulator": "what runs a guest",
}
_OPTIONS = ("domain", "ntp", "mtu", "next_server", "filename")


def _column(ours: str) -> Word:
    return Word(
        _COLUMN,
        load_default=_USUAL.get(ours, "none"),
        metadata=about(f"The field of an address in phpIPAM for {_MEANING[ours]}.", allowed=_COLUMNS),
    )


def _option(name: str) -> Word:
    return Word(
        r"custom_\w{1,60}|none",
        load_default="none",
        metadata=about(
            f"The custom field of a subnet in phpIPAM that has its {name.replace('_', ' ')}.",
            allowed="a custom field (custom_...), none",
        ),
    )


class PhpIPAMSchema(RemoteSchema):
    """What the provider needs to know."""

    user = Word(
        load_default=None,
        metadata=about(
            "The user that logs in. As with the Ruby proxy its name is the id of the API app too, unless :app: says "
            "another.",
            allowed="text",
            computed="none",
            example="leasehold",
        ),
    )
    password = SecretText(load_default=None, metadata=about("Its password.", allowed="text", secret=True))
    app = Word(
        r"[\w.-]{1,64}",
        load_default=None,
        metadata=about("The id of the API app.", allowed="text", computed="that of the user", example="leasehold"),
    )
    token = SecretText(
        load_default=None,
        metadata=about(
            'The code of an app with the security "SSL with App code token", in place of user and password.',
            allowed="text",
            secret=True,
        ),
    )
    sections = fields.List(
        Word(),
        load_default=(),
        metadata=about(
            "When not empty, only these sections are looked at.",
            allowed="a list of names",
            computed="all",
            example=["Lab", "Production"],
        ),
    )
    login_backoff_minutes = fields.Integer(
        load_default=5,
        validate=validate.Range(1, 1440),
        metadata=about(
            "How long a log-in that was refused is not tried again: eleven of them block the address of the proxy for "
            "five minutes.",
            allowed="whole minutes from 1 to 1440",
        ),
    )
    tag = fields.Integer(
        load_default=2,
        validate=validate.Range(1, 1_000_000),
        metadata=about(
            'The id of the tag that addresses get; 2 is "Used". A guest that is stopped has 1, "Offline".',
            allowed="a whole number from 1",
        ),
    )
    mark_field = Word(
        r"note|owner|port|custom_\w{1,60}",
        load_default="note",
        metadata=about(
            "The field that has our mark, by which rows that are ours are told from those of others. In note it stands "
            "behind the text; any other field is for it alone and needs room for 18 characters.",
            allowed="note, owner, port, a custom field (custom_...)",
        ),
    )
    field_mac = Word(
        "mac|none", load_default="mac", metadata=about("Whether MACs are written.", allowed="mac, none")
    )
    field_name = _column("name")
    field_description = _column("description")
    field_note = _column("note")
    field_owner = _column("owner")
    field_node = _column("node")
    field_emulator = _column("emulator")
    option_domain = _option("domain")
    option_ntp = _option("ntp")
    option_mtu = _option("mtu")
    option_next_server = _option("next_server")
    option_filename = _option("filename")

    @validates_schema
    def _a_credential(self, data: Mapping[str, Any], **_: object) -> None:
        if data.get("token"):
            if not (data.get("app") or data.get("user")):
                raise ValidationError("is missing: :token: is that of an app", "app")
        elif not data.get("user"):
            raise ValidationError("is missing: there is no :token: either", "user")
        elif not data.get("password"):
            raise ValidationError("is missing: there is no :token: either", "password")

    @validates_schema
    def _one_for_each(self, data: Mapping[str, Any], **_: object) -> None:
        taken: dict[str, str] = {}
        if data.get("mark_field", "note") != "note":
            taken[data["mark_field"]] = "mark_field"
        for ours in TEXTS:
            column = data.get(f"field_{ours}", "none")
            other = taken.get(column)
            if other is not None and column != "none":
                raise ValidationError(f"is what :{other}: has already", f"field_{ours}")
            taken[column] = f"field_{ours}"


def columns(settings: Mapping[str, Any]) -> dict[str, str]:
    """Where each of our text fields goes; what goes nowhere is missing."""
    chosen = {ours: settings[f"field_{ours}"] for ours in TEXTS}
    return {ours: column for ours, column in chosen.items() if column != "none"}


def options(settings: Mapping[str, Any]) -> dict[str, str]:
    """Which custom field of a subnet has which option."""
    chosen = {name: settings[f"option_{name}"] for name in _OPTIONS}
    return {name: column for name, column in chosen.items() if column != "none"}
