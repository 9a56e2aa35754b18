"""What the providers' tests stand on: a desk to ask at, and a book that is looked over after every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.address_book import AddressBook
from tests.conftest import HandClock
from tests.providers.desk import Desk
from tests.providers.soundness import assert_sound


@pytest.fixture
def desk(address_book: AddressBook, clock: HandClock) -> Iterator[Desk]:
    """A desk on an empty book with the local IPAM; the book has to be sound when the test is over."""
    counter = Desk(address_book, clock)
    yield counter
    assert_sound(counter.book)
