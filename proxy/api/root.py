"""The root face: which modules run here and what they can do. Foreman reads it when the proxy is registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, Response

from proxy import __version__
from proxy.api.answer import json_answer
from proxy.service import Service, current_service

face = Blueprint("root", __name__)


@dataclass(frozen=True, slots=True)
class Module:
    """A module as Foreman knows it. ``enabled``: on every listener, on ``http`` or ``https`` only, or not at all."""

    name: str
    enabled: bool | str
    settings: Mapping[str, object] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()


@face.get("/features")
def features() -> Response:
    """The names of the running modules, sorted."""
    return json_answer([module.name for module in _running(current_service())])


@face.get("/v2/features")
def features_v2() -> Response:
    """Every module with its state, settings and capabilities."""
    return json_answer({module.name: _described(module) for module in _modules(current_service())})


@face.get("/version")
def version() -> Response:
    """Our version, or the one that the settings want Foreman to see; Foreman compares it with its own."""
    service = current_service()
    reported = service.settings.reported_version or __version__
    of_modules = reported.removesuffix("-develop")
    return json_answer(
        {"version": reported, "modules": {module.name: of_modules for module in _running(service)}},
    )


def _modules(service: Service) -> list[Module]:
    dhcp, ipam = service.settings.dhcp, service.settings.externalipam
    return [
        Module("dhcp", dhcp.enabled, {"use_provider": dhcp.use_provider}, service.book.dhcp.capabilities.features),
        Module("externalipam", ipam.enabled, {"use_provider": ipam.use_provider}),
        Module("logs", enabled=False),
    ]


def _running(service: Service) -> list[Module]:
    return sorted((module for module in _modules(service) if module.enabled), key=lambda module: module.name)


def _described(module: Module) -> dict[str, object]:
    return {
        "http_enabled": module.enabled in (True, "http"),
        "https_enabled": module.enabled in (True, "https"),
        "settings": module.settings,
        "state": "running" if module.enabled else "disabled",
        "capabilities": module.capabilities if module.enabled else (),
    }
