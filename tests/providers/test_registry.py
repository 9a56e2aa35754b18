"""How a name in the settings becomes a provider."""

from __future__ import annotations

import pytest

from providers.dhcp.contract import DHCPProvider
from providers.dhcp.none import NoDHCP
from providers.errors import Misconfigured
from providers.ipam.contract import IPAMProvider
from providers.registry import DHCP_PROVIDERS, IPAM_PROVIDERS, load_class


@pytest.mark.parametrize("name", DHCP_PROVIDERS)
def test_every_dhcp_provider_can_be_loaded_and_bears_its_name(name: str):
    found = load_class(name, DHCP_PROVIDERS)
    assert issubclass(found, DHCPProvider)
    assert found.name == name


@pytest.mark.parametrize("name", IPAM_PROVIDERS)
def test_every_ipam_provider_can_be_loaded_and_bears_its_name(name: str):
    found = load_class(name, IPAM_PROVIDERS)
    assert issubclass(found, IPAMProvider)
    assert found.name == name


def test_a_class_of_somebody_elses_is_found_by_its_path():
    assert load_class("providers.dhcp.none.NoDHCP", {}) is NoDHCP


def test_an_unknown_name_is_refused_with_what_there_is():
    with pytest.raises(Misconfigured, match="'dhcp_isc' does not exist; known: dhcp_none, or the dotted path"):
        load_class("dhcp_isc", {"dhcp_none": "providers.dhcp.none:NoDHCP"})


@pytest.mark.parametrize("path", ["no.such.module.Class", "providers.dhcp.none.Nothing", "providers.", ".x", "..x"])
def test_a_path_to_nothing_is_refused(path: str):
    with pytest.raises(Misconfigured, match=r"cannot be loaded|does not exist"):
        load_class(path, {})


def test_a_path_to_what_is_no_class_is_refused():
    with pytest.raises(Misconfigured, match="is not a class"):
        load_class("providers.registry.load_class", {})
