"""Variables: every key has one, secrets may come from files."""

from __future__ import annotations

from pathlib import Path

import pytest
from netaddr import IPNetwork

from proxy.settings import load
from proxy.settings.sections import all_sections

PEER = {
    "LEASEHOLD_EXTERNALIPAM_USE_PROVIDER": "site_providers.PeerIPAM",
    "LEASEHOLD_EXTERNALIPAM_PEER_URL": "http://peer",
}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("STATE_DIR", "/somewhere", Path("/somewhere")),
        ("HTTP_PORT", "8001", 8001),
        ("BIND_HOST", "127.0.0.1, ::1", ("127.0.0.1", "::1")),
        ("BIND_HOST", "*", ("*",)),
        ("BIND_HOST", "['*']", ("*",)),
        ("LOG_FILE", "/somewhere/log", Path("/somewhere/log")),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("REPORTED_VERSION", "3.10", "3.10"),
        ("WORKERS", "3", 3),
        ("THREADS", "3", 3),
    ],
)
def test_of_settings_yml(name, text, expected):
    assert getattr(load(environ={f"LEASEHOLD_{name}": text}), name.lower()) == expected


@pytest.mark.parametrize("name", ["HOLD_TTL", "HOLD_TTL_ANONYMOUS", "HOLD_TTL_GUEST", "REST_MINUTES", "JOIN_MINUTES"])
def test_of_durations(name):
    assert getattr(load(environ={f"LEASEHOLD_{name}": "7"}), name.lower()).total_seconds() == 7 * 60


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("ENABLED", "false", False),
        ("ENABLED", "0", False),
        ("ENABLED", "http", "http"),
        ("USE_PROVIDER", "site_providers.PeerDHCP", "site_providers.PeerDHCP"),
        ("SUBNETS", "10.0.1.0/24,10.0.2.0/255.255.255.0", (IPNetwork("10.0.1.0/24"), IPNetwork("10.0.2.0/24"))),
        ("SUBNETS", "[]", ()),
        ("PING_FREE_IP", "no", False),
        ("SERVER", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_of_dhcp_yml(write, name, text, expected):
    write("settings.d/dhcp.yml", ":subnets: [10.9.9.0/24]")
    assert getattr(load(environ={f"LEASEHOLD_DHCP_{name}": text}).dhcp, name.lower()) == expected


def test_of_externalipam_yml():
    settings = load(environ={"LEASEHOLD_EXTERNALIPAM_ENABLED": "no", "LEASEHOLD_EXTERNALIPAM_IP_EXISTS_FORM": "result"})
    assert settings.externalipam.enabled is False
    assert settings.externalipam.ip_exists_form == "result"


def test_every_key_has_a_variable_of_its_own():
    variables = [key.variable for section in all_sections() for key in section.keys.values()]
    assert len(variables) == len(set(variables))
    assert all(name.startswith("LEASEHOLD_") and name.isupper() for name in variables)


def test_of_a_provider_with_marshmallows_own_fields():
    environ = PEER | {
        "LEASEHOLD_EXTERNALIPAM_PEER_PASSWORD": "0123",
        "LEASEHOLD_EXTERNALIPAM_PEER_VLANS": "1, 2",
        "LEASEHOLD_EXTERNALIPAM_PEER_LABELS": "{a: b}",
    }
    settings = load(environ=environ).externalipam.provider_settings
    assert settings["password"] == "0123"
    assert settings["vlans"] == [1, 2]
    assert settings["labels"] == {"a": "b"}


@pytest.mark.parametrize("text", ["odd", "{a: b", "[1]"])
def test_text_that_is_no_mapping(refusal, text):
    (line,) = refusal(PEER | {"LEASEHOLD_EXTERNALIPAM_PEER_PASSWORD": "x", "LEASEHOLD_EXTERNALIPAM_PEER_LABELS": text})
    assert line.startswith("LEASEHOLD_EXTERNALIPAM_PEER_LABELS: ")


def test_an_empty_variable_is_not_set(write):
    write("settings.yml", ":http_port: 8001")
    assert load(environ={"LEASEHOLD_HTTP_PORT": ""}).http_port == 8001


class TestWarnings:
    def test_a_variable_of_no_setting_is_named_without_its_value(self):
        (warning,) = load(environ={"LEASEHOLD_HTTPPORT": "8001"}).warnings
        assert warning == "LEASEHOLD_HTTPPORT: no setting has this variable; it is passed over"

    @pytest.mark.parametrize(
        "name", ["LEASEHOLD_HOOK_URL", "LEASEHOLD_TEST_DATABASE", "PATH", "XLEASEHOLD_A", "LEASEHOLD_CONFIG"]
    )
    def test_others_are_nobodys_business(self, write, name):
        write("settings.yml", "")
        assert load(environ={name: "config/settings.yml"}).warnings == ()

    def test_a_file_for_what_is_no_secret(self):
        (warning,) = load(environ={"LEASEHOLD_HTTP_PORT_FILE": "/x"}).warnings
        assert warning.startswith("LEASEHOLD_HTTP_PORT_FILE: ")


class TestSecretFiles:
    def test_the_file_holds_the_value(self, site):
        (site / "secret").write_text("postgresql://u:p@db/book\n")
        url = load(environ={"LEASEHOLD_DATABASE_FILE": str(site / "secret")}).database
        assert url.password == "p"

    def test_only_the_line_end_is_taken_off(self, site):
        (site / "secret").write_text("  a b \r\n")
        settings = load(environ=PEER | {"LEASEHOLD_EXTERNALIPAM_PEER_PASSWORD_FILE": str(site / "secret")})
        assert settings.externalipam.provider_settings["password"] == "  a b "
        assert settings.origins["externalipam_peer.password"] == "LEASEHOLD_EXTERNALIPAM_PEER_PASSWORD_FILE"

    def test_it_beats_the_settings_file(self, write, site):
        write("settings.yml", ":database: sqlite:///a.db")
        (site / "secret").write_text("sqlite:///b.db")
        database = load(environ={"LEASEHOLD_DATABASE_FILE": str(site / "secret")}).database.database
        assert database == str(site / "b.db")

    def test_not_both(self, site, refusal):
        (site / "secret").write_text("sqlite:///b.db")
        (line,) = refusal({"LEASEHOLD_DATABASE": "sqlite:///a.db", "LEASEHOLD_DATABASE_FILE": str(site / "secret")})
        assert line == "LEASEHOLD_DATABASE_FILE: LEASEHOLD_DATABASE is set too; set only one of them"

    def test_a_file_that_is_not_there(self, refusal):
        assert refusal({"LEASEHOLD_DATABASE_FILE": "nowhere"}) == [
            "LEASEHOLD_DATABASE_FILE: the file that it names cannot be read: No such file or directory"
        ]

    def test_the_secret_itself_in_place_of_a_file_is_not_repeated(self, refusal):
        (line,) = refusal({"LEASEHOLD_DATABASE_FILE": "postgresql://u:hunter2@db/book"})
        assert "hunter2" not in line

    @pytest.mark.parametrize(("content", "told"), [(b"\n", "is empty"), (b"\xff", "is not UTF-8 text")])
    def test_a_file_without_a_usable_value(self, site, refusal, content, told):
        (site / "secret").write_bytes(content)
        assert refusal({"LEASEHOLD_DATABASE_FILE": str(site / "secret")}) == [
            f"LEASEHOLD_DATABASE_FILE: the file that it names {told}"
        ]
