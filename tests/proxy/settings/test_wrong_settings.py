"""What is wrong is told in one line: the file, the key, the value, what is allowed. A secret is never told."""

from __future__ import annotations

import pytest

from proxy.settings import load
from proxy.settings.sections import (
    api_section,
    dhcp_section,
    externalipam_section,
    logs_section,
    main_section,
    phpipam_section,
)

NUMBERS = ["'soon'", "0", "-1", "8000.5", "true", "[8000]", "99999999", "''", "'8 000'", "2024-01-01", "'٣'"]
PATHS = ["7", "['var']", "''", "'  '", '"a\\nb"', '"a\\0b"', "true", "{a: b}"]

SETTINGS = {
    "settings_directory": PATHS,
    "state_dir": [*PATHS, "~nobody-has-this-name/var"],
    "database": ["7", "''", "book.db", "oracle://db/book", "postgresql+asyncpg://db/x", "sqlite://", "mysql://db:x/y"],
    "http_port": [*NUMBERS, "65536", "none", "off"],
    "https_port": [*NUMBERS, "65536"],
    "ssl_certificate": PATHS,
    "ssl_private_key": PATHS,
    "ssl_ca_file": PATHS,
    "tls_disabled_versions": ["1.4", "'1.5'", "true", "SSLv3", "{a: b}", "[['1.2']]", "['1.2', '1.3']"],
    "ssl_disabled_ciphers": ["7", "[true]", "a b", "'!AES'", "TLS_AES_128_GCM_SHA256", "{a: b}", "AES:DES"],
    "tls_proxies": ["7", "proxy.example.org", "10.0.0.256", "10.0.0.1/24", "'*'", "[true]", "{a: b}"],
    "request_timeout": [*NUMBERS, "301"],
    "bind_host": [
        "[]",
        "''",
        "7",
        "10.0.0.256",
        "10.0.1",
        "a b",
        "-x",
        "127.0.0.1:8000",
        "http://x",
        "{a: b}",
        "[[a]]",
    ],
    "trusted_hosts": ["7", "true", "['*']", "['*.org']", "['<x>']", "['']", '["a\\nb"]', "[[a]]", "{a: b}"],
    "forward_verify": ["maybe", "7", "''", "[true]"],
    "insecure_http": ["maybe", "7", "''", "[true]"],
    "log_file": [*PATHS, "JOURNAL", "journald"],
    "log_format": ["xml", "7", "''"],
    "file_logging_pattern": ["'%d'", "'%z %m'", "'%X{user} %m'", "'%X %m'", "'%m %'", "7", "''"],
    "system_logging_pattern": ["plain", "'%F %m'", "[]"],
    "file_rolling_size": ["-1", "'1M'", "0.5", "1048577"],
    "file_rolling_age": ["yearly", "0", "-1", "''", "31622401", "[daily]"],
    "file_rolling_keep": [*NUMBERS, "1001"],
    "log_buffer": [*NUMBERS, "100001"],
    "log_buffer_errors": ["-1", "'many'", "0.5", "100001"],
    "log_level": ["LOUD", "7", "true", "''", "[INFO]", "UNKNOWN"],
    "reported_version": ["3.10", "3", "'3'", "three", "''", "'1.2.3 4'", "[3.13.0]"],
    "workers": [*NUMBERS, "65"],
    "threads": [*NUMBERS, "257"],
    "hold_ttl": [*NUMBERS, "525601", "30m"],
    "hold_ttl_anonymous": NUMBERS,
    "hold_ttl_guest": NUMBERS,
    "rest_minutes": ["-1", "'soon'", "0.5", "525601"],
    "join_minutes": NUMBERS,
    "events_days": ["-1", "'soon'", "0.5", "36501"],
}
DHCP = {
    "enabled": ["ftp", "maybe", "7", "''", "[true]", "{a: b}"],
    "use_provider": [
        "dhcp_libvirt",
        "7",
        "''",
        "'a b'",
        "../x",
        ".x",
        "x.",
        "no.such.Class",
        "providers.model.Use",
        "true",
    ],
    "subnets": ["7", "[7]", "10.0.1.5/24", "[10.0.1.0/33]", "10.0.1.0", "10.0.1.0/255.0.255.0", "'2001:db8::/64'"],
    "ping_free_ip": ["true", "'yes'", "maybe", "7", "[]"],
    "server": ["7", "''", "[a]", '"a\\nb"'],
    "sync_limit": ["-1", "'many'", "0.5", "101"],
}
EXTERNALIPAM = {
    "enabled": ["ftp", "maybe", "7"],
    "use_provider": ["externalipam_infoblox", "7", "site_providers.PeerDHCP", "site_providers.answer"],
    "ip_exists_form": ["json", "7", "true", "''"],
}
LOGS = {"enabled": ["maybe", "7", "''"]}
FILES = (
    ("settings.yml", main_section(), SETTINGS),
    ("settings.d/dhcp.yml", dhcp_section(), DHCP),
    ("settings.d/externalipam.yml", externalipam_section(), EXTERNALIPAM),
    ("settings.d/logs.yml", logs_section(), LOGS),
    ("settings.d/api.yml", api_section(), LOGS),
    ("settings.d/phpipam.yml", phpipam_section(), LOGS),
)
CASES = [(name, key, value) for name, _, table in FILES for key, values in table.items() for value in values]


@pytest.mark.parametrize(("name", "section", "table"), FILES, ids=[name for name, _, _ in FILES])
def test_the_tables_here_have_every_key(name, section, table):
    assert set(table) == set(section.keys)


@pytest.mark.parametrize(("name", "key", "value"), CASES)
def test_a_wrong_value_is_told_with_file_key_and_what_is_allowed(write, refusal, name, key, value):
    write(name, f":{key}: {value}")
    (line,) = refusal()
    assert line.startswith(f"config/{name}: :{key}: ")
    assert "allowed: " in line or "known: " in line
    assert line.isprintable()


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "settings.yml",
            ":http_port: soon",
            "config/settings.yml: :http_port: 'soon' is not allowed; allowed: a whole number from 1 to 65535, false",
        ),
        (
            "settings.yml",
            ":bind_host: ['*', 10.0.0.256]",
            "config/settings.yml: :bind_host: '10.0.0.256' is not allowed; "
            "allowed: *, an address, a host name, or a list of these",
        ),
        (
            "settings.yml",
            ":reported_version: 3.10",
            "config/settings.yml: :reported_version: 3.1 is not text: put it in quotes; "
            "allowed: a version such as '3.13.0'",
        ),
        (
            "settings.yml",
            ":log_file: JOURNAL",
            "config/settings.yml: :log_file: 'JOURNAL' cannot be used: choose STDOUT, which systemd writes to the "
            "journal, or SYSLOG; allowed: STDOUT, SYSLOG, or the path of a file",
        ),
        (
            "settings.d/dhcp.yml",
            ":use_provider: dhcp_libvirt",
            "config/settings.d/dhcp.yml: :use_provider: 'dhcp_libvirt' does not exist; "
            "known: dhcp_dnsmasq, dhcp_isc, dhcp_kea, dhcp_none, or the dotted path of a class",
        ),
        (
            "settings.d/dhcp.yml",
            ":ping_free_ip: true",
            "config/settings.d/dhcp.yml: :ping_free_ip: true needs probing, which this version does not offer; "
            "allowed: false",
        ),
        (
            "settings.yml",
            ":http_port: false",
            "config/settings.yml: :http_port: false leaves no listener, because there is no :ssl_certificate:; "
            "allowed: a whole number from 1 to 65535, false",
        ),
        (
            "settings.yml",
            ":ssl_ca_file: ca.pem",
            "config/settings.yml: :ssl_ca_file: 'ca.pem' needs :ssl_certificate: and :ssl_private_key: as well; "
            "allowed: the path of a PEM file",
        ),
        (
            "settings.yml",
            ":ssl_ca_file: ca.pem\n:ssl_certificate: a.pem\n:ssl_private_key: a.key\n:http_port: 8443",
            "config/settings.yml: :http_port: 8443 is the port of the other listener; "
            "allowed: a whole number from 1 to 65535, false",
        ),
        (
            "settings.yml",
            ":tls_disabled_versions: [1.2, '1.3']",
            "config/settings.yml: :tls_disabled_versions: [1.2, \"1.3\"] are all the versions that are spoken; "
            "allowed: a list of '1.0', '1.1', '1.2', '1.3'",
        ),
        (
            "settings.d/dhcp.yml",
            ":subnets: [10.0.1.0/24, 10.0.2.0/255.0.255.0]",
            "config/settings.d/dhcp.yml: :subnets: '10.0.2.0/255.0.255.0' has 255.0.255.0, which is no netmask; "
            "allowed: a list of IPv4 networks such as 10.0.1.0/24 or 10.0.1.0/255.255.255.0",
        ),
        (
            "settings.d/externalipam.yml",
            ":use_provider: site_providers.PeerDHCP",
            "config/settings.d/externalipam.yml: :use_provider: 'site_providers.PeerDHCP' is no IPAMProvider; "
            "allowed: externalipam_local, externalipam_phpipam, or the dotted path of a class",
        ),
    ],
)
def test_the_whole_line(write, refusal, name, text, line):
    write(name, text)
    assert refusal() == [line]


@pytest.mark.parametrize("section", [main_section(), dhcp_section(), externalipam_section()], ids=lambda s: s.file_name)
def test_a_wrong_variable_is_named_with_its_value(section, refusal):
    for key in section.keys.values():
        if key.allowed == "text" or "path" in key.allowed.removesuffix("dotted path of a class"):
            continue
        (line,) = refusal({key.variable: "<wrong>"})
        assert line.startswith(f"{key.variable}: {'(secret)' if key.secret else repr('<wrong>')} ")


def test_a_wrong_override_is_named_as_the_command_line(refusal):
    (line,) = refusal(http_port=70000)
    assert line == "command line: :http_port: 70000 is not allowed; allowed: a whole number from 1 to 65535, false"


def test_everything_wrong_is_told_at_once(write, refusal):
    write("settings.yml", ":http_port: soon\n:threads: 0")
    write("settings.d/dhcp.yml", ":enabled: maybe\n:subnets: [x, y]")
    write("settings.d/externalipam.yml", ":use_provider: externalipam_infoblox")
    lines = refusal()
    assert [line.split(": ")[1].strip(":") for line in lines] == [
        "http_port",
        "threads",
        "enabled",
        "subnets",
        "subnets",
        "use_provider",
    ]


def test_a_long_list_is_cut(write, refusal):
    write("settings.d/dhcp.yml", f":subnets: [{', '.join('x' for _ in range(30))}]")
    lines = refusal()
    assert len(lines) == 11
    assert lines[-1] == "and 20 more"


def test_a_long_value_is_cut(write, refusal):
    write("settings.yml", f":http_port: {'x' * 5000}")
    (line,) = refusal()
    assert len(line) < 300


class TestYAML:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            (":http_port: 1\n:bind_host: *", 2),
            (":http_port: [1, 2", 1),
            (":a: 1\n:b: 2\n\t:c: 3", 3),
            (":a: b: c", 1),
            (":a: !ruby/regexp /x/", 1),
            (":a: 2024-13-45", 1),
            ("- a\n- b", 1),
            ("just text", 1),
            ("---\n:a: 1\n---\n:b: 2", 3),
            ("[a, b]: c", 1),
            (":a: 1\n:b: \x07", 2),
        ],
    )
    def test_what_is_not_yaml_is_told_with_its_line(self, write, refusal, text, line):
        write("settings.yml", text)
        (told,) = refusal()
        assert told.startswith(f"config/settings.yml: line {line}: ")

    def test_in_a_module_file(self, write, refusal):
        write("settings.d/dhcp.yml", ":enabled: [")
        (told,) = refusal()
        assert told.startswith("config/settings.d/dhcp.yml: line 1: this is not YAML")

    def test_what_is_not_utf8(self, write, refusal):
        write("settings.yml", "").write_bytes(b":log_file: \xff")
        assert refusal() == ["config/settings.yml: is not UTF-8 text: byte 12 is wrong"]

    def test_a_directory_in_place_of_a_file(self, site, refusal):
        (site / "config/settings.yml").mkdir(parents=True)
        assert refusal() == ["config/settings.yml: cannot be read: Is a directory"]

    @pytest.mark.parametrize("text", ["", "---", "---\n", "# nothing\n", "{}", "~"])
    def test_a_file_without_keys_is_fine(self, write, text):
        write("settings.yml", text)
        assert load(environ={}).http_port == 8000

    def test_a_key_that_is_given_twice_is_named_and_the_last_counts(self, write):
        write("settings.yml", ":http_port: 8001\nhttp_port: 8002")
        settings = load(environ={})
        assert settings.http_port == 8002
        assert settings.warnings == ("config/settings.yml: :http_port: is given twice; the one in line 2 counts",)


class TestSecrets:
    @pytest.mark.parametrize(
        "value",
        [
            "oracle://me:hunter2@db/x",
            "postgresql://me:hunter2@db:port/x",
            "hunter2",
            "mysql+nosuch://me:hunter2@db",
        ],
    )
    def test_a_wrong_database_is_not_repeated(self, refusal, value):
        (line,) = refusal({"LEASEHOLD_DATABASE": value})
        assert line.startswith("LEASEHOLD_DATABASE: (secret) ")
        assert "hunter2" not in line

    @pytest.mark.parametrize(
        "text", ["*hunter2", "!hunter2 x", "!hun!ter2 x", "&hunter2", "%hunter2", "'hunter2", "@hunter2"]
    )
    def test_broken_yaml_is_not_repeated(self, write, refusal, text):
        write("settings.d/externalipam.yml", ":use_provider: site_providers.PeerIPAM")
        write("settings.d/externalipam_peer.yml", f":url: http://127.0.0.1/\n:password: {text}\n")
        told = "\n".join(refusal())
        assert "hunter2" not in told
        assert "hun" not in told.replace("(hidden)", "")

    def test_the_signs_that_yaml_misses_are_told(self, write, refusal):
        write("settings.yml", ":bind_host: [127.0.0.1\n")
        assert refusal() == [
            "config/settings.yml: line 2: this is not YAML: expected ',' or ']', but got '<stream end>'. "
            "Values with special characters need quotes"
        ]

    def test_a_providers_wrong_secret_is_not_repeated(self, write, refusal):
        write("settings.d/externalipam.yml", ":use_provider: site_providers.PeerIPAM")
        write("settings.d/externalipam_peer.yml", ":url: http://127.0.0.1/\n:password: 4711")
        assert refusal() == [
            "config/settings.d/externalipam_peer.yml: :password: (secret) is not allowed (Not a valid string) "
            "(text needs quotes); allowed: text"
        ]


class TestProviderSchemas:
    """Marshmallow's own fields and messages, as a provider's author uses them."""

    @pytest.fixture(autouse=True)
    def peer(self, write):
        write("settings.d/externalipam.yml", ":use_provider: site_providers.PeerIPAM")

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            (":timeout: x", "'x' is not allowed (Not a valid integer); allowed: a whole number from 1 to 60"),
            (":timeout: 61", "61 is not allowed (Must be greater than or equal to 1 and less than or equal to 60)"),
            (":mode: odd", "'odd' is not allowed (Must be one of: slow, fast); allowed: slow, fast"),
            (":vlans: [1, x]", "'x' is not allowed (Not a valid integer); allowed: a list of numbers"),
            (":labels: 7", "7 is not allowed (Not a valid mapping type); allowed: a mapping"),
        ],
    )
    def test_wrong_values(self, write, refusal, line, told):
        write("settings.d/externalipam_peer.yml", f":url: http://127.0.0.1/\n:password: abc\n{line}")
        (got,) = refusal()
        key = line.split()[0]
        assert got.startswith(f"config/settings.d/externalipam_peer.yml: {key} {told}")

    def test_what_is_missing(self, refusal):
        assert refusal() == [
            "config/settings.d/externalipam_peer.yml: :url: is missing; allowed: a URL; "
            "or set LEASEHOLD_EXTERNALIPAM_PEER_URL",
            "config/settings.d/externalipam_peer.yml: :password: is missing; allowed: text; "
            "or set LEASEHOLD_EXTERNALIPAM_PEER_PASSWORD",
        ]
