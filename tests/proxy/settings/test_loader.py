"""Where settings are found, which of them counts, and what they are without any."""

from __future__ import annotations

from dataclasses import fields as attributes
from datetime import timedelta
from pathlib import Path

import pytest
from netaddr import IPNetwork
from sqlalchemy import URL

from providers.errors import Misconfigured
from proxy.settings import (
    APISettings,
    DHCPSettings,
    ExternalIPAMSettings,
    LogsSettings,
    PhpipamSettings,
    Settings,
    load,
)
from proxy.settings.module_schema import APISchema, DHCPSchema, ExternalIPAMSchema, LogsSchema, PhpipamSchema
from proxy.settings.schema import SettingsSchema


def test_without_files_every_setting_has_its_default(site):
    settings = load(environ={})
    assert settings.file is None
    assert settings.files == ()
    assert settings.warnings == ()
    assert settings.settings_directory == Path("config/settings.d")
    assert settings.state_dir == site / "var"
    assert settings.database.render_as_string() == f"sqlite:///{site}/var/leasehold.db"
    assert settings.http_port == 8000
    assert settings.bind_host == ("127.0.0.1",)
    assert settings.log_file == "STDOUT"
    assert settings.log_level == "INFO"
    assert settings.reported_version is None
    assert settings.workers is None
    assert settings.threads == 8
    assert settings.hold_ttl == timedelta(minutes=30)
    assert settings.hold_ttl_anonymous == timedelta(minutes=10)
    assert settings.hold_ttl_guest == timedelta(days=1)
    assert settings.rest_minutes == timedelta(minutes=5)
    assert settings.join_minutes == timedelta(hours=1)
    assert settings.dhcp.enabled is True
    assert settings.dhcp.use_provider == "dhcp_none"
    assert settings.dhcp.subnets == ()
    assert settings.dhcp.ping_free_ip is False
    assert settings.dhcp.server is None
    assert settings.dhcp.provider_settings == {}
    assert settings.externalipam.enabled is True
    assert settings.externalipam.use_provider == "externalipam_local"
    assert settings.externalipam.ip_exists_form == "bare"
    assert settings.externalipam.provider_settings == {}


def test_loading_creates_nothing(site):
    load(environ={})
    assert list(site.iterdir()) == []


MODULES = {"dhcp", "externalipam", "logs", "api", "phpipam"}


@pytest.mark.parametrize(
    ("values", "schema", "beside"),
    [
        (Settings, SettingsSchema, {*MODULES, "file", "files", "origins", "warnings"}),
        (DHCPSettings, DHCPSchema, {"provider_settings"}),
        (ExternalIPAMSettings, ExternalIPAMSchema, {"provider_settings"}),
        (LogsSettings, LogsSchema, set()),
        (APISettings, APISchema, set()),
        (PhpipamSettings, PhpipamSchema, set()),
    ],
)
def test_the_attributes_are_the_keys_of_the_schema(values, schema, beside):
    assert {attribute.name for attribute in attributes(values)} == set(schema().fields) | beside


class TestFinding:
    def test_config_settings_yml_of_the_working_directory(self, write):
        write("settings.yml", ":http_port: 8001")
        settings = load(environ={})
        assert settings.http_port == 8001
        assert settings.file == Path("config/settings.yml")

    def test_the_variable_beats_the_default_place(self, write):
        write("settings.yml", ":http_port: 8001")
        other = write("other.yml", ":http_port: 8002")
        assert load(environ={"LEASEHOLD_CONFIG": str(other)}).http_port == 8002

    def test_the_argument_beats_the_variable(self, write):
        other = write("other.yml", ":http_port: 8002")
        third = write("third.yml", ":http_port: 8003")
        settings = load(third, environ={"LEASEHOLD_CONFIG": str(other)})
        assert settings.http_port == 8003
        assert settings.file == third

    def test_an_empty_variable_names_no_file(self):
        assert load(environ={"LEASEHOLD_CONFIG": ""}).file is None

    def test_a_named_file_has_to_be_there(self):
        with pytest.raises(Misconfigured, match=r"^none\.yml: there is no such file; --config names it"):
            load(Path("none.yml"), environ={})

    def test_a_file_named_by_the_variable_has_to_be_there(self):
        with pytest.raises(Misconfigured, match=r"^none\.yml: there is no such file; LEASEHOLD_CONFIG names it"):
            load(environ={"LEASEHOLD_CONFIG": "none.yml"})

    def test_module_files_are_read_without_a_settings_yml(self, write):
        write("settings.d/dhcp.yml", ":enabled: false")
        assert load(environ={}).dhcp.enabled is False

    def test_the_settings_directory_is_beside_the_settings_file(self, write):
        file = write("elsewhere/settings.yml", ":http_port: 8001")
        write("elsewhere/settings.d/dhcp.yml", ":enabled: http")
        write("settings.d/dhcp.yml", ":enabled: false")
        assert load(file, environ={}).dhcp.enabled == "http"

    @pytest.mark.parametrize("absolute", [True, False])
    def test_another_settings_directory(self, write, absolute):
        directory = write("modules/dhcp.yml", ":enabled: false").parent
        write("settings.yml", f":settings_directory: {directory if absolute else 'modules'}")
        assert load(environ={}).dhcp.enabled is False

    def test_a_named_settings_directory_has_to_be_there(self, write, refusal):
        write("settings.yml", ":settings_directory: modules")
        (line,) = refusal()
        assert line.startswith("config/settings.yml: :settings_directory: 'config/modules' is no directory")

    def test_all_files_that_were_read_are_named(self, write):
        for name in ("settings.yml", "settings.d/dhcp.yml", "settings.d/externalipam.yml", "settings.d/dhcp_none.yml"):
            write(name, "---\n")
        assert [str(file) for file in load(environ={}).files] == [
            "config/settings.yml",
            "config/settings.d/dhcp.yml",
            "config/settings.d/dhcp_none.yml",
            "config/settings.d/externalipam.yml",
        ]


class TestPrecedence:
    def test_the_environment_beats_the_file(self, write):
        write("settings.yml", ":http_port: 8001")
        assert load(environ={"LEASEHOLD_HTTP_PORT": "8002"}).http_port == 8002

    def test_an_override_beats_the_environment(self):
        assert load(environ={"LEASEHOLD_HTTP_PORT": "8002"}, http_port=8003).http_port == 8003

    def test_an_override_of_none_was_not_given(self):
        assert load(environ={"LEASEHOLD_HTTP_PORT": "8002"}, http_port=None).http_port == 8002

    def test_overrides_of_modules(self):
        settings = load(environ={}, dhcp={"enabled": False}, externalipam={"ip_exists_form": "result"})
        assert settings.dhcp.enabled is False
        assert settings.externalipam.ip_exists_form == "result"

    def test_overrides_may_be_values_instead_of_text(self, site):
        url = URL.create("sqlite", database=str(site / "book.db"))
        settings = load(environ={}, state_dir=site / "state", hold_ttl=timedelta(seconds=1), database=url)
        assert settings.state_dir == site / "state"
        assert settings.hold_ttl == timedelta(seconds=1)
        assert settings.database == url

    @pytest.mark.parametrize("overrides", [{"htp_port": 1}, {"dhcp": {"on": True}}, {"dhcp": True}])
    def test_an_override_that_is_no_setting_is_a_mistake_in_the_program(self, overrides):
        with pytest.raises(TypeError):
            load(environ={}, **overrides)

    def test_a_wrong_value_that_is_overridden_does_no_harm(self, write):
        write("settings.yml", ":http_port: soon")
        assert load(environ={"LEASEHOLD_HTTP_PORT": "8002"}).http_port == 8002

    def test_origins_say_where_each_value_came_from(self, write):
        write("settings.yml", ":http_port: 8001\n:threads: 2\n:workers: 3")
        write("settings.d/dhcp.yml", ":enabled: false")
        origins = load(environ={"LEASEHOLD_THREADS": "4", "LEASEHOLD_DHCP_SERVER": "x"}, workers=1).origins
        assert origins["http_port"] == "config/settings.yml"
        assert origins["threads"] == "LEASEHOLD_THREADS"
        assert origins["workers"] == "command line"
        assert origins["log_level"] == "default"
        assert origins["dhcp.enabled"] == "config/settings.d/dhcp.yml"
        assert origins["dhcp.server"] == "LEASEHOLD_DHCP_SERVER"


class TestValues:
    @pytest.mark.parametrize("colon", [":", ""])
    def test_keys_with_and_without_colon(self, write, colon):
        write("settings.yml", f"{colon}http_port: 8001\n{colon}threads: 2")
        write("settings.d/dhcp.yml", f"{colon}enabled: false")
        settings = load(environ={})
        assert (settings.http_port, settings.threads, settings.dhcp.enabled) == (8001, 2, False)

    @pytest.mark.parametrize(
        ("line", "attribute", "expected"),
        [
            (":http_port: '8001'", "http_port", 8001),
            (":http_port: 65535", "http_port", 65535),
            (":http_port:", "http_port", 8000),
            (":bind_host: ['*']", "bind_host", ("*",)),
            (":bind_host: '*'", "bind_host", ("*",)),
            (":bind_host: [127.0.0.1, '::1']", "bind_host", ("127.0.0.1", "::1")),
            (":bind_host: '[::1]'", "bind_host", ("::1",)),
            (":bind_host: [localhost, localhost]", "bind_host", ("localhost",)),
            (":bind_host: proxy-1.example.org", "bind_host", ("proxy-1.example.org",)),
            (":log_file: STDOUT", "log_file", "STDOUT"),
            (":log_file: stdout", "log_file", "STDOUT"),
            (":log_file: SYSLOG", "log_file", "SYSLOG"),
            (":log_file: :syslog", "log_file", "SYSLOG"),
            (":file_rolling_age: 86400", "file_rolling_age", 86400),
            (":file_rolling_age: Daily", "file_rolling_age", "daily"),
            (":log_format: JSON", "log_format", "json"),
            (":file_logging_pattern: '%m'", "file_logging_pattern", "%m"),
            (":log_file: /somewhere/proxy.log", "log_file", Path("/somewhere/proxy.log")),
            (":log_level: :debug", "log_level", "DEBUG"),
            (":log_level: warn", "log_level", "WARN"),
            (":reported_version: 3.13.0", "reported_version", "3.13.0"),
            (":reported_version: 3.13.0-develop", "reported_version", "3.13.0-develop"),
            (":reported_version: '3.10'", "reported_version", "3.10"),
            (":hold_ttl: 1", "hold_ttl", timedelta(minutes=1)),
            (":rest_minutes: 0", "rest_minutes", timedelta(0)),
        ],
    )
    def test_of_settings_yml(self, write, line, attribute, expected):
        write("settings.yml", line)
        assert getattr(load(environ={}), attribute) == expected

    @pytest.mark.parametrize(
        ("line", "attribute", "expected"),
        [
            (":enabled: true", "enabled", True),
            (":enabled: 'false'", "enabled", False),
            (":enabled: http", "enabled", "http"),
            (":enabled: :http", "enabled", "http"),
            (":use_provider: :dhcp_none", "use_provider", "dhcp_none"),
            (":subnets: []", "subnets", ()),
            (":subnets: 10.0.1.0/24", "subnets", (IPNetwork("10.0.1.0/24"),)),
            (
                ":subnets: [192.168.205.0/255.255.255.128, 192.168.205.128/25]",
                "subnets",
                (IPNetwork("192.168.205.0/25"), IPNetwork("192.168.205.128/25")),
            ),
            (":ping_free_ip: false", "ping_free_ip", False),
            (":server: 127.0.0.1", "server", "127.0.0.1"),
        ],
    )
    def test_of_dhcp_yml(self, write, line, attribute, expected):
        write("settings.d/dhcp.yml", line)
        assert getattr(load(environ={}).dhcp, attribute) == expected

    def test_relative_paths_start_at_the_working_directory(self, write, site):
        write("settings.yml", ":state_dir: state\n:log_file: log/proxy.log")
        settings = load(environ={})
        assert settings.state_dir == site / "state"
        assert settings.log_file == site / "log/proxy.log"
        assert settings.database.database == str(site / "state/leasehold.db")

    def test_a_tilde_is_the_home_directory(self, write, site, monkeypatch):
        monkeypatch.setenv("HOME", str(site / "home"))
        write("settings.yml", ":state_dir: ~/state")
        assert load(environ={}).state_dir == site / "home/state"

    @pytest.mark.parametrize(
        ("text", "driver"),
        [
            ("postgresql://u:p@db/book", "postgresql+psycopg"),
            ("postgres://u:p@db/book", "postgresql+psycopg"),
            ("postgresql+psycopg://u:p@db/book", "postgresql+psycopg"),
            ("mysql://u:p@db/book", "mysql+pymysql"),
            ("mariadb://u:p@db/book", "mysql+pymysql"),
            ("mariadb+pymysql://u:p@db/book", "mysql+pymysql"),
            ("mysql+pymysql://u:p@db/book", "mysql+pymysql"),
        ],
    )
    def test_the_database_gets_its_driver_and_keeps_its_password(self, text, driver):
        url = load(environ={"LEASEHOLD_DATABASE": text}).database
        assert url.render_as_string(hide_password=False) == f"{driver}://u:p@db/book"

    def test_an_sqlite_file_is_absolute(self, site):
        assert load(environ={"LEASEHOLD_DATABASE": "sqlite:///book.db"}).database.database == str(site / "book.db")


class TestProviders:
    def test_a_class_by_its_dotted_path(self, write):
        write("settings.d/dhcp.yml", ":use_provider: site_providers.PeerDHCP")
        assert load(environ={}).dhcp.use_provider == "site_providers.PeerDHCP"

    def test_its_settings_are_in_the_file_with_its_name(self, write):
        write("settings.d/externalipam.yml", ":use_provider: site_providers.PeerIPAM")
        write("settings.d/externalipam_peer.yml", ":url: http://127.0.0.1/\n:password: 'abc'\nlabels: {a: b}")
        assert load(environ={}).externalipam.provider_settings == {
            "url": "http://127.0.0.1/",
            "password": "abc",
            "timeout": 10,
            "mode": "slow",
            "vlans": [],
            "labels": {"a": "b"},
        }

    def test_their_settings_cannot_be_changed(self, write):
        with pytest.raises(TypeError):
            load(environ={}).dhcp.provider_settings["x"] = 1  # type: ignore[index]
