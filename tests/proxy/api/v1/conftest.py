"""Somebody with a token who calls /api/v1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from providers.address_book import AddressBook
from providers.book.database import Book
from providers.model import Caller, SubnetSpec
from providers.token_use import LastUse
from providers.tokens import Scope, Tokens
from proxy.access.guard import guard_for
from proxy.app import create_app
from tests.conftest import HandClock
from tests.providers.desk import description

SEEDER = Caller("seed")


@pytest.fixture
def lab(address_book: AddressBook) -> AddressBook:
    """A book with 10.0.1.0/24 in Lab and 10.0.2.0/24 in Other."""
    address_book.add_subnet(description("10.0.1.0/24", gateway="10.0.1.1"), SEEDER)
    address_book.add_subnet(SubnetSpec(description("10.0.2.0/24").network, "Other"), SEEDER)
    return address_book


Ask = Callable[..., TestResponse]


@pytest.fixture
def somebody(lab: AddressBook, configured: Any, book: Book, clock: HandClock) -> Callable[..., Ask]:
    """Whoever has a token with these scopes and limits: ``ask(method, path, json=None)``."""
    tokens = Tokens(book, clock, LastUse(book, start=lambda work: None))
    settings = configured()
    app = create_app(lab, settings, guard=guard_for(lab, settings, tokens=tokens, clock=clock))

    def somebody(*scopes: Scope, **limits: Any) -> Ask:
        _, secret = tokens.create(f"token{len(tokens.list())}", scopes, SEEDER, **limits)

        def ask(method: str, path: str, json: Any = None, **more: Any) -> TestResponse:
            headers = {"Authorization": f"Bearer {secret}", **more.pop("headers", {})}
            if json is not None:
                more["json"] = json
            return app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **more)

        return ask

    return somebody


@pytest.fixture
def ask(somebody: Callable[..., Ask]) -> Ask:
    """Somebody who may do everything."""
    return somebody(Scope.ADMIN)
