"""``externalipam_phpipam.yml``: as the Ruby proxy's plugin has it, and with what we have beside that."""

from __future__ import annotations

import pytest

from proxy.settings import load

MODULE = "---\n:enabled: true\n:use_provider: externalipam_phpipam\n"
RUBY = "---\n:url: 'https://phpipam.my-domain.com'\n:user: 'ipam_user'\n:password: 'ipam_password'\n"


@pytest.fixture
def written(write):
    """Both files of the plugin, or with another text in the second."""

    def to(text: str = RUBY):
        write("settings.d/externalipam.yml", MODULE)
        write("settings.d/externalipam_phpipam.yml", text)
        return load(environ={})

    return to


@pytest.fixture
def refused(write, refusal):
    """The lines of the refusal."""

    def to(text: str) -> list[str]:
        write("settings.d/externalipam.yml", MODULE)
        write("settings.d/externalipam_phpipam.yml", text)
        return refusal()

    return to


def test_the_files_of_the_plugin_are_read_as_they_are(written):
    settings = written()
    known = settings.externalipam.provider_settings
    assert (known["url"], known["user"], known["password"]) == (
        "https://phpipam.my-domain.com",
        "ipam_user",
        "ipam_password",
    )
    assert settings.warnings == ()


def test_a_password_of_digits_and_one_with_blanks(written):
    assert written(RUBY.replace("'ipam_password'", "123")).externalipam.provider_settings["password"] == "123"
    assert written(RUBY.replace("'ipam_password'", "' x '")).externalipam.provider_settings["password"] == " x "


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]"])
def test_plain_http_to_this_machine_is_fine(written, host):
    assert written(RUBY.replace("https://phpipam.my-domain.com", f"http://{host}")).warnings == ()


def test_plain_http_to_another_machine_is_warned_about(written):
    (warning,) = written(RUBY.replace("https", "http")).warnings
    assert "phpipam.my-domain.com unencrypted" in warning
    assert "ipam_password" not in warning


def test_plain_http_that_is_meant_is_not(written):
    assert written(RUBY.replace("https", "http") + ":insecure_http: true\n").warnings == ()


def test_a_certificate_that_is_not_looked_at_is_warned_about(written):
    (warning,) = written(RUBY + ":verify_ssl: false\n").warnings
    assert ":verify_ssl: is false" in warning


def test_an_app_code_in_place_of_user_and_password(written):
    known = written("---\n:url: https://ipam.example.com/\n:app: code\n:token: x1\n").externalipam.provider_settings
    assert (known["url"], known["app"], known["token"]) == ("https://ipam.example.com", "code", "x1")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("---\n", "url"),
        (":url: https://ipam.example.com\n", "user"),
        (":url: https://ipam.example.com\n:user: leasehold\n", "password"),
        (":url: https://ipam.example.com\n:token: x\n", "app"),
        (RUBY + ":app: 'a/b'\n", "app"),
        (RUBY.replace("https://", "https://me:secret@"), "url"),
        (RUBY.replace("https://", "ftp://"), "url"),
        (RUBY.replace("https://", ""), "url"),
        (RUBY + ":ca_file: /nowhere/ca.pem\n", "ca_file"),
        (RUBY + ":call_timeout: 0\n", "call_timeout"),
        (RUBY + ":field_node: nodes\n", "field_node"),
        (RUBY + ":field_node: note\n", "field_node"),
        (RUBY + ":mark_field: owner\n", "field_owner"),
        (RUBY + ":mark_field: hostname\n", "mark_field"),
        (RUBY + ":option_domain: domain\n", "option_domain"),
        (RUBY + ":tag: 0\n", "tag"),
    ],
)
def test_what_is_wrong_is_named(refused, text, key):
    lines = refused(text)
    assert [line for line in lines if f":{key}: " in line], lines
    assert "secret" not in " ".join(lines).replace("(secret)", "")


def test_the_password_is_never_shown(refused):
    lines = refused(RUBY.replace("'ipam_password'", "[ipam_password]"))
    assert "ipam_password" not in " ".join(lines)
