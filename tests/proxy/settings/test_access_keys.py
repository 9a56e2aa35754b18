"""The keys that decide who is let in."""

from __future__ import annotations

import pytest

from proxy.settings import load


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", None),
        (":trusted_hosts:", None),
        (":trusted_hosts:\n#  - commented.example.com", None),
        (":trusted_hosts: []", ()),
        (":trusted_hosts:\n  - a.example.com\n  - B.example.com\n", ("a.example.com", "B.example.com")),
        (":trusted_hosts: a.example.com", ("a.example.com",)),
        ("trusted_hosts: [Foreman Main]", ("Foreman Main",)),
    ],
)
def test_trusted_hosts_of_the_file(write, text, names):
    write("settings.yml", text)
    assert load(environ={}).trusted_hosts == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", None),
        ("[]", ()),
        ("a.example.com", ("a.example.com",)),
        ("a.example.com, b.example.com", ("a.example.com", "b.example.com")),
    ],
)
def test_trusted_hosts_of_the_environment(text, names):
    assert load(environ={"LEASEHOLD_TRUSTED_HOSTS": text}).trusted_hosts == names


def test_by_default_names_are_verified_and_plain_http_is_not_for_writing():
    settings = load(environ={})
    assert settings.forward_verify is True
    assert settings.insecure_http is False
