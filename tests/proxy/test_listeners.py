"""Where the service listens, as the settings say."""

from __future__ import annotations

import pytest

from proxy.listeners import listeners
from proxy.settings import load

TLS = {"ssl_certificate": "a.pem", "ssl_private_key": "a.key", "ssl_ca_file": "ca.pem"}


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({}, ["http://127.0.0.1:8000"]),
        ({"http_port": 80}, ["http://127.0.0.1:80"]),
        ({"https_port": 443}, ["http://127.0.0.1:8000"]),
        (TLS, ["https://127.0.0.1:8443"]),
        ({**TLS, "http_port": False, "https_port": 443}, ["https://127.0.0.1:443"]),
        ({**TLS, "http_port": 8000}, ["http://127.0.0.1:8000", "https://127.0.0.1:8443"]),
        ({"bind_host": ["*", "::1"]}, ["http://0.0.0.0:8000", "http://[::1]:8000"]),
    ],
)
def test_every_host_listens_on_every_port_that_is_on(given, where):
    assert [str(listener) for listener in listeners(load(environ={}, **given))] == where
