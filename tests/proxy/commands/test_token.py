"""leasehold token: create, list and revoke."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from providers.book.database import Book
from providers.errors import NotAuthenticated
from providers.model import Caller
from providers.token_use import THREAD_NAME
from providers.tokens import Scope, Token, Tokens

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def book(leasehold, empty_place: Path) -> Iterator[Book]:
    """The book that the commands work on."""
    opened = Book(f"sqlite:///{empty_place}/var/leasehold.db")
    yield opened
    opened.close()


@pytest.fixture
def tokens(book: Book) -> Tokens:
    """What a running service has of the tokens in that book."""
    return Tokens(book, lambda: datetime.now(UTC))


def created(leasehold, *arguments: str) -> str:
    return leasehold.done("token", "create", *arguments).strip()


def test_create_prints_the_secret_and_nothing_else_on_standard_output(leasehold):
    result = leasehold("token", "create", "hooks", "--scope", "read")

    assert result.exit_code == 0
    assert re.fullmatch(r"lh_[A-Za-z0-9_-]{43}\n", result.stdout)
    assert "hooks" in result.stderr
    assert "lh_" not in result.stderr


def test_limits_that_name_nothing_are_told(lab):
    told = lab("token", "create", "a", "--scope", "read", "--group", "Lba", "--subnet", "10.0.1.0/25").stderr
    assert "There is no group Lba yet" in told
    assert "There is no subnet in 10.0.1.0/25 yet" in told

    fits = lab("token", "create", "b", "--scope", "read", "--group", "lab", "--subnet", "10.0.0.0/16").stderr
    assert "There is no" not in fits


def test_a_running_service_accepts_what_was_created_and_refuses_what_was_revoked(leasehold, tokens):
    secret = created(leasehold, "hooks", "--scope", "read")
    assert tokens.check(secret).name == "hooks"

    leasehold.done("token", "revoke", "hooks")

    with pytest.raises(NotAuthenticated):
        tokens.check(secret)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--scope", "read"], {"scopes": ["read"]}),
        (["--scope", "reserve", "--scope", "admin", "--scope", "reserve"], {"scopes": ["admin", "reserve"]}),
        (["--scope", "guest", "--node", "node7"], {"node": "node7", "cluster": None}),
        (["--scope", "guest", "--node", "node7", "--cluster", "east"], {"node": "node7", "cluster": "east"}),
        (["--scope", "read", "--subnet", "10.0.1.0/24"], {"subnets": ["10.0.1.0/24"]}),
        (
            ["--scope", "read", "--subnet", "10.0.1.0/24", "--subnet", "2001:DB8::/64"],
            {"subnets": ["10.0.1.0/24", "2001:db8::/64"]},
        ),
        (["--scope", "read", "--group", "Lab", "--group", "Büro"], {"groups": ["Lab", "Büro"]}),
        (["--scope", "read"], {"subnets": [], "groups": [], "expires_at": None, "expired": False}),
        (["--scope", "read", "--expires", "2999-12-31"], {"expires_at": "2999-12-31T00:00:00Z"}),
        (["--scope", "read", "--expires", "2999-12-31T18:00"], {"expires_at": "2999-12-31T18:00:00Z"}),
        (["--scope", "read", "--expires", "2999-12-31T18:00+02:00"], {"expires_at": "2999-12-31T16:00:00Z"}),
    ],
)
def test_create_as_described(leasehold, options, expected):
    created(leasehold, "hooks", *options)

    (row,) = leasehold.json("token", "list")
    assert {key: row[key] for key in expected} == expected


def test_days_count_from_now(leasehold):
    result = leasehold("token", "create", "hooks", "--scope", "read", "--expires", "90d")

    (row,) = leasehold.json("token", "list")
    lasts = datetime.fromisoformat(row["expires_at"]) - datetime.fromisoformat(row["created_at"])
    assert abs(lasts - timedelta(days=90)) <= timedelta(minutes=5)
    assert row["expires_at"] in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "NAME"),
        (["hooks"], 2, "--scope"),
        (["hooks", "--scope", "write"], 2, "write"),
        (["hooks", "--scope", ""], 2, "--scope"),
        (["hooks", "--scope", "guest"], 2, "say which node"),
        (["hooks", "--scope", "read", "--node", "node7"], 2, "Only scope guest"),
        (["hooks", "--scope", "guest", "--node", ""], 2, "say which node"),
        (["hooks", "--scope", "read", "--subnet", "10.0.1.5/24"], 2, "10.0.1.0"),
        (["hooks", "--scope", "read", "--subnet", "10.0.1.0"], 2, "10.0.1.0"),
        (["hooks", "--scope", "read", "--group", ""], 2, "A group's name"),
        (["", "--scope", "read"], 2, "A token's name"),
        (["x" * 65, "--scope", "read"], 2, "1 to 64"),
        (["a\nb", "--scope", "read"], 2, "printable"),
        (["hooks", "--scope", "read", "--expires", "90"], 2, "90d"),
        (["hooks", "--scope", "read", "--expires", "d"], 2, "90d"),
        (["hooks", "--scope", "read", "--expires", "-1d"], 2, "90d"),
        (["hooks", "--scope", "read", "--expires", "٣d"], 2, "90d"),
        (["hooks", "--scope", "read", "--expires", "100000d"], 2, "at most 99999d"),
        (["hooks", "--scope", "read", "--expires", "99999999999999999999d"], 2, "at most 99999d"),
        (["hooks", "--scope", "read", "--expires", "2999-02-30"], 2, "2026-12-31"),
        (["hooks", "--scope", "read", "--expires", "9999-12-31T23:59-12:00"], 2, "2026-12-31"),
        (["hooks", "--scope", "read", "--expires", ""], 2, "90d"),
        (["hooks", "--scope", "read", "--expires", "2020-01-01"], 2, "past"),
        (["hooks", "--scope", "read", "--expires", "0d"], 2, "past"),
        (["there", "--scope", "read"], 1, "There is a token there already"),
        (["hooks", "more", "--scope", "read"], 2, "more"),
    ],
    ids=str,
)
def test_create_refuses(leasehold, arguments, code, message):
    created(leasehold, "there", "--scope", "read")

    result = leasehold("token", "create", *arguments)

    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert result.stdout == ""
    assert [row["name"] for row in leasehold.json("token", "list")] == ["there"]


def test_the_secret_is_not_shown_again(leasehold):
    secret = created(leasehold, "hooks", "--scope", "read")
    printed = [leasehold("token", "list"), leasehold("token", "list", "--json"), leasehold("token", "revoke", "hooks")]
    printed += [leasehold("events"), leasehold("events", "--json"), leasehold("config", "show")]

    assert not [result for result in printed if secret.removeprefix("lh_") in result.output]


def test_list_is_a_table(leasehold):
    created(leasehold, "node7", "--scope", "guest", "--scope", "read", "--node", "node7", "--cluster", "east")

    head, _, line = leasehold.done("token", "list").splitlines()

    assert head.split() == [
        *("Name", "Scopes", "Node", "Cluster", "Subnets", "Groups", "Created", "Expires", "Last", "used"),
    ]
    assert line.split()[:5] == ["node7", "guest,", "read", "node7", "east"]


def test_list_marks_what_has_expired(leasehold, book):
    _old(book, "old")

    assert "2020-01-02T00:00:00Z (expired)" in leasehold.done("token", "list")
    assert leasehold.json("token", "list")[0]["expired"] is True


def test_list_shows_the_last_use(leasehold, book):
    old, secret = _old(book, "old")
    Tokens(book, lambda: LONG_AGO).check(secret)
    _wait_for_notes()

    (row,) = leasehold.json("token", "list")

    assert (row["id"], row["last_used_at"]) == (old.id, "2020-01-01T00:00:00Z")


def test_list_of_nothing_says_how_to_make_one(leasehold):
    result = leasehold("token", "list")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "leasehold token create" in result.stderr
    assert leasehold.json("token", "list") == []


def test_an_expired_name_may_be_taken(leasehold, book, tokens):
    _old(book, "hooks")

    assert tokens.check(created(leasehold, "hooks", "--scope", "read")).name == "hooks"


def test_revoke_of_what_is_not_there_is_refused(leasehold):
    result = leasehold("token", "revoke", "hooks")

    assert result.exit_code == 1
    assert result.stderr == "Error: There is no token hooks: see leasehold token list\n"


def test_revoke_and_create_are_events_of_who_typed(leasehold):
    created(leasehold, "hooks", "--scope", "read")
    leasehold.done("token", "revoke", "hooks")

    rows = leasehold.json("events")

    assert [(row["action"], row["detail"]["name"]) for row in rows] == [
        ("token.revoke", "hooks"),
        ("token.create", "hooks"),
    ]
    assert all(row["actor"].startswith("cli:") for row in rows)


def _old(book: Book, name: str) -> tuple[Token, str]:
    """A token that expired in 2020."""
    end = LONG_AGO + timedelta(days=1)
    return Tokens(book, lambda: LONG_AGO).create(name, {Scope.READ}, Caller("test"), expires_at=end)


def _wait_for_notes() -> None:
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join(60)
