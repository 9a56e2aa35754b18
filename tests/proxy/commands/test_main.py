"""The leasehold command as a whole: what it loads, how it fails, what it prints about itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from providers.errors import (
    Conflict,
    Exhausted,
    InvalidValue,
    LeaseholdError,
    Misconfigured,
    SubnetNotFound,
    Unavailable,
)
from proxy import __version__
from proxy.commands.exits import exit_code, message
from tests.hooks.answering import answering

HEAVY = {"alembic", "flask", "gunicorn", "requests"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Conflict("taken"), 1),
        (SubnetNotFound("none"), 1),
        (LeaseholdError("whatever"), 1),
        (InvalidValue("wrong"), 2),
        (Exhausted("full", used=1, held=1), 3),
        (Unavailable("away"), 4),
        (Misconfigured("wrong"), 5),
    ],
)
def test_exit_codes(error, code):
    assert exit_code(error) == code


def test_an_error_is_a_message_on_standard_error_and_what_to_type_next(lab):
    result = lab("subnet", "show", "10.9.9.0/24")

    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "Error: No subnet 10.9.9.0/24",
        "See which there are: leasehold subnet list",
    ]


def test_a_terminal_obeys_nothing_in_an_error():
    assert message(Conflict("\x1b]0;owned\x07taken by \x9b31mred\r\nand \u202egnp.exe")) == (
        "?]0;owned?taken by ?31mred?\nand ?gnp.exe"
    )


def test_a_service_that_answers_with_what_a_terminal_would_obey(bookless):
    with answering() as service:
        service.always(409, {"error": {"code": "conflict", "message": "\x1b[2Jtaken"}})
        result = bookless("--url", service.url, "hold", "list")

    assert (result.exit_code, result.stderr) == (1, "Error: ?[2Jtaken\n")


def test_a_service_that_answers_without_end_in_depth(bookless):
    with answering() as service:
        service.always(200, b'{"a":' * 100_000)
        result = bookless("--url", service.url, "hold", "list")

    assert result.exit_code == 4
    assert "is the URL right" in result.stderr


def test_a_missing_settings_file_is_misconfigured(bookless):
    result = bookless("--config", "nowhere.yml", "subnet", "list")

    assert result.exit_code == 5
    assert "nowhere.yml" in result.stderr


def test_a_missing_book_says_what_to_type(bookless):
    result = bookless("subnet", "list")

    assert result.exit_code == 5
    assert "leasehold database upgrade" in result.stderr


def test_a_file_that_is_no_book_is_unavailable_or_misconfigured_without_traceback(bookless, empty_place):
    (empty_place / "var").mkdir()
    (empty_place / "var" / "leasehold.db").write_bytes(b"this is no database at all" * 100)

    result = bookless("subnet", "list")

    assert result.exit_code in (4, 5)
    assert result.stderr.startswith("Error: ")


def test_an_unknown_command_is_a_usage_error(bookless):
    result = bookless("subnets")

    assert result.exit_code == 2
    assert "subnets" in result.stderr


def test_help_lists_every_command(bookless):
    printed = bookless.done("--help")

    for name in ("serve", "subnet", "address", "hold", "events", "token", "config", "database"):
        assert f"\n  {name} " in printed


def test_help_needs_no_settings_and_no_book(bookless):
    assert "Usage: leasehold subnet add" in bookless.done("--config", "nowhere.yml", "subnet", "add", "--help")


def test_the_version_is_printed_without_a_book(bookless):
    assert bookless.done("--version") == f"leasehold {__version__}\n"


def test_everyday_commands_load_nothing_heavy(lab):
    script = (
        "import sys; from proxy.commands import main; main(['subnet', 'list'], standalone_mode=False);"
        f" print(sorted({HEAVY!r} & set(sys.modules)))"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines()[-1] == "[]"
