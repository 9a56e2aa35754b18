"""The keys for listeners, TLS and reverse proxies: values as the rest of the program sees them."""

from __future__ import annotations

import pytest
from netaddr import IPNetwork

from proxy.settings import load
from proxy.settings.effective import effective

TLS = ":ssl_certificate: a.pem\n:ssl_private_key: a.key\n:ssl_ca_file: /somewhere/ca.pem\n"


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("", 8000),
        (":https_port: 8443", 8000),
        (TLS, None),
        (TLS + ":http_port:", None),
        (TLS + ":http_port: 8000", 8000),
        (TLS + ":http_port: false", None),
        (TLS + ":http_port: 'False'", None),
    ],
)
def test_http_is_off_where_there_is_a_certificate_and_nobody_asked_for_it(write, text, port):
    write("settings.yml", text)
    assert load(environ={}).http_port == port


def test_the_files_are_found_wherever_the_program_goes(write, site):
    write("settings.yml", TLS)
    settings = load(environ={})
    assert settings.ssl_certificate == site / "a.pem"
    assert settings.ssl_private_key == site / "a.key"
    assert str(settings.ssl_ca_file) == "/somewhere/ca.pem"


def test_the_environment_completes_the_file(write):
    write("settings.yml", ":ssl_certificate: a.pem\n:ssl_private_key: a.key\n")
    settings = load(environ={"LEASEHOLD_SSL_CA_FILE": "ca.pem", "LEASEHOLD_HTTP_PORT": "false"})
    assert (settings.http_port, settings.https_port) == (None, 8443)


def test_a_listener_that_is_off_is_shown_as_it_is_written(write):
    write("settings.yml", TLS)
    main = next(effective(load(environ={})))
    assert main.values["http_port"] is False


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        (":tls_disabled_versions: []", "tls_disabled_versions", ()),
        (":tls_disabled_versions: ['1.2']", "tls_disabled_versions", ("1.2",)),
        (":tls_disabled_versions: [1.1, 1.2]", "tls_disabled_versions", ("1.1", "1.2")),
        (":tls_disabled_versions: TLSv1.3", "tls_disabled_versions", ("1.3",)),
        (":tls_disabled_versions: ['1', '1_1']", "tls_disabled_versions", ("1.0", "1.1")),
        (":ssl_disabled_ciphers: [AES128-SHA, ecdhe-rsa-aes256-gcm-sha384]", "ssl_disabled_ciphers", None),
        (":tls_proxies: 127.0.0.1", "tls_proxies", (IPNetwork("127.0.0.1/32"),)),
        (":tls_proxies: ['2001:db8::/64']", "tls_proxies", (IPNetwork("2001:db8::/64"),)),
        (":request_timeout: 30", "request_timeout", 30),
    ],
)
def test_keys_of_tls_are_read_in_the_ways_of_the_smart_proxy(write, text, attribute, value):
    write("settings.yml", text)
    expected = value if value is not None else ("AES128-SHA", "ECDHE-RSA-AES256-GCM-SHA384")
    assert getattr(load(environ={}), attribute) == expected


@pytest.mark.parametrize("module", ["dhcp", "externalipam"])
def test_a_module_on_https_only(write, module):
    write(f"settings.d/{module}.yml", ":enabled: :https")
    assert getattr(load(environ={}), module).enabled == "https"
