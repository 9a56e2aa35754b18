"""Tests of the providers, and the suites that every provider's own test inherits."""

import pytest

pytest.register_assert_rewrite("tests.providers.soundness", "tests.providers.ipam.conformance")
pytest.register_assert_rewrite("tests.providers.dhcp.conformance")
