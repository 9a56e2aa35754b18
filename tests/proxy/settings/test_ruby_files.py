"""Files of the Ruby smart proxy: read as they are, refused where passing over a key would be a lie."""

from __future__ import annotations

import pytest

from proxy.settings import load
from proxy.settings.ruby_proxy import PASSED_OVER
from proxy.settings.sections import main_section

COMMENTED = """\
---
# Access
#:ssl_certificate: ssl/certs/host.pem
#:ssl_ca_file: ssl/certs/ca.pem
#:ssl_private_key: ssl/private_keys/host.pem
#:ssl_disabled_ciphers: [A-CIPHER]
#:trusted_hosts:
#- foreman.example.org
#:forward_verify: true

# Listeners
#:bind_host: ['*']
#:http_port: 8000
#:https_port: 8443

#:log_file: /somewhere/proxy.log
#:log_level: INFO
"""
IN_USE = """\
---
:settings_directory: {directory}
:ssl_disabled_ciphers: []
:tls_disabled_versions: []
:forward_verify: true
:foreman_url: https://foreman.example.org
:foreman_ssl_ca: /somewhere/ca.pem
:foreman_ssl_cert: /somewhere/host.pem
:foreman_ssl_key: /somewhere/host.key
:daemon: true
:daemon_pid: /somewhere/proxy.pid
:bind_host: ['*']
:http_port: 8000
:log_file: STDOUT
:log_level: INFO
:log_buffer: 2000
:log_buffer_errors: 1000
:file_rolling_size: 0
:file_rolling_age: weekly
:file_rolling_keep: 6
:file_logging_pattern: '%d %.8X{{request}} [%.1l] %m'
:system_logging_pattern: '%m'
:dns_resolv_timeouts: [5, 8, 13]
"""
DHCP = """\
---
:enabled: true
#:use_provider: dhcp_isc
:server: 127.0.0.1
:subnets: [192.168.205.0/255.255.255.128, 192.168.205.128/255.255.255.128]
#:ping_free_ip: true
"""
ISC = """\
---
:config: /somewhere/dhcpd.conf
:leases: /somewhere/dhcpd.leases
:omapi_port: 7911
:key_name: a_key
:key_secret: a_secret
"""


def test_an_untouched_installation_is_read_without_a_word(write):
    write("settings.yml", COMMENTED)
    for module in ("dhcp", "dns", "tftp", "logs", "bmc", "puppet", "externalipam"):
        write(f"settings.d/{module}.yml", "---\n# Can be true, false, or http/https\n:enabled: false\n")
    for provider in ("dhcp_isc", "dhcp_libvirt", "dns_nsupdate", "externalipam_phpipam"):
        write(f"settings.d/{provider}.yml", "---\n#:config: /somewhere\n")
    settings = load(environ={})
    assert settings.warnings == ()
    assert settings.dhcp.enabled is False
    assert settings.externalipam.enabled is False
    assert settings.logs.enabled is False


def test_an_installation_in_use(write, site):
    write("settings.yml", IN_USE.format(directory=site / "config/settings.d"))
    write("settings.d/dhcp.yml", DHCP)
    write("settings.d/dhcp_isc.yml", ISC)
    write("settings.d/externalipam.yml", "---\n:enabled: true\n")
    write("settings.d/dns.yml", "---\n:enabled: false\n:use_provider: dns_nsupdate\n")
    write("settings.d/tftp.yml", "---\n:enabled: https\n")
    settings = load(environ={})
    assert settings.bind_host == ("*",)
    assert settings.dhcp.server == "127.0.0.1"
    assert [str(network) for network in settings.dhcp.subnets] == ["192.168.205.0/25", "192.168.205.128/25"]
    passed_over, tftp = settings.warnings
    assert passed_over.startswith("config/settings.yml: keys of the Ruby smart proxy that are passed over: ")
    assert "foreman_url" in passed_over
    assert "dns_resolv_timeouts" in passed_over
    assert tftp.endswith("tftp.yml: Leasehold has no module tftp; it is enabled, and passed over")


@pytest.mark.parametrize("value", ["true", "http", "https", "'true'", ":http"])
def test_another_module_that_is_enabled_is_named(write, value):
    write("settings.d/dns.yml", f":enabled: {value}")
    (warning,) = load(environ={}).warnings
    assert warning == "config/settings.d/dns.yml: Leasehold has no module dns; it is enabled, and passed over"


@pytest.mark.parametrize("text", ["", ":enabled: false", ":enabled:", ":config: x", "enabled: 'false'"])
def test_another_module_that_is_not_enabled_is_passed_over(write, text):
    write("settings.d/dns.yml", text)
    assert load(environ={}).warnings == ()


def test_a_broken_file_of_another_module_stops_nothing(write):
    write("settings.d/dns.yml", ":enabled: [")
    (warning,) = load(environ={}).warnings
    assert warning.startswith("config/settings.d/dns.yml: line 1: ")


def test_a_file_of_ours_with_another_ending_is_named(write):
    write("settings.d/dhcp.yaml", ":enabled: false")
    settings = load(environ={})
    assert settings.dhcp.enabled is True
    assert settings.warnings == ("config/settings.d/dhcp.yaml: is not read; call it dhcp.yml",)


@pytest.mark.parametrize("key", sorted(PASSED_OVER))
def test_harmless_keys_are_named_in_one_warning(write, key):
    write("settings.yml", "".join(f":{name}: true\n" for name in {key, "daemon"}))
    (warning,) = load(environ={}).warnings
    assert key in warning


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            ":htp_port: 1",
            "config/settings.yml: :htp_port: is no key of Leasehold, passed over; did you mean :http_port:?",
        ),
        (":colour: blue", "config/settings.yml: :colour: is no key of Leasehold, passed over"),
        ("7: blue", "config/settings.yml: :7: is no key of Leasehold, passed over"),
    ],
)
def test_unknown_keys_are_named(write, text, warning):
    write("settings.yml", text)
    assert load(environ={}).warnings == (warning,)


def test_unknown_keys_of_modules_and_providers_are_named(write):
    write("settings.d/dhcp.yml", ":http_port: 1")
    write("settings.d/dhcp_none.yml", ":config: 1")
    assert load(environ={}).warnings == (
        "config/settings.d/dhcp.yml: :http_port: is no key of Leasehold, passed over",
        "config/settings.d/dhcp_none.yml: :config: is no key of Leasehold, passed over",
    )


def test_no_key_is_both_passed_over_and_known():
    assert not PASSED_OVER & set(main_section().keys)


@pytest.mark.parametrize("key", ["trusted_hosts", "ssl_certificate", "ssl_private_key", "ssl_ca_file"])
def test_what_promises_protection_is_not_passed_over(key):
    assert key in main_section().keys
