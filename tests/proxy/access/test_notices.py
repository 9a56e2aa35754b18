"""What the log says about access at every start."""

from __future__ import annotations

import pytest

from proxy.access.notices import access_notices
from proxy.settings import load


@pytest.fixture
def notices(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda **keys: list(access_notices(load(environ={}, **keys)))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"bind_host": ["127.0.0.1", "::1", "localhost"]},
        {"bind_host": "*", "trusted_hosts": ["foreman.example.com"]},
    ],
)
def test_nothing_to_say(notices, keys):
    assert notices(**keys) == []


@pytest.mark.parametrize("bind_host", ["127.0.0.1", "*"])
def test_insecure_http_is_told_every_time(notices, bind_host):
    assert notices(insecure_http=True, bind_host=bind_host) == [
        ":insecure_http: is true: everybody who can connect over plain HTTP may change the book"
    ]


def test_insecure_http_with_trusted_hosts(notices):
    assert notices(insecure_http=True, trusted_hosts=["x"]) == [
        ":insecure_http: is true and has no effect, because :trusted_hosts: is set"
    ]


def test_an_empty_list(notices):
    assert notices(trusted_hosts=[]) == [":trusted_hosts: is empty: nobody gets in without a token"]


@pytest.mark.parametrize("bind_host", ["*", "::", "192.0.2.1"])
def test_plain_http_beyond_this_machine(notices, bind_host):
    (line,) = notices(bind_host=["127.0.0.1", bind_host])
    assert line.startswith(f"Plain HTTP on {bind_host}: everybody who can connect may read the book;")


def test_no_plain_http(notices, tmp_path):
    files = {key: tmp_path / key for key in ("ssl_certificate", "ssl_private_key", "ssl_ca_file")}
    assert notices(bind_host="*", http_port=False, **{key: str(path) for key, path in files.items()}) == []
