"""leasehold database upgrade."""

from __future__ import annotations


def test_upgrade_makes_the_book(bookless):
    printed = bookless.done("database", "upgrade")

    assert printed.startswith("Upgraded the database: schema none -> ")


def test_upgrade_of_a_new_book_changes_nothing(leasehold):
    assert "up to date" in leasehold.done("database", "upgrade")
