"""The settings as they are in force, in the form of the files and fit to be shown: no secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from providers.registry import DHCP_PROVIDERS, IPAM_PROVIDERS, load_class
from proxy.settings.messages import SECRET
from proxy.settings.sections import (
    Section,
    api_section,
    dhcp_section,
    externalipam_section,
    logs_section,
    main_section,
    phpipam_section,
)
from proxy.settings.values import Settings


class EffectiveSection(NamedTuple):
    """The values of one file by key, and where each came from: a file, a variable, the command line or ``default``."""

    name: str
    values: Mapping[str, Any]
    origins: Mapping[str, str]


def effective(settings: Settings) -> Iterator[EffectiveSection]:
    """Every section in force; settings.yml itself has the empty name, providers without settings are left out."""
    yield _shown(main_section(), settings, settings)
    for module, values, known in (
        (dhcp_section(), settings.dhcp, DHCP_PROVIDERS),
        (externalipam_section(), settings.externalipam, IPAM_PROVIDERS),
    ):
        yield _shown(module, values, settings)
        provider = load_class(values.use_provider, known)
        schema = provider.settings_schema()  # type: ignore[attr-defined]
        if schema.fields:
            name = getattr(provider, "name", values.use_provider)
            yield _shown(Section(name, schema), values.provider_settings, settings)
    yield _shown(logs_section(), settings.logs, settings)
    yield _shown(api_section(), settings.api, settings)
    yield _shown(phpipam_section(), settings.phpipam, settings)


def _shown(section: Section, values: object, settings: Settings) -> EffectiveSection:
    dumped = section.schema.dump(values)
    prefix = f"{section.name}." if section.name else ""
    shown: dict[str, Any] = {}
    for key in section.keys.values():
        value = dumped.get(key.name)
        hide = key.secret and value is not None and not getattr(key.field, "hides_secret", False)
        shown[key.name] = SECRET if hide else value
    return EffectiveSection(
        section.name, shown, {name: settings.origins.get(prefix + name, "default") for name in shown}
    )
