"""leasehold database upgrade."""

from __future__ import annotations

import re


def test_upgrade_makes_the_book(bookless):
    printed = bookless.done("database", "upgrade")

    assert printed.startswith("Upgraded the database: schema none -> ")


def test_upgrade_of_a_new_book_changes_nothing(leasehold):
    assert "up to date" in leasehold.done("database", "upgrade")


def test_backup_and_restore(lab):
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1")
    printed = lab.done("database", "backup", "book.backup")
    assert printed.startswith("Wrote book.backup: ")
    lab.done("address", "release", "10.0.1.7")

    refused = lab("database", "restore", "book.backup")
    assert refused.exit_code == 1
    assert "--force" in refused.stderr

    restored = lab.done("database", "restore", "book.backup", "--force")
    assert re.search(r"as they were at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\. Now run leasehold check", restored)
    assert [row["name"] for row in lab.json("address", "list")] == ["web1"]
    assert lab("check").exit_code == 0
    assert lab.json("events")[0]["action"] == "database.restore"


def test_a_copy_says_in_its_events_that_it_is_one(lab):
    lab.done("database", "backup", "book.backup")

    lab.done("database", "restore", "book.backup", "--force", "--copy")

    assert lab.json("events")[0]["detail"]["copy"] is True


def test_restore_makes_a_book(lab, monkeypatch):
    lab.done("database", "backup", "book.backup")
    monkeypatch.setenv("LEASEHOLD_STATE_DIR", "elsewhere")

    lab.done("database", "restore", "book.backup")

    assert [row["network"] for row in lab.json("subnet", "list")] == ["10.0.1.0/24"]


def test_backup_does_not_replace_a_file(lab):
    lab.done("database", "backup", "book.backup")

    assert lab("database", "backup", "book.backup").exit_code == 1
    assert lab("database", "backup", "book.backup", "--force").exit_code == 0


def test_backup_of_no_book_is_refused(bookless):
    assert bookless("database", "backup", "book.backup").exit_code == 5


def test_restore_of_what_is_no_backup_is_refused(leasehold, empty_place):
    (empty_place / "wrong").write_text("wrong")

    result = leasehold("database", "restore", "wrong")

    assert result.exit_code == 2
    assert "wrong is damaged" in result.stderr
