"""The requests of Foreman's single steps, for tests in which one of them fails."""

from __future__ import annotations

import pytest

from tests.foreman.site import Mode

RESERVE = ("POST", "/dhcp/")
ASK = ("GET", "/ipam/subnet/10.0.1.0/27/")
ADD = ("POST", "/ipam/")
WITHDRAW = ("DELETE", "/dhcp/")
GIVE_BACK = ("DELETE", "/ipam/")

IPAM_LEFT = ({"ipam"}, {})


def failing(*cases: tuple[Mode, tuple[str, str]]) -> pytest.MarkDecorator:
    """Modes, each with a request that fails in it."""
    return pytest.mark.parametrize(
        ("mode", "request_that_fails"),
        [pytest.param(*case, id=f"{case[0].name}, {' '.join(case[1])}") for case in cases],
        indirect=["mode"],
    )
