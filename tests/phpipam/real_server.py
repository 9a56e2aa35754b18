"""A real phpIPAM that somebody lets these tests use, named in the environment.

======================================  ==========================================================================
LEASEHOLD_TEST_PHPIPAM_URL              as in ``:url:``; without it nothing of this is run
LEASEHOLD_TEST_PHPIPAM_USER             the user that logs in
LEASEHOLD_TEST_PHPIPAM_PASSWORD         its password
LEASEHOLD_TEST_PHPIPAM_APP              the id of the app, with read/write permission; the user's name without it
LEASEHOLD_TEST_PHPIPAM_SECTION          two sections, with a comma between, for tests alone; without it Lab,Office
LEASEHOLD_TEST_PHPIPAM_SUBNETS          the subnets that tests may make there, and remove again
======================================  ==========================================================================
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

_PREFIX = "LEASEHOLD_TEST_PHPIPAM_"
_SUBNETS = "10.0.1.0/28,2001:db8::/64"


@dataclass(frozen=True)
class NamedServer:
    """Where it is, and what of it may be used."""

    url: str
    user: str
    password: str
    app: str
    sections: tuple[str, ...]
    subnets: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """For the provider; it looks at no other section."""
        return {
            "url": self.url,
            "user": self.user,
            "password": self.password,
            "app": self.app,
            "sections": list(self.sections),
        }


def named_server() -> NamedServer | None:
    """The one of the environment; KeyError when it is named by halves."""
    if f"{_PREFIX}URL" not in os.environ:
        return None
    user = os.environ[f"{_PREFIX}USER"]
    return NamedServer(
        url=os.environ[f"{_PREFIX}URL"],
        user=user,
        password=os.environ[f"{_PREFIX}PASSWORD"],
        app=os.environ.get(f"{_PREFIX}APP", user),
        sections=_listed("SECTION", "Lab,Office"),
        subnets=_listed("SUBNETS", _SUBNETS),
    )


def _listed(name: str, otherwise: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(f"{_PREFIX}{name}", otherwise).split(",") if part.strip())
