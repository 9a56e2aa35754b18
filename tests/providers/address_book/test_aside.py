"""Work that no request has to wait for."""

from __future__ import annotations

import threading

from providers.address_book.aside import InBackground, never


def test_it_is_done_by_another_thread_one_after_the_other():
    done: list[tuple[int, str]] = []
    finished = threading.Event()
    aside = InBackground()
    for number in range(3):
        aside(lambda number=number: done.append((number, threading.current_thread().name)))
    aside(finished.set)
    assert finished.wait(60)
    assert done == [(0, "aside"), (1, "aside"), (2, "aside")]


def test_what_fails_does_not_keep_the_next_from_being_done():
    finished = threading.Event()
    aside = InBackground()
    aside(lambda: 1 / 0)
    aside(finished.set)
    assert finished.wait(60)


def test_too_much_is_left_out():
    started, begin, finished = threading.Event(), threading.Event(), threading.Event()
    done: list[int] = []
    aside = InBackground()
    aside(lambda: (started.set(), begin.wait(60)))
    assert started.wait(60)
    for number in range(200):
        aside(lambda number=number: (done.append(number), finished.set() if number == 99 else None))
    begin.set()
    assert finished.wait(60)
    assert done == list(range(100))


def test_a_command_leaves_it_to_others():
    never(lambda: 1 / 0)
