"""The face on the book of the recordings' look-alike, or on a small one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork
from werkzeug.test import TestResponse

from providers.address_book import AddressBook
from providers.model import Caller, Options, Subnet, SubnetSpec
from providers.token_use import LastUse
from providers.tokens import Scope, Tokens
from proxy.access.guard import guard_for
from proxy.access.throttle import Throttle
from proxy.app import create_app

SEEDER = Caller("seed")
APP = "/phpipam/api/cbsd"


@pytest.fixture
def lab(address_book: AddressBook) -> Subnet:
    """10.0.1.0/29 in Lab, with a gateway: five addresses to be had."""
    options = Options(gateway=IPAddress("10.0.1.1"))
    return address_book.add_subnet(SubnetSpec(IPNetwork("10.0.1.0/29"), "Lab", options=options), SEEDER)


@pytest.fixture
def tokens(book, clock) -> Tokens:
    """The tokens of the book."""
    return Tokens(book, clock, LastUse(book, start=lambda work: None))


@pytest.fixture
def ask(address_book, configured, tokens, clock) -> Callable[..., TestResponse]:
    """Send a request below the app; ``token`` and ``at`` (an address) say who does."""
    settings = configured()
    app = create_app(
        address_book, settings, guard=guard_for(address_book, settings, throttle=Throttle(clock), tokens=tokens)
    )

    def ask(
        method: str, path: str, body: Any = None, *, token: str | None = None, at: str = "127.0.0.1", **more: Any
    ) -> TestResponse:
        headers = {} if token is None else {"token": token}
        return app.test_client().open(
            f"{APP}/{path}", method=method, json=body, headers=headers, environ_base={"REMOTE_ADDR": at}, **more
        )

    return ask


@pytest.fixture
def secret(tokens) -> Callable[..., str]:
    """Make a token and return its secret."""
    return lambda name, *scopes, **limits: tokens.create(name, scopes or (Scope.RESERVE,), SEEDER, **limits)[1]
