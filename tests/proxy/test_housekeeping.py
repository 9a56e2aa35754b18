"""What a service does now and then for its book."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert

from providers.address_book import AddressBook
from providers.book.tables import events
from providers.errors import Unavailable
from proxy.housekeeping import Housekeeping, start_housekeeping
from proxy.settings import load

DEADLINE = 30


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    return load(environ={"LEASEHOLD_EVENTS_DAYS": "30"})


def add_old_events(address_book: AddressBook) -> None:
    """One of yesterday, one of long ago."""
    with address_book.book.engine.begin() as connection:
        for days in (31, 1):
            at = address_book.clock() - timedelta(days=days)
            connection.execute(insert(events).values(at=at, actor="test", action=f"x{days}", detail={}))


def actions(address_book: AddressBook) -> list[str]:
    return [each.action for each in address_book.events()]


def test_old_events_go_when_the_service_starts(address_book, settings, monkeypatch):
    add_old_events(address_book)
    done = threading.Event()
    forget = address_book.forget_events
    monkeypatch.setattr(address_book, "forget_events", lambda keep: (forget(keep), done.set()))
    thread = start_housekeeping(address_book, settings)
    try:
        assert done.wait(DEADLINE)
    finally:
        thread.stop()
        thread.join(DEADLINE)
    assert actions(address_book) == ["x1"]


def test_with_0_they_stay(address_book, tmp_path, settings):
    add_old_events(address_book)
    Housekeeping(address_book, load(environ={"LEASEHOLD_EVENTS_DAYS": "0"})).go_on()
    assert actions(address_book) == ["x1", "x31"]


def test_a_year_is_what_they_are_kept_for_otherwise():
    assert load(environ={}).events_days == 365


def test_what_others_left_halfway_is_finished(address_book, settings, monkeypatch, caplog):
    monkeypatch.setattr(address_book, "finish_guests", lambda caller: ["east/web"])
    Housekeeping(address_book, settings).go_on()
    assert "Guest east/web: finished what was left halfway" in caplog.text


def test_it_goes_on_after_the_book_was_away(address_book, settings, monkeypatch):
    tried, done = iter([Unavailable("no answer"), Unavailable("no answer"), []]), threading.Event()

    def answer(_caller):
        outcome = next(tried, [])
        if isinstance(outcome, Exception):
            raise outcome
        done.set()
        return outcome

    monkeypatch.setattr(address_book, "finish_guests", answer)
    thread = Housekeeping(address_book, settings, pause=0.01)
    thread.start()
    try:
        assert done.wait(DEADLINE)
    finally:
        thread.stop()
        thread.join(DEADLINE)
