"""leasehold check."""

from __future__ import annotations

import json
import sqlite3

import pytest
from click.testing import CliRunner

from proxy.commands import main


def damage(*statements: str) -> None:
    with sqlite3.connect("var/leasehold.db") as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def damaged(lab):
    """The command line, with an address that has no use and a wrong free space."""
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1")
    damage("DELETE FROM uses", "DELETE FROM free_space")
    return lab


def test_a_sound_book(lab):
    result = lab("check")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "The book is sound.\n")


def test_a_sound_book_as_json(lab):
    assert lab.json("check") == []


def test_findings_are_a_table_and_exit_code_1(damaged):
    result = damaged("check")

    assert result.exit_code == 1
    assert "10.0.1.7 is reserved for web1 without any use" in result.stdout
    assert "2 findings, 2 of which --repair can put right." in result.stderr


def test_findings_as_json(damaged):
    result = damaged("check", "--json")

    assert result.exit_code == 1
    first, second = json.loads(result.stdout)
    assert first["kind"] == "use"
    assert set(first) == {"kind", "what", "subnet", "group", "address", "repair", "advice"}
    assert (second["kind"], second["subnet"], second["group"], second["address"]) == (
        "free_space", "10.0.1.0/24", "Lab", None,
    )  # fmt: skip


def test_a_check_changes_nothing(damaged):
    damaged("check")

    assert damaged("check").exit_code == 1


def test_repair_shows_the_plan_and_asks(damaged):
    result = CliRunner().invoke(main, ["check", "--repair"], input="n\n")

    assert result.exit_code == 1
    assert "--repair gives it the use manual" in result.stdout
    assert "Repair 2 findings now?" in result.stdout
    assert damaged("check").exit_code == 1


def test_repair_after_a_yes(damaged):
    result = CliRunner().invoke(main, ["check", "--repair"], input="y\n")

    assert result.exit_code == 0
    assert "Repaired 2 findings" in result.stderr
    assert damaged("check").exit_code == 0
    assert [row["action"] for row in damaged.json("events", "--limit", "2")] == ["check.repair"] * 2


def test_repair_without_asking(damaged):
    assert damaged("check", "--repair", "--yes").exit_code == 0


def test_repair_goes_on_after_what_blocked(damaged):
    damage("DELETE FROM directory")

    assert damaged("check", "--repair", "--yes").exit_code == 0


def test_repair_as_json_prints_what_is_left(damaged):
    result = damaged("check", "--repair", "--yes", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == []


def test_repair_as_json_of_a_sound_book(lab):
    assert json.loads(lab.done("check", "--repair", "--yes", "--json")) == []


def test_repair_as_json_does_not_ask(damaged):
    assert damaged("check", "--repair", "--json").exit_code == 2


def test_what_a_person_decides_stays_a_finding(lab):
    lab.done("address", "reserve", "10.0.1.23")
    lab.done("subnet", "add", "10.0.1.16/28", "--group", "Lab", "--gateway", "10.0.1.23")

    result = lab("check", "--repair", "--yes")

    assert result.exit_code == 1
    assert "decide: " in result.stdout
    assert "leasehold address release 10.0.1.23" in result.stdout


def test_a_book_that_is_missing_is_told(bookless):
    assert bookless("check").exit_code == 5
