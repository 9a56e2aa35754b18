"""What the Ruby smart proxy's files may hold and Leasehold does not have.

Keys that promise protection stop the start, because passing over them would be a lie; harmless ones are passed over
with a warning. When Leasehold learns one of them, its entry here goes and a field in the schema takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping

_NO_HTTPS = "needs https, which this version does not offer; leave the key out and let a reverse proxy speak TLS"

REFUSED: Mapping[str, str] = {
    "trusted_hosts": (
        "needs a check of who calls, which this version does not offer; leave the key out and let a firewall do it"
    ),
    "https_port": _NO_HTTPS,
    "ssl_certificate": _NO_HTTPS,
    "ssl_private_key": _NO_HTTPS,
    "ssl_ca_file": _NO_HTTPS,
}

PASSED_OVER: frozenset[str] = frozenset(
    {
        "daemon",
        "daemon_pid",
        "dns_resolv_timeouts",
        "file_logging_pattern",
        "file_rolling_age",
        "file_rolling_keep",
        "file_rolling_size",
        "foreman_ssl_ca",
        "foreman_ssl_cert",
        "foreman_ssl_key",
        "foreman_url",
        "forward_verify",
        "log_buffer",
        "log_buffer_errors",
        "ssl_disabled_ciphers",
        "system_logging_pattern",
        "tls_disabled_versions",
        # Modules that early versions switched on in the main file.
        "bmc",
        "dns",
        "facts",
        "httpboot",
        "logs",
        "puppet",
        "puppetca",
        "realm",
        "registration",
        "templates",
        "tftp",
    }
)
