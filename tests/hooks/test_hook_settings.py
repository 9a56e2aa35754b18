"""The settings of a guest host: file, environment, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hooks.errors import Misconfigured
from hooks.settings import Settings, load, secret


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hook.toml"


def read(file: Path, **environment: str) -> Settings:
    return load({"LEASEHOLD_HOOK_CONFIG": str(file)} | environment)


def test_an_empty_file_gives_the_defaults(file):
    settings = read(file)
    assert (settings.urls, settings.timeout, settings.fail_closed) == (("http://127.0.0.1:8000",), 4.0, True)
    assert settings.source == str(file)


def test_every_key_can_be_in_the_file(file):
    file.write_text(
        """
        urls = ["https://a.example.com", "https://b.example.com"]
        token_file = "/etc/token"
        cluster = "east"
        timeout = 3
        fail_closed = false
        pools = { "10.0.1.0/24" = "Lab" }
        """
    )
    settings = read(file)
    assert settings.urls == ("https://a.example.com", "https://b.example.com")
    assert (settings.cluster, settings.timeout, settings.fail_closed) == ("east", 3.0, False)
    assert settings.pools == {"10.0.1.0/24": "Lab"}


SAMPLES = {
    "nic_tags": ("admin=10.0.1.0/24", {"admin": "10.0.1.0/24"}),
    "shared_addresses": ("10.0.1.99", ("10.0.1.99",)),
    "urls": ("https://a.example.com,https://b.example.com", ("https://a.example.com", "https://b.example.com")),
    "subnets": ("10.0.1.0/24 10.0.2.0/24", ("10.0.1.0/24", "10.0.2.0/24")),
    "pools": ("10.0.1.0/24=Lab,10.0.2.0/24=Office", {"10.0.1.0/24": "Lab", "10.0.2.0/24": "Office"}),
    "timeout": ("2.5", 2.5),
    "fail_closed": ("no", False),
    "claims": ("false", False),
    "syslog": ("off", False),
    "hold_minutes": ("60", 60),
    "claim_lifetime": ("900", 900),
    "claim_renewal": ("60", 60),
    "sync_limit": ("50", 50),
    "release_after": ("0", 0),
    "claim_when_unreachable": ("allow", "allow"),
}


@pytest.mark.parametrize("key", [key for key in Settings._fields if key != "source"])
def test_every_key_can_be_in_the_environment_which_beats_the_file(file, key):
    text, value = SAMPLES.get(key, ("some text", "some text"))
    file.write_text("timeout = 1\n")
    assert getattr(read(file, **{f"LEASEHOLD_HOOK_{key.upper()}": text}), key) == value


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("url = 'http://x'", "url"),
        ("urls = []", "urls"),
        ("urls = ['ftp://x']", "ftp://x"),
        ("timeout = 'long'", "timeout"),
        ("timeout = 0", "timeout"),
        ("timeout = 10", "timeout"),
        ("fail_closed = 'no'", "fail_closed"),
        ("claim_when_unreachable = 'maybe'", "claim_when_unreachable"),
        ("claim_lifetime = 10\nclaim_renewal = 5", "claim_lifetime"),
        ("sync_limit = 101", "sync_limit"),
        ("= nonsense", "TOML"),
    ],
)
def test_nonsense_is_refused_by_name(file, text, named):
    file.write_text(text)
    with pytest.raises(Misconfigured, match=named) as raised:
        read(file)
    assert str(file) in str(raised.value)


@pytest.mark.parametrize(("key", "text"), [("TIMEOUT", "soon"), ("SYSLOG", "maybe"), ("POOLS", "10.0.1.0/24")])
def test_nonsense_in_the_environment_is_refused_by_name(file, key, text):
    with pytest.raises(Misconfigured, match=f"LEASEHOLD_HOOK_{key}"):
        read(file, **{f"LEASEHOLD_HOOK_{key}": text})


@pytest.mark.parametrize(
    ("variable", "text", "what"),
    [
        ("LEASEHOLD_HOOK_TIMEOUT", "10", "timeout is above 0"),
        ("LEASEHOLD_HOOK_URLS", "ftp://x", "ftp://x"),
        ("LEASEHOLD_URL", "ftp://x", "ftp://x"),
        ("LEASEHOLD_HOOK_URLS", "", "urls"),
        ("LEASEHOLD_HOOK_SYNC_LIMIT", "101", "sync_limit"),
        ("LEASEHOLD_HOOK_CLAIM_LIFETIME", "10", "claim_lifetime"),
        ("LEASEHOLD_HOOK_CLAIM_RENEWAL", "9000", "claim_renewal"),
        ("LEASEHOLD_HOOK_CLAIM_WHEN_UNREACHABLE", "maybe", "claim_when_unreachable"),
    ],
)
def test_what_a_variable_says_is_not_blamed_on_the_file(file, variable, text, what):
    file.write_text("claim_lifetime = 3600\ntimeout = 3\nurls = ['http://x']\n")
    with pytest.raises(Misconfigured, match=what) as raised:
        read(file, **{variable: text})
    assert str(raised.value).startswith(f"{variable}: ")
    assert str(file) not in str(raised.value)


def test_of_two_variables_with_urls_the_one_that_counts_is_named(file):
    with pytest.raises(Misconfigured, match="LEASEHOLD_HOOK_URLS: "):
        read(file, LEASEHOLD_URL="http://x", LEASEHOLD_HOOK_URLS="ftp://x")


def test_a_file_that_is_named_and_not_there_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match="none"):
        load({"LEASEHOLD_HOOK_CONFIG": str(tmp_path / "none.toml")})


def test_the_token_may_be_in_a_file_of_its_own(file, tmp_path):
    (tmp_path / "token").write_text("lh_secret\n")
    assert secret(read(file, LEASEHOLD_HOOK_TOKEN_FILE=str(tmp_path / "token"))) == "lh_secret"


def test_the_token_is_in_no_representation(file):
    assert "lh_secret" not in repr(read(file, LEASEHOLD_HOOK_TOKEN="lh_secret"))


