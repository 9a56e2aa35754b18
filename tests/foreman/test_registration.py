"""Foreman registers the proxy: what it can do, and which version it is."""

from __future__ import annotations

import pytest

from proxy.app import create_app
from proxy.settings import load
from tests.foreman.client import Root
from tests.foreman.site import IPAM_ONLY, modes
from tests.foreman.wire import Wire

pytestmark = pytest.mark.parametrize("truth", ["noting"], indirect=True)

pytestmark = modes(IPAM_ONLY)

KNOWN_TO_FOREMAN = {"dhcp", "externalipam", "logs", "dns", "tftp", "bmc", "puppet", "puppetca", "realm", "templates"}


@pytest.fixture
def registering(site):
    """What Foreman sees of a proxy with the given settings."""
    return lambda **settings: Root(Wire(create_app(site.book, load(environ={}, **settings))))


def test_features_that_run(registering):
    features = registering().features()
    assert features.keys() == {"dhcp", "externalipam", "logs"}
    assert features.keys() <= KNOWN_TO_FOREMAN


def test_capabilities_that_orchestration_looks_for(registering):
    """Foreman warns without the first, and stores both kinds of details as they are."""
    dhcp = registering().features()["dhcp"]
    assert "dhcp_filename_hostname" in dhcp["capabilities"]
    assert isinstance(dhcp["settings"], dict)
    assert dhcp["settings"]["use_provider"] == "dhcp_none"


def test_features_of_old_say_the_same(registering):
    root = registering()
    assert set(root.wire.get("/features").parsed()) == root.features().keys()


@pytest.mark.parametrize("module", ["dhcp", "externalipam"])
def test_module_that_is_switched_off_is_no_feature(site, module):
    settings = load(environ={}, **{module: {"enabled": False}})
    features = Root(Wire(create_app(site.book, settings))).features()
    assert features.keys() == {"dhcp", "externalipam", "logs"} - {module}


@pytest.mark.parametrize(("foreman", "reported"), [("3.13", "3.13.0"), ("3.13", "3.14.1")])
def test_version_that_foreman_takes_without_a_warning(registering, foreman, reported):
    """Its own major version, and its own minor version or the next."""
    told = registering(reported_version=reported).version()
    major, minor = (int(part) for part in told["version"].split(".")[:2])
    own_major, own_minor = (int(part) for part in foreman.split("."))
    assert major == own_major
    assert minor in (own_minor, own_minor + 1)
    assert told["modules"].keys() == {"dhcp", "externalipam", "logs"}
