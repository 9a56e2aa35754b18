from __future__ import annotations

import pytest

from providers.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [("web1 é", "web1 é"), ("a\nb", "a?b"), ("\x1b[31mred", "?[31mred"), ("\u202eabc", "?abc"), ("", "")],
)
def test_what_could_break_a_line_or_a_terminal_is_a_question_mark(text: str, shown: str):
    assert printable(text) == shown


@pytest.mark.parametrize(("most", "length"), [(60, 60), (None, 500)])
def test_it_is_as_long_as_the_caller_says(most: int | None, length: int):
    assert len(printable("x" * 500, most)) == length


def test_it_is_not_endless_when_nobody_says_how_long():
    assert len(printable("x" * 500)) == 100
