"""How far this machine's clock is from that of the database's server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.book.database import Book
from providers.book.server_clock import lead
from providers.clock import utc_now

_A_TEST = timedelta(minutes=1)


@pytest.mark.parametrize("minutes", [31, -31])
def test_a_clock_is_compared_with_that_of_the_server(postgresql_book: Book, minutes: int):
    ahead = timedelta(minutes=minutes)
    assert abs(lead(postgresql_book, utc_now() + ahead) - ahead) < _A_TEST


def test_a_file_of_this_machine_has_no_other_clock(book: Book):
    assert lead(book, utc_now() + timedelta(hours=1)) == timedelta()
