"""A place for settings files, and providers with settings of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from marshmallow import Schema, fields, validate

from providers.dhcp.none import NoDHCP
from providers.errors import Misconfigured
from providers.ipam.local import LocalIPAM
from proxy.settings import load
from proxy.settings.schema import about


class PeerSchema(Schema):
    """Settings such as a provider with a peer has, made of marshmallow's own fields."""

    url = fields.Url(required=True, require_tld=False, metadata=about("Where the peer is."))
    password = fields.String(required=True, metadata=about("How we log in.", secret=True))
    timeout = fields.Integer(
        load_default=10, strict=True, validate=validate.Range(1, 60), metadata=about("Seconds to wait.")
    )
    mode = fields.String(load_default="slow", validate=validate.OneOf(["slow", "fast"]), metadata=about("How."))
    vlans = fields.List(fields.Integer(), load_default=list, metadata=about("Which.", allowed="a list of numbers"))
    labels = fields.Dict(load_default=dict, metadata=about("Labels."))


class PeerIPAM(LocalIPAM):
    name = "externalipam_peer"
    settings_schema = PeerSchema


class PeerDHCP(NoDHCP):
    name = "dhcp_peer"


@pytest.fixture(autouse=True)
def providers_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the classes above importable as ``site_providers.PeerIPAM`` and ``site_providers.PeerDHCP``."""
    module = ModuleType("site_providers")
    module.PeerIPAM = PeerIPAM  # type: ignore[attr-defined]
    module.PeerDHCP = PeerDHCP  # type: ignore[attr-defined]
    module.answer = 42  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "site_providers", module)


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


Write = Callable[[str, str], Path]


@pytest.fixture
def write(site: Path) -> Write:
    """Writes a file below config/ of the working directory: ``write("settings.d/dhcp.yml", ":enabled: false")``."""

    def to(name: str, text: str) -> Path:
        path = site / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return to


Refusal = Callable[..., list[str]]


@pytest.fixture
def refusal() -> Refusal:
    """The lines with which the settings are refused."""

    def lines(environ: Mapping[str, str] | None = None, **overrides: object) -> list[str]:
        with pytest.raises(Misconfigured) as caught:
            load(environ=environ or {}, **overrides)
        return str(caught.value).split("\n")

    return lines
