"""Searching on PostgreSQL finds the same."""

from __future__ import annotations

import pytest

from providers.book.database import Book
from tests.providers.address_book.test_search import (  # noqa: F401 - fixtures and tests
    filled,
    subnets,
    test_a_text_that_nothing_has_ends_each_page_in_time,
    test_holds_are_found_in_pages,
    test_only_the_given_subnets_are_searched,
    test_uses_and_hosts_are_those_of_each,
    test_what_is_sought_is_found,
)


@pytest.fixture
def book(postgresql_book: Book) -> Book:
    """An empty book on PostgreSQL."""
    return postgresql_book
