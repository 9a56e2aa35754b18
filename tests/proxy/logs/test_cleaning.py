"""One line, and no secrets."""

from __future__ import annotations

import pytest

from proxy.logs.cleaning import LONGEST, clean

TOKEN = "lh_Zm9vYmFyYmF6cXV4LXRoaXMtaXMtbm90LWEtdG9rZW4"
FORGED = "2026-01-02T03:04:05 abcdefgh [I] all is well"


@pytest.mark.parametrize(
    "end",
    [
        "\n",
        "\r",
        "\r\n",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x1e",
        "\x85",
        "\u2028",
        "\u2029",
        "\x00",
        "\x1b[2K\r",
        "\x08",
        "\x7f",
    ],
    ids=ascii,
)
def test_nothing_begins_a_line_of_its_own(end):
    text = clean(f"host{end}{FORGED}")
    assert text.isprintable()
    assert len(text.splitlines()) == 1
    assert text.startswith("host ")


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\ufeff", "\ud800"], ids=ascii)
def test_characters_that_deceive_the_eye_are_blanks(character):
    assert clean(f"a{character}b") == "a b"


@pytest.mark.parametrize("text", ["größer", "日本", "a'b\"c\\d", "100 %", ""])
def test_what_can_be_seen_stays(text):
    assert clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "authorization:Bearer {}",
        "Authorization: Basic {}",
        "Authorization: {}",
        "Authorization=Bearer%20{}",
        "Proxy-Authorization: Negotiate {}",
        'Authorization: Digest username="x", response="{}"',
        "{{'Authorization': 'Bearer {}', 'Accept': '*/*'}}",
        "{{'HTTP_AUTHORIZATION': b'Token {}'}}",
        '{{"Authorization":"Bearer {}"}}',
        "[('Authorization', 'x'), 'Authorization: {}']",
        "sent Bearer {} and was refused",
        "bearer+{}",
        "Cookie: session={}; x={}",
        "Set-Cookie: session={}; HttpOnly",
        "GET /x?password={}&a=b",
        "GET /x?a=b&api_key={}",
        "GET /x?token={} HTTP/1.1",
        "GET /x?omapi_key_secret={}",
        "password={}",
        "password: {}",
        "Passwd = '{}'",
        'passphrase: "two words, {}"',
        '{{"password": "a\\"{}"}}',
        "{{'db_password': '{}'}}",
        ":key_secret: {}",
        "phpipam-token: {}",
        "X-Auth-Token: {}",
        '{{"token":"{}"}}',
        '{{\\"password\\":\\"{}\\"}}',
        "%22password%22%3A%22{}%22",
        "client_secret=>'{}'",
        "credentials={}",
        "http://leasehold:{}@ipam.example.org/api",
        "postgresql+psycopg://leasehold:{}@db/leasehold",
        "http://:{}@host",
        "http://u:{}@x@host/",
        "could not connect to https://u:{}@h:8443/x?y=z (refused)",
        "-----BEGIN RSA PRIVATE KEY----- {} -----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n{}\n",
        "Authorization:\n Bearer {}",
    ],
)
def test_secrets_are_hidden(text):
    assert "c0ffeeC0FFEE" not in clean(text.format(*["c0ffeeC0FFEE"] * 2))


@pytest.mark.parametrize(
    "text", ["{}", "x{}y", "/dhcp/{}", "/x?q={}", "token {}", "'{}'", "{}\n", "LH_{}", "/x?q=lh%5F{}", "a, {}."]
)
def test_our_tokens_are_hidden_wherever_they_stand(text):
    told = clean(text.format(TOKEN.removeprefix("lh_") if "{}" not in text[:2] and "lh" in text.lower() else TOKEN))
    assert TOKEN[8:] not in told
    assert "(secret)" in told


@pytest.mark.parametrize("first", ["l", "%6c", "%6C", "%4c", "%4C"])
@pytest.mark.parametrize("second", ["h", "%68", "%48"])
@pytest.mark.parametrize("third", ["_", "%5f", "%5F"])
def test_our_tokens_are_hidden_when_their_first_letters_are_encoded(first, second, third):
    assert clean(f"GET /dhcp/{first}{second}{third}{TOKEN[3:]} 404") == "GET /dhcp/lh_(secret) 404"


@pytest.mark.parametrize("sent", [TOKEN, f"x{TOKEN}", f"%6C%68_{TOKEN[3:]}"])
def test_a_token_that_is_a_value_is_hidden_once(sent):
    assert clean(f"GET /x?token={sent}&a=b (refused)") == "GET /x?token=(secret)&a=b (refused)"


def test_user_and_password_of_basic_are_hidden():
    assert "dTpodW50ZXIy" not in clean("Basic dTpodW50ZXIy was refused")
    assert "dTpw" not in clean("basic dTpw")


@pytest.mark.parametrize(
    "text",
    [
        '127.0.0.1 "GET /dhcp/10.0.1.0/unused_ip?mac=52:54:00:00:00:01 HTTP/1.1" 200 17 bytes 57 ms',
        "Refused 127.0.0.1: token not valid",
        "dhcp:token:ci took 10.0.1.4",
        "Token ci was created",
        "The token is not valid: it is unknown",
        "Basic settings were read",
        "http://127.0.0.1:8000/dhcp",
        "http://h:80/x?mail=a@b",
        "config/settings.yml: :ssl_private_key: '/etc/key.pem' cannot be read",
        "The password of the database is wrong",
        "a key, a secret, a cookie",
    ],
)
def test_what_only_speaks_of_secrets_stays(text):
    assert clean(text) == text


def test_cleaning_twice_changes_nothing_more():
    once = clean(f"Authorization: Bearer {TOKEN}, password=x http://u:p@h token={TOKEN}")
    assert clean(once) == once


def test_a_long_text_is_cut():
    text = clean("x" * 3 * LONGEST)
    assert len(text) < LONGEST + 20
    assert text.endswith("... (cut)")


@pytest.mark.parametrize("before", range(LONGEST - 60, LONGEST + 1, 7))
def test_a_secret_across_the_cut_is_hidden(before):
    assert "Zm9vYmFy" not in clean(f"{'x' * before} {TOKEN} {'x' * LONGEST}")
