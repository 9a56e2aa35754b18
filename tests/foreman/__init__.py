"""Foreman's own sequences of calls, walked through against the faces."""

import pytest

pytest.register_assert_rewrite("tests.foreman.site")
