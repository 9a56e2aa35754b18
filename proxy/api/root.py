"""The root face: which modules run here and what they can do. Foreman reads it when the proxy is registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, Response

from proxy import __version__
from proxy.access import Policy, access
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
@access(Policy.OPEN)
def features() -> Response:
    """The names of the running modules, sorted."""
    return json_answer([module.name for module in _running(current_service())])


@face.get("/v2/features")
@access(Policy.READ, keeps_limits=True)
def features_v2() -> Response:
    """Every module with its state, settings and capabilities."""
    service = current_service()
    return json_answer({module.name: _described(service, module) for module in _modules(service)})


@face.get("/version")
@access(Policy.OPEN)
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
        Module("logs", service.settings.logs.enabled),
    ]


def _running(service: Service) -> list[Module]:
    return sorted(
        (module for module in _modules(service) if _state(service, module) == "running"),
        key=lambda module: module.name,
    )


def _state(service: Service, module: Module) -> str:
    if not module.enabled:
        return "disabled"
    return "failed" if module.name in service.failed_modules else "running"


def _described(service: Service, module: Module) -> dict[str, object]:
    state = _state(service, module)
    return {
        "http_enabled": module.enabled in (True, "http"),
        "https_enabled": module.enabled in (True, "https"),
        "settings": module.settings,
        "state": state,
        "capabilities": module.capabilities if state == "running" else (),
    }
