"""Which settings files there are and which keys each has, as everything else wants to know it.

A section is one file: ``settings.yml`` itself, or a module's or provider's file in the settings directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from marshmallow import Schema, fields, missing, validate
from marshmallow.fields import Field

from providers.registry import DHCP_PROVIDERS, IPAM_PROVIDERS, load_class
from proxy.settings.module_schema import APISchema, DHCPSchema, ExternalIPAMSchema, LogsSchema, PhpipamSchema
from proxy.settings.schema import SettingsSchema

_STOCK_FIELDS: tuple[tuple[type[Field[Any]], str], ...] = (
    (fields.Boolean, "true, false"),
    (fields.Integer, "a whole number"),
    (fields.Number, "a number"),
    (fields.Url, "a URL"),
    (fields.List, "a list"),
    (fields.Mapping, "a mapping"),
    (fields.String, "text"),
)


@dataclass(frozen=True, slots=True)
class Key:
    """One setting of a section. ``variable`` is the environment variable that beats the file."""

    name: str
    attribute: str
    field: Field[Any]
    variable: str

    @property
    def help(self) -> str:
        """What the setting does."""
        return str(self.field.metadata.get("help", ""))

    @property
    def secret(self) -> bool:
        """Whether nobody may see the value."""
        return bool(self.field.metadata.get("secret"))

    @property
    def allowed(self) -> str:
        """What the setting accepts, in words."""
        told = self.field.metadata.get("allowed") or getattr(self.field, "allowed", None)
        return str(told) if told else _allowed_by_stock_field(self.field)

    @property
    def default(self) -> object:
        """The default as YAML would hold it; None when there is none, or when it is computed."""
        value = self.field.load_default
        if value is missing or (value is None and self.field.metadata.get("computed")):
            return None
        return self.field.serialize("value", {"value": value() if callable(value) else value})

    @property
    def default_in_words(self) -> str | None:
        """What stands for the default when it is computed or must be given; None when ``default`` says it."""
        if self.field.required:
            return "must be given"
        computed = self.field.metadata.get("computed")
        if computed:
            return str(computed)
        return "none" if self.default is None else None

    @property
    def sample(self) -> object:
        """The value that the sample file shows."""
        return self.field.metadata.get("example", self.default)


@dataclass(frozen=True)
class Section:
    """A settings file: the module's or provider's ``name``, empty for settings.yml, and its schema."""

    name: str
    schema: Schema

    @property
    def file_name(self) -> str:
        """Its place below the directory of settings.yml, as long as ``settings_directory`` is the default."""
        return f"settings.d/{self.name}.yml" if self.name else "settings.yml"

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        """The settings by the name they have in the file, in the schema's order."""
        named = ((field.data_key or attribute, attribute, field) for attribute, field in self.schema.fields.items())
        return {name: Key(name, attribute, field, variable(self.name, name)) for name, attribute, field in named}


def variable(section: str, key: str) -> str:
    """The environment variable for ``key`` of the section: LEASEHOLD_HTTP_PORT, LEASEHOLD_DHCP_ENABLED."""
    return re.sub(r"\W", "_", "_".join(["LEASEHOLD", section, key] if section else ["LEASEHOLD", key])).upper()


def main_section() -> Section:
    """settings.yml."""
    return Section("", SettingsSchema())


def dhcp_section() -> Section:
    """The module that serves /dhcp."""
    return Section("dhcp", DHCPSchema())


def externalipam_section() -> Section:
    """The module that serves /ipam."""
    return Section("externalipam", ExternalIPAMSchema())


def logs_section() -> Section:
    """The module that serves /logs."""
    return Section("logs", LogsSchema())


def api_section() -> Section:
    """The module that serves /api/v1."""
    return Section("api", APISchema())


def phpipam_section() -> Section:
    """The module that serves /phpipam/api."""
    return Section("phpipam", PhpipamSchema())


def all_sections() -> Iterator[Section]:
    """Every settings file there can be, without those of providers that have no settings."""
    yield main_section()
    for section, providers in ((dhcp_section(), DHCP_PROVIDERS), (externalipam_section(), IPAM_PROVIDERS)):
        yield section
        for name in sorted(providers):
            schema: Schema = load_class(name, providers).settings_schema()  # type: ignore[attr-defined]
            if schema.fields:
                yield Section(name, schema)
    yield logs_section()
    yield api_section()
    yield phpipam_section()


def _allowed_by_stock_field(field: Field[Any]) -> str:
    for validator in field.validators:
        if isinstance(validator, validate.OneOf):
            return ", ".join(str(choice) for choice in validator.choices)
    words = next((words for kind, words in _STOCK_FIELDS if isinstance(field, kind)), "see its description")
    for validator in field.validators:
        if isinstance(validator, validate.Range):
            words += "" if validator.min is None else f" from {validator.min}"
            words += "" if validator.max is None else f" to {validator.max}"
    return words
