"""Showing the settings: the form of the files, no secrets."""

from __future__ import annotations

import pytest

from providers.book.database import without_password
from proxy.settings import load
from proxy.settings.effective import effective

PEER = {
    "LEASEHOLD_EXTERNALIPAM_USE_PROVIDER": "site_providers.PeerIPAM",
    "LEASEHOLD_EXTERNALIPAM_PEER_URL": "http://peer",
    "LEASEHOLD_EXTERNALIPAM_PEER_PASSWORD": "hunter2",
}


def test_values_have_the_form_of_the_files():
    main, dhcp, *_ = effective(
        load(environ={}, hold_ttl=45, bind_host="*,::1", dhcp={"subnets": "10.0.1.0/255.255.255.0"})
    )
    assert main.values["hold_ttl"] == 45
    assert main.values["bind_host"] == ["*", "::1"]
    assert main.values["log_file"] == "STDOUT"
    assert dhcp.values["subnets"] == ["10.0.1.0/24"]


def test_what_is_shown_can_be_read_again():
    first = load(environ={}, hold_ttl=45, bind_host="*", reported_version="3.13.0", dhcp={"enabled": "http"})
    main, *others = effective(first)
    modules = {section.name: section.values for section in others}
    assert modules.keys() == {"dhcp", "externalipam", "logs", "api", "phpipam"}
    again = load(environ={}, **main.values | {"settings_directory": None}, **modules)
    assert [section.values for section in effective(again)] == [main.values, *modules.values()]


def test_a_providers_settings_are_shown_without_its_secrets():
    sections = {section.name: section for section in effective(load(environ=PEER))}
    assert sections["externalipam_peer"].values["password"] == "(secret)"
    assert sections["externalipam_peer"].values["timeout"] == 10
    assert sections["externalipam_peer"].origins["url"] == "LEASEHOLD_EXTERNALIPAM_PEER_URL"


def test_the_database_is_shown_without_its_password():
    main = next(effective(load(environ={"LEASEHOLD_DATABASE": "postgresql://me:hunter2@db/book"})))
    assert main.values["database"] == "postgresql+psycopg://me:***@db/book"


@pytest.mark.parametrize("name", ["password", "Passwd", "sslpassword", "api_token"])
def test_passwords_among_the_parameters_are_hidden(name):
    url = load(environ={"LEASEHOLD_DATABASE": f"mysql://db/book?{name}=hunter2&charset=utf8mb4"}).database
    assert "hunter2" not in without_password(url)
    assert "charset=utf8mb4" in without_password(url)


def test_the_representation_has_no_secrets():
    settings = load(environ=PEER | {"LEASEHOLD_DATABASE": "postgresql://me:hunter2@db/book?password=hunter2"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)
    assert settings.database.password == "hunter2"
    assert settings.externalipam.provider_settings["password"] == "hunter2"
