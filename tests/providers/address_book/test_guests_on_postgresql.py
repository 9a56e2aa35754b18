"""Guests with the book on PostgreSQL: the SQL is meant to be the same everywhere."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.book.database import Book
from providers.guests import GuestState
from tests.providers.address_book.test_guest_lives import LIVES, Life, furnished, lead, once
from tests.providers.desk import Desk, mac

CHOSEN = {
    "the whole life",
    "rename",
    "address changed while stopped",
    "a clone with one of two IPs",
    "equal MACs",
    "the first of those who share is destroyed",
    "the holder of the claim takes over",
    "an address of Foreman with the same MAC is joined",
}


@pytest.fixture
def book(postgresql_book: Book) -> Book:
    """Every test here is on PostgreSQL."""
    return postgresql_book


@pytest.mark.parametrize("life", [each for each in LIVES if each.name in CHOSEN], ids=lambda life: life.name)
def test_a_life_ends_in_the_right_book(desk: Desk, life: Life):
    lead(furnished(desk), life, once)


def test_guests_are_found_and_listed(desk: Desk):
    site = furnished(desk)
    site.start("a", "web", "10.0.1.5", macs=[1], hostname="Shop.example.com")
    site.create("b", "db", "10.0.1.6", macs=[2])
    site.put("c", "db", [], cluster="west")
    site.claim("a", "web")
    for sought, names in (
        ({}, ["db", "web", "db"]),
        ({"state": GuestState.RUNNING}, ["web"]),
        ({"text": "shop"}, ["web"]),
        ({"address": IPAddress("10.0.1.6")}, ["db"]),
        ({"mac": mac(1)}, ["web"]),
        ({"after": ("east", "db"), "limit": 1}, ["web"]),
    ):
        assert [each.name for each in site.book.guests(**sought)] == names
    assert [each.claim is not None for each in site.book.guests()] == [False, True, False]
