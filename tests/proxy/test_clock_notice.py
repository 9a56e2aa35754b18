"""A clock that is not that of the others is told at the start."""

from __future__ import annotations

from datetime import timedelta

import pytest

from proxy.clock_notice import clock_notice


@pytest.mark.parametrize(
    ("seconds", "told"), [(61, "1 min ahead of"), (-61, "1 min behind"), (31 * 60, "31 min ahead of")]
)
def test_it_says_how_far_the_clock_is_off_and_what_goes_by_which(seconds, told):
    notice = clock_notice(timedelta(seconds=seconds))
    assert notice is not None
    assert told in notice
    assert "Holds and events go by the server's" in notice


@pytest.mark.parametrize("seconds", [0, 60, -60])
def test_a_clock_that_is_right_says_nothing(seconds):
    assert clock_notice(timedelta(seconds=seconds)) is None
