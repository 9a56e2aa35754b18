"""What the Ruby smart proxy's files may hold and Leasehold does not have: harmless, and named in a warning.

When Leasehold learns one of them, its entry here goes and a field in the schema takes its place. A key that promises
protection which Leasehold cannot give must not be here, because passing over it would be a lie.
"""

from __future__ import annotations

PASSED_OVER: frozenset[str] = frozenset(
    {
        "daemon",
        "daemon_pid",
        "dns_resolv_timeouts",
        "foreman_ssl_ca",
        "foreman_ssl_cert",
        "foreman_ssl_key",
        "foreman_url",
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
